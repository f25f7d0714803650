//! `ionet preflight`: what a request would get, or what is in its way and what would help.

use anyhow::Result;
use clap::Args;
use ionet_types::market::{Preflight, PreflightPlacement};

use super::hire::HireArgs;
use crate::context::Context;
use crate::output::{name_of, table_with_amounts, usd};

/// What is to be hired.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  ionet preflight --hardware h100 --or-hardware h200 --gpus 8 --nodes 4 --region eu --max-price 2.50\n  ionet preflight --hardware cpu --nodes 64 --min-tier high --same-site --json"
)]
pub struct PreflightArgs {
    /// What is to be hired.
    #[command(flatten)]
    pub hire: HireArgs,
}

/// Prints the answer.
pub async fn run(args: PreflightArgs, context: &Context) -> Result<()> {
    let answer = context.network().await?.preflight(&args.hire.quote_request()).await?;
    context.out.answer(&answer, |answer| said(answer, args.hire.nodes))
}

fn said(answer: &Preflight, nodes: u32) -> String {
    let mut text = match &answer.placement {
        Some(placement) => format!("yes: {}", place(placement)),
        None => format!("no: {} of {} devices would do, {nodes} are wanted", answer.fitting, answer.devices),
    };
    if !answer.offers.is_empty() {
        let rows = answer.offers.iter().map(|offer| {
            vec![
                offer.hardware.to_string(),
                offer.region.as_ref().map_or_else(|| "unknown".to_owned(), name_of),
                name_of(&offer.tier),
                offer.devices.to_string(),
                usd(offer.from_micro_usd),
                usd(offer.to_micro_usd),
            ]
        });
        text.push_str("\n\n");
        text.push_str(&table_with_amounts(&["hardware", "region", "tier", "devices", "from, an hour", "to"], &[3, 4, 5], rows));
    }
    if !answer.excluded.is_empty() {
        let rows = answer
            .excluded
            .iter()
            .map(|excluded| vec![excluded.condition.replace('_', " "), excluded.devices.to_string(), excluded.alone.to_string()]);
        text.push_str("\n\n");
        text.push_str(&table_with_amounts(&["condition", "devices it excludes", "would fit without it"], &[1, 2], rows));
    }
    if answer.placement.is_none() {
        if answer.relaxations.is_empty() {
            text.push_str("\n\nno change of one or two conditions would help");
        } else {
            text.push_str("\n\nthis would help, the cheapest first:");
        }
        for relaxation in &answer.relaxations {
            let changes: Vec<_> = relaxation.changes.iter().map(|change| change.detail.as_str()).collect();
            text.extend(["\n  ", &changes.join(" and "), ": ", &place(&relaxation.placement)]);
        }
    }
    text
}

fn place(placement: &PreflightPlacement) -> String {
    let sites = if placement.sites == 1 { "one site".to_owned() } else { format!("{} sites", placement.sites) };
    format!("{} at {sites}, {} an hour", placement.hardware, usd(placement.price_micro_usd))
}
