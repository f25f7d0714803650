//! `ionet rewards`: what your devices earned, why, and paying it out.

use anyhow::Result;
use clap::Subcommand;
use ionet_types::DeviceId;
use ionet_types::rewards::{Claimed, Estimate, EstimateRequest, NewClaims, Readiness, Reward, RewardLine};

use crate::cli::PageArgs;
use crate::context::Context;
use crate::output::{fields, name_of, short, table, table_with_amounts, usd};
use crate::views::more;

/// What to do with rewards.
#[derive(Debug, Subcommand)]
pub enum RewardsCommand {
    /// List what your devices and co-stakes have earned, and what can be claimed
    #[command(after_help = "Examples:\n  ionet rewards list\n  ionet rewards list --json")]
    List,
    /// Pay out what can be claimed, to each payout wallet
    #[command(
        after_help = "Examples:\n  ionet rewards claim\n  ionet rewards claim --device 7dHbWXmci3dT8UFYWYZweBLXgycu7Y3iL6trKn1Y7ARj\n\nClaiming twice pays once; what an hour's bound holds back stays claimable."
    )]
    Claim {
        /// Only this device's; may be given several times
        #[arg(long = "device", value_name = "ID")]
        devices: Vec<DeviceId>,
    },
    /// Show what a device earned epoch by epoch, and why
    #[command(
        after_help = "Examples:\n  ionet rewards show 7dHbWXmci3dT8UFYWYZweBLXgycu7Y3iL6trKn1Y7ARj\n  ionet rewards show ID --limit 24 --json"
    )]
    Show {
        /// The device
        device: DeviceId,
        /// Which part of the list.
        #[command(flatten)]
        page: PageArgs,
    },
    /// Check whether a device would be nominated now, with the reason for each condition
    #[command(after_help = "Examples:\n  ionet rewards ready 7dHbWXmci3dT8UFYWYZweBLXgycu7Y3iL6trKn1Y7ARj")]
    Ready {
        /// The device
        device: DeviceId,
    },
    /// Estimate what a device would earn, and its return on the stake
    #[command(
        after_help = "Examples:\n  ionet rewards estimate \"H100 80GB HBM3\" --processors 8\n  ionet rewards estimate cpu --tier 2 --json"
    )]
    Estimate {
        /// Model in the multiplier table, or `cpu` for a device without a listed one
        model: String,
        /// Graphics cards, or processors of a device without
        #[arg(long, value_name = "N", default_value_t = 1)]
        processors: u32,
        /// Connectivity tier, 1 to 4
        #[arg(long, value_name = "TIER", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=4))]
        tier: u8,
    },
}

/// Does it.
pub async fn run(command: RewardsCommand, context: &Context) -> Result<()> {
    match command {
        RewardsCommand::List => {
            let client = context.signed_in().await?;
            context.out.answer(&client.rewards().await?, |rewards| {
                let headings = ["device", "as", "earned", "", "claimable", "", "paid to"];
                table_with_amounts(&headings, &[2, 3, 4, 5], rewards.iter().map(row))
            })
        }
        RewardsCommand::Claim { devices } => {
            let client = context.signed_in().await?;
            let claimed = client.claim_rewards(&NewClaims { devices: (!devices.is_empty()).then_some(devices) }).await?;
            context
                .out
                .answer(&claimed, |claimed| table_with_amounts(&["device", "paid", "", "transaction"], &[1, 2], claimed.iter().map(paid)))
        }
        RewardsCommand::Show { device, page } => {
            let page = context.network().await?.reward_lines(device, &page.query()).await?;
            context.out.answer(&page, |page| {
                let headings = ["epoch", "P", "score", "availability", "compute", "work", "", "failed"];
                more(table_with_amounts(&headings, &[0, 1, 2, 3, 4, 5, 6], page.items.iter().map(line)), page.next_cursor.as_deref())
            })
        }
        RewardsCommand::Ready { device } => context.out.answer(&context.network().await?.readiness(device).await?, ready),
        RewardsCommand::Estimate { model, processors, tier } => {
            let request = EstimateRequest { model, processors: Some(processors), tier: Some(tier) };
            context.out.answer(&context.network().await?.reward_estimate(&request).await?, estimate)
        }
    }
}

fn row(reward: &Reward) -> Vec<String> {
    vec![
        reward.device.to_string(),
        name_of(&reward.role),
        reward.earned_io.display.clone(),
        reward.earned_usdc.display.clone(),
        reward.claimable_io.display.clone(),
        reward.claimable_usdc.display.clone(),
        short(&reward.payout.to_string()),
    ]
}

fn paid(claimed: &Claimed) -> Vec<String> {
    let outcome = match (&claimed.signature, &claimed.detail) {
        (Some(signature), _) => signature.to_string(),
        (None, Some(detail)) => detail.clone(),
        (None, None) => "nothing to claim".to_owned(),
    };
    vec![claimed.device.to_string(), claimed.io.display.clone(), claimed.usdc.display.clone(), outcome]
}

fn line(line: &RewardLine) -> Vec<String> {
    let failed: Vec<&str> = line.checks.iter().filter(|check| !check.passed).map(|check| check.code.as_str()).collect();
    vec![
        line.epoch.to_string(),
        thousandths(u64::from(line.p_millionths) / 1_000),
        tenths(line.base_score_tenths),
        line.availability.display.clone(),
        line.compute.display.clone(),
        line.work_io.display.clone(),
        line.work_usdc.display.clone(),
        failed.join(" "),
    ]
}

fn ready(readiness: &Readiness) -> String {
    let checks = readiness
        .checks
        .iter()
        .map(|check| vec![if check.passed { "yes" } else { "NO" }.to_owned(), check.code.clone(), check.reason.clone()]);
    let verdict = if readiness.ready { "ready: it would be nominated now" } else { "not ready" };
    let next =
        readiness.estimated_next.as_ref().map_or_else(String::new, |next| format!("\nestimated for the next epoch: {}", next.display));
    format!("{verdict}{next}\n\n{}", table(&["", "check", "found"], checks))
}

fn estimate(estimate: &Estimate) -> String {
    let mut lines = vec![
        (
            "model",
            format!(
                "{} x {}, multiplier {}.{:02}, tier {}",
                estimate.processors,
                estimate.model,
                estimate.multiplier_centi / 100,
                estimate.multiplier_centi % 100,
                estimate.tier
            ),
        ),
        ("to stake", estimate.minimum_stake.display.clone()),
        ("base score", tenths(estimate.base_score_tenths)),
        (
            "share",
            format!("{}.{:04} % of its pot in epoch {}", estimate.share_ppm / 10_000, estimate.share_ppm % 10_000, estimate.from_epoch),
        ),
        ("per epoch", estimate.per_epoch.display.clone()),
        ("per 30 days", estimate.per_30_days.display.clone()),
    ];
    if let Some(value) = estimate.per_30_days_micro_usd {
        lines.push(("worth", usd(value)));
    }
    if let Some(bps) = estimate.yearly_return_on_stake_bps {
        lines.push(("on the stake", format!("{}.{:02} % a year", bps / 100, bps % 100)));
    }
    format!("{}\n\nAn estimate beside today's devices, idle and passing every check; shares fall as devices join.", fields(&lines))
}

fn tenths(value: u64) -> String {
    format!("{}.{}", value / 10, value % 10)
}

fn thousandths(value: u64) -> String {
    format!("{}.{:03}", value / 1_000, value % 1_000)
}
