//! `ionet prices`: what everything costs now and why, and what it cost.

use anyhow::Result;
use clap::{Args, Subcommand};
use ionet_types::hardware::HardwareModel;

use crate::client::HistoryQuery;
use crate::context::Context;
use crate::output::{moment, name_of, table_with_amounts, usd};

/// Which prices.
#[derive(Debug, Subcommand)]
pub enum PricesCommand {
    /// All prices of now, what they are made of, and the discounts for long hires
    #[command(after_help = "Examples:\n  ionet prices now\n  ionet prices now --json")]
    Now,
    /// The price index: how prices went, for the network or for one model
    #[command(after_help = "Examples:\n  ionet prices history\n  ionet prices history --hardware h100 --days --json")]
    History(HistoryArgs),
}

/// Which part of the index.
#[derive(Debug, Clone, Args)]
pub struct HistoryArgs {
    /// Hardware model [default: the whole network]
    #[arg(long, value_name = "MODEL")]
    hardware: Option<HardwareModel>,
    /// Days instead of hours
    #[arg(long)]
    days: bool,
}

/// Prints them.
pub async fn run(command: PricesCommand, context: &Context) -> Result<()> {
    let client = context.network().await?;
    match command {
        PricesCommand::Now => context.out.answer(&client.prices().await?, |board| {
            let rows = board.items.iter().map(|price| {
                vec![
                    price.hardware.to_string(),
                    name_of(&price.tier),
                    price.region.clone(),
                    usd(price.price_micro_usd),
                    usd(price.reference_micro_usd),
                    percent(price.utilisation_bps),
                    format!("x {}.{:03}", price.scarcity_ppm / 1_000_000, price.scarcity_ppm % 1_000_000 / 1_000),
                    usd(price.target_micro_usd),
                    price.bound.clone().unwrap_or_default().replace('_', " "),
                ]
            });
            let titles = ["hardware", "tier", "region", "an hour", "reference", "counts as hired", "scarcity", "goes to", "held by"];
            let discounts = board.discounts.iter().map(|discount| {
                vec![format!("{} h", discount.minutes / 60), percent(discount.usdc_bps.into()), percent(discount.io_bps.into())]
            });
            let moved = if board.follows_market { "prices follow the market" } else { "prices are the price list's" };
            format!(
                "{}\n\n{moved}; discounts for long hires:\n{}",
                table_with_amounts(&titles, &[3, 4, 5, 6, 7], rows),
                table_with_amounts(&["hired for", "in USDC", "in IO"], &[1, 2], discounts)
            )
        }),
        PricesCommand::History(HistoryArgs { hardware, days }) => {
            context.out.answer(&client.price_history(&HistoryQuery { hardware, days }).await?, |history| {
                if history.items.is_empty() {
                    return "the index has no points yet: the first one comes at the end of the hour".to_owned();
                }
                let rows = history.items.iter().map(|point| {
                    vec![
                        moment(point.from_unix_secs),
                        format!("{}.{:02}", point.index_micro_points / 1_000_000, point.index_micro_points % 1_000_000 / 10_000),
                        usd(point.price_micro_usd),
                        percent(point.utilisation_bps.into()),
                    ]
                });
                table_with_amounts(&["from", "index", "mean price", "hired"], &[1, 2, 3], rows)
            })
        }
    }
}

fn percent(bps: u64) -> String {
    format!("{}.{:02} %", bps / 100, bps % 100)
}
