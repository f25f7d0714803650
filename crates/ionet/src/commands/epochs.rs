//! `ionet epochs`: what each hour gave, and whether that is true.

use std::io::{BufReader, Cursor};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use ionet_epochs::Closed;
use ionet_types::epochs::{Epoch, Supply};
use serde_json::json;

use crate::cli::PageArgs;
use crate::context::Context;
use crate::exit::Failure;
use crate::output::{fields, moment, name_of, short, table_with_amounts};
use crate::progress::Progress;
use crate::views::more;

/// What to do with epochs.
#[derive(Debug, Subcommand)]
pub enum EpochsCommand {
    /// List epochs, the running one first
    #[command(after_help = "Examples:\n  ionet epochs list\n  ionet epochs list --limit 200 --json")]
    List {
        /// Which part of the list.
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show an epoch: its pots, its root, and what holds it while it is not closed
    #[command(after_help = "Examples:\n  ionet epochs show 17\n  ionet epochs show 17 --json")]
    Show {
        /// Its number, from 1
        epoch: u64,
    },
    /// Show what was minted, earned and claimed, and how the verifiers vote
    #[command(after_help = "Examples:\n  ionet epochs supply\n  ionet epochs supply --json")]
    Supply,
    /// Download an epoch's file, recompute every line from its inputs, and compare with the network and its chain
    #[command(
        after_help = "Examples:\n  ionet epochs verify 17\n  ionet epochs verify 17 --file 00000017.epoch\n  ionet epochs verify 17 --csv lines.csv\n\nIt trusts nobody's sum: inputs, allocation, lifetime totals and Merkle tree are computed here, and the root must be the published one."
    )]
    Verify {
        /// Its number, from 1
        epoch: u64,
        /// Read this file instead of downloading it
        #[arg(long, value_name = "FILE")]
        file: Option<std::path::PathBuf>,
        /// Write all lines to this file, as CSV
        #[arg(long, value_name = "FILE")]
        csv: Option<std::path::PathBuf>,
    },
}

/// Does it.
pub async fn run(command: EpochsCommand, context: &Context) -> Result<()> {
    match command {
        EpochsCommand::List { page } => {
            let page = context.network().await?.epochs(&page.query()).await?;
            context.out.answer(&page, |page| {
                let headings = ["epoch", "ends", "status", "emission", "passed", "earned so far", "root"];
                more(table_with_amounts(&headings, &[0, 3, 4], page.items.iter().map(row)), page.next_cursor.as_deref())
            })
        }
        EpochsCommand::Show { epoch } => context.out.answer(&context.network().await?.epoch(epoch).await?, shown),
        EpochsCommand::Supply => context.out.answer(&context.network().await?.supply().await?, supply),
        EpochsCommand::Verify { epoch, file, csv } => verify(epoch, file, csv, context).await,
    }
}

fn row(epoch: &Epoch) -> Vec<String> {
    let (passed, root) = match &epoch.allocation {
        Some(allocation) => (format!("{} of {}", allocation.passed, allocation.devices), short(&allocation.root)),
        None => (String::new(), epoch.held_by.as_ref().map_or_else(String::new, |held| format!("held: {held}"))),
    };
    vec![
        epoch.epoch.to_string(),
        moment(epoch.ends_at_unix_secs),
        name_of(&epoch.status),
        epoch.emission.display.clone(),
        passed,
        epoch.allocation.as_ref().map_or_else(String::new, |allocation| allocation.lifetime_io.display.clone()),
        root,
    ]
}

fn shown(epoch: &Epoch) -> String {
    let mut lines = vec![
        ("epoch", epoch.epoch.to_string()),
        ("from", moment(epoch.starts_at_unix_secs)),
        ("until", moment(epoch.ends_at_unix_secs)),
        ("status", name_of(&epoch.status)),
        ("emission", epoch.emission.display.clone()),
    ];
    if let Some(detail) = &epoch.detail {
        lines.push(("held", detail.clone()));
    }
    let Some(allocation) = &epoch.allocation else { return fields(&lines) };
    lines.extend([
        ("devices", format!("{} known, {} nominated, {} passed", allocation.devices, allocation.nominated, allocation.passed)),
        ("work", format!("{} and {}", allocation.work_usdc.display, allocation.work_io.display)),
        ("co-stakers", allocation.co_stakers.display.clone()),
        ("earned so far", format!("{} and {}", allocation.lifetime_io.display, allocation.lifetime_usdc.display)),
        ("root", allocation.root.clone()),
        ("root before", allocation.previous_root.clone()),
        ("file SHA-256", allocation.file_sha256.clone()),
    ]);
    let pots = allocation.pots.iter().map(|pot| {
        vec![
            pot.pot.clone(),
            pot.emission.display.clone(),
            pot.carried_in.display.clone(),
            pot.paid.display.clone(),
            pot.carried_out.display.clone(),
        ]
    });
    let table = table_with_amounts(&["pot", "emission", "carried in", "paid", "carried on"], &[1, 2, 3, 4], pots);
    format!("{}\n\n{table}", fields(&lines))
}

fn supply(supply: &Supply) -> String {
    let lines = fields(&[
        ("schedule", format!("{}, an epoch every {} s", supply.schedule, supply.epoch_secs)),
        (
            "epoch",
            format!(
                "{} runs, {} minted, {} closed, {} accepted",
                supply.epoch, supply.minted_epoch, supply.closed_epoch, supply.accepted_epoch
            ),
        ),
        ("minted", supply.emitted.display.clone()),
        ("earned", format!("{} and {}", supply.earned_io.display, supply.earned_usdc.display)),
        ("claimed", format!("{} and {}", supply.claimed_io.display, supply.claimed_usdc.display)),
        ("root", supply.accepted_root.clone()),
    ]);
    let verifiers = supply.verifiers.iter().map(|verifier| {
        vec![
            verifier.key.to_string(),
            verifier.bond.display.clone(),
            if verifier.counts { "counts" } else { "does not count" }.to_owned(),
            verifier.votes_for_epoch.map_or_else(String::new, |epoch| epoch.to_string()),
            verifier.votes_for_root.as_deref().map_or_else(String::new, short),
        ]
    });
    format!("{lines}\n\n{}", table_with_amounts(&["verifier", "bond", "vote", "for epoch", "for root"], &[1], verifiers))
}

async fn verify(epoch: u64, file: Option<std::path::PathBuf>, csv: Option<std::path::PathBuf>, context: &Context) -> Result<()> {
    let progress = Progress::new(context.quiet);
    let client = context.network().await?;
    let published = client.epoch(epoch).await?;
    let claimed = published.allocation.ok_or_else(|| {
        let why = published.detail.unwrap_or_else(|| "it is not over".to_owned());
        Failure::new(format!("epoch {epoch} is not published yet: {why}")).hint("`ionet epochs list` shows where each epoch stands")
    })?;
    progress.doing("reading the file");
    let bytes = match &file {
        Some(file) => std::fs::read(file).with_context(|| Failure::new(format!("cannot read {}", file.display())))?,
        None => client.epoch_file(epoch).await?,
    };
    progress.doing("recomputing every line");
    let size = bytes.len();
    let replayed = tokio::task::spawn_blocking(move || -> Result<(Closed, [u8; 32])> {
        let read = ionet_epochs::read(&mut BufReader::new(Cursor::new(bytes)))?;
        let sha256 = read.sha256();
        Ok((read.replay()?, sha256))
    })
    .await?;
    let (closed, sha256) =
        replayed.context(Failure::new(format!("epoch {epoch} does not hold")).hint("do not vote for it, and tell the verifiers"))?;
    progress.doing("comparing with the network and the epoch before");
    let number = closed.inputs.epoch().number;
    let mut differences = Vec::new();
    let mut compare = |what: &str, here: String, there: &str| {
        if here != there {
            differences.push(format!("{what}: recomputed {here}, published {there}"));
        }
    };
    compare("epoch", number.to_string(), &epoch.to_string());
    compare("root", hex::encode(closed.root()), &claimed.root);
    compare("root before", hex::encode(closed.previous_root), &claimed.previous_root);
    compare("file", hex::encode(sha256), &claimed.file_sha256);
    if epoch > 1
        && let Some(before) = client.epoch(epoch - 1).await?.allocation
    {
        compare("root of the epoch before", hex::encode(closed.previous_root), &before.root);
        for (pot, here) in before.pots.iter().zip(ionet_rules::rewards::Pot::ALL) {
            compare(
                &format!("carried into {}", pot.pot),
                closed.inputs.epoch().carry_in.get(here).0.to_string(),
                &pot.carried_out.base_units.to_string(),
            );
        }
    }
    if client.supply().await?.accepted_epoch == epoch {
        compare("root on chain", hex::encode(closed.root()), &client.supply().await?.accepted_root);
    }
    if let Some(csv) = &csv {
        let mut out =
            std::io::BufWriter::new(std::fs::File::create(csv).with_context(|| Failure::new(format!("cannot write {}", csv.display())))?);
        ionet_epochs::write_csv(&closed, &mut out)?;
    }
    progress.clear();
    if !differences.is_empty() {
        return Err(Failure::new(format!("epoch {epoch} is not what was published:\n  {}", differences.join("\n  ")))
            .hint("do not vote for it, and tell the verifiers")
            .into());
    }
    let sums = &closed.allocation.sums;
    let answer = json!({
        "epoch": epoch, "verified": true, "root": hex::encode(closed.root()), "file_sha256": hex::encode(sha256), "bytes": size,
        "devices": closed.inputs.devices().len(), "nominated": sums.nominated, "passed": sums.passed,
        "beneficiaries": closed.totals.records().len(),
    });
    context.out.answer(&answer, |_| {
        format!(
            "epoch {epoch} holds: {} devices, {} nominated, {} passed; {} beneficiaries\nroot {} recomputed from {size} bytes",
            closed.inputs.devices().len(),
            sums.nominated,
            sums.passed,
            closed.totals.records().len(),
            hex::encode(closed.root()),
        )
    })
}
