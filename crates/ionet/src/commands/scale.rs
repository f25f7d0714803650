//! `ionet clusters resize` and `ionet clusters autoscale`: a running cluster grows and shrinks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use clap::Args;
use ionet_market::autoscale::{Bundle, Policy};

use super::clusters::{IdArgs, parse_amount};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::job::Customer;
use crate::output::print_line;
use crate::progress::Progress;
use crate::scale::{Autoscaler, Round, Whole, follow};
use crate::views;

pub(super) const RESIZE_EXAMPLES: &str = "\
Examples:
  ionet clusters resize 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21 --nodes 8
  ionet clusters resize 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21 --nodes 8 --minutes 120

Nodes are added by a booking of their own that joins the cluster's Ray, at the price of now. Letting nodes go ends such bookings, the newest
first: their unused minutes but the first hour's come back. The nodes that the cluster was booked with stay until it ends.";

pub(super) const AUTOSCALE_EXAMPLES: &str = "\
Examples:
  ionet clusters autoscale 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21 --max 8 --budget 20
  ionet clusters autoscale 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21 --min 2 --max 8 --budget 20 --idle-secs 300 --json
  ionet clusters autoscale 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21 --max 8 --budget 20 --once

It runs here, because each booking is signed with your wallet's key. When it is stopped, added nodes work on until their hire ends. The budget
is for added nodes alone, over all runs: what was booked less what came back.";

/// Which size.
#[derive(Debug, Args)]
pub struct ResizeArgs {
    /// The cluster.
    #[command(flatten)]
    id: IdArgs,
    /// Nodes that it is to have, its own included
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    nodes: u32,
    /// For how long added nodes are hired, minutes [default: as long as the cluster]
    #[arg(long, short, value_name = "M", value_parser = clap::value_parser!(u32).range(1..=5_256_000))]
    minutes: Option<u32>,
}

/// How to follow the load.
#[derive(Debug, Args)]
pub struct AutoscaleArgs {
    /// The cluster.
    #[command(flatten)]
    id: IdArgs,
    /// Fewest nodes, its own included
    #[arg(long, value_name = "N", default_value_t = 1)]
    min: u32,
    /// Most nodes, its own included
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    max: u32,
    /// Most that may be spent on added nodes, in the cluster's coin
    #[arg(long, value_name = "AMOUNT")]
    budget: String,
    /// For how long nodes are hired at a time, minutes
    #[arg(long, value_name = "M", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=43_200))]
    step_minutes: u32,
    /// After so long without work a node is let go (once its first hour is over), seconds
    #[arg(long, value_name = "SECS", default_value_t = 300)]
    idle_secs: u32,
    /// After nodes were added, none is added for so long, seconds
    #[arg(long, value_name = "SECS", default_value_t = 60)]
    cooldown_secs: u32,
    /// How often to look, seconds
    #[arg(long, value_name = "SECS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3_600))]
    every_secs: u32,
    /// Look once, act, and end
    #[arg(long)]
    once: bool,
}

/// Brings a cluster to a size.
pub(super) async fn resize(args: ResizeArgs, context: &Context) -> Result<()> {
    let customer = Customer::sign_in(context).await?;
    let progress = Progress::new(context.quiet);
    let whole = Whole::read(&customer, args.id.id).await?;
    progress.doing("bringing the cluster to its new size");
    let done = whole.resize(&customer, args.nodes, args.minutes, now()).await?;
    progress.clear();
    let after = Whole::read(&customer, args.id.id).await?;
    context.out.answer(&serde_json::json!({ "done": done, "whole": after }), |_| {
        let mut text = if done.is_empty() { "the cluster has that size already".to_owned() } else { done.join("\n") };
        for part in &after.parts {
            text.extend(["\n\n", &views::cluster(part)]);
        }
        text
    })
}

/// Follows a cluster's load.
pub(super) async fn autoscale(args: AutoscaleArgs, context: &Context) -> Result<()> {
    if args.min > args.max {
        return Err(Failure::new(format!("--min {} is more than --max {}", args.min, args.max)).exit(Exit::Usage).into());
    }
    let customer = Customer::sign_in(context).await?;
    let cluster = customer.client.cluster(args.id.id).await?;
    let policy = Policy {
        min_nodes: args.min,
        max_nodes: args.max,
        budget: parse_amount(&args.budget, &cluster)?.0,
        step_minutes: args.step_minutes,
        cooldown_secs: args.cooldown_secs.into(),
        idle_secs: args.idle_secs.into(),
        node: Bundle::default(),
    };
    let mut scaler = Autoscaler::new(&customer, args.id.id, policy).await?;
    if args.once {
        return match scaler.round(now()).await? {
            Some(round) => context.out.answer(&round, said),
            None => Err(Failure::new("the cluster is over").into()),
        };
    }
    let mut last = String::new();
    let every = Duration::from_secs(args.every_secs.into());
    follow(&mut scaler, every, now, |round| {
        if context.out.json {
            return print_line(&serde_json::to_string(round)?);
        }
        let text = said(round);
        // One line for each change: a quiet cluster does not fill the screen.
        if text != last {
            print_line(&format!("{} {text}", crate::output::moment(round.at_unix_secs)))?;
            last = text;
        }
        Ok(())
    })
    .await?;
    print_line("the cluster is over")
}

fn said(round: &Round) -> String {
    let mut text = format!("{} nodes, {} with work; {} pieces of work wait", round.nodes, round.busy_nodes, round.pending);
    if round.needed_nodes > 0 && round.limit != "enough" {
        text.extend([" and need ", &round.needed_nodes.to_string(), " nodes more, held back: ", &round.limit.replace('_', " ")]);
    }
    if round.unplaceable > 0 {
        text.extend(["; ", &round.unplaceable.to_string(), " of them fit into no node of this kind"]);
    }
    for done in &round.done {
        text.extend(["; ", done]);
    }
    text
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
