//! `ionet devices`: what the network is made of.

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use ionet_proofs::{Transcript, Verdict};
use ionet_types::market::SetTermsRequest;
use ionet_types::{DeviceId, MicroUsd, Sha256};
use serde::Serialize;

use crate::cli::PageArgs;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::output::{moment, name_of, short, table};
use crate::views::{self, more};

/// What to do with devices.
#[derive(Debug, Subcommand)]
pub enum DevicesCommand {
    /// List the network's devices, or your own
    #[command(after_help = "Examples:\n  ionet devices list\n  ionet devices list --mine --json")]
    List {
        /// Only those that name your wallet as their owner
        #[arg(long)]
        mine: bool,
        /// Which part.
        #[command(flatten)]
        page: PageArgs,
    },
    /// What a device was asked to prove, newest first
    #[command(
        after_help = "Examples:\n  ionet devices proofs 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1\n  ionet devices proofs 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 --json"
    )]
    Proofs {
        /// The device's id
        id: DeviceId,
        /// Which part.
        #[command(flatten)]
        page: PageArgs,
    },
    /// Replay the transcript of a failed proof, and say what anyone can see from it
    #[command(after_help = "Examples:\n  ionet devices evidence 17\n  ionet devices evidence 17 --save proof-17.json")]
    Evidence {
        /// The proof's number
        number: u64,
        /// Keep the transcript in this file, too
        #[arg(long, value_name = "FILE")]
        save: Option<std::path::PathBuf>,
    },
    /// What a device's past is worth, and why
    #[command(after_help = "Examples:\n  ionet devices reputation 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    Reputation {
        /// The device's id
        id: DeviceId,
    },
    /// How many devices are in each state
    #[command(after_help = "Examples:\n  ionet devices counts\n  ionet devices counts --json")]
    Counts,
    /// Take your device out of the market; a customer who is there may finish
    #[command(after_help = "Examples:\n  ionet devices pause 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    Pause {
        /// The device's id
        id: DeviceId,
    },
    /// Bring your paused device back
    #[command(after_help = "Examples:\n  ionet devices resume 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    Resume {
        /// The device's id
        id: DeviceId,
    },
    /// Give your device up, for good; what is staked on it is taken out by `ionet stakes`
    #[command(after_help = "Examples:\n  ionet devices terminate 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 --yes")]
    Terminate {
        /// The device's id
        id: DeviceId,
        /// Yes, for good
        #[arg(long)]
        yes: bool,
    },
    /// Let your device enrol again after its key was used from two places, and lift the block that this brought
    #[command(
        after_help = "Examples:\n  ionet devices reset 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1\n\nFirst make sure that only one machine has the key; where in doubt, give the device a new one."
    )]
    Reset {
        /// The device's id
        id: DeviceId,
    },
    /// Show or set on which terms your device is offered: what it asks at least, and for how long
    #[command(after_help = TERMS_EXAMPLES)]
    Terms {
        /// The device's id
        id: DeviceId,
        /// The least that it asks for one GPU (or for itself, without one) for an hour, USD
        #[arg(long, value_name = "USD", value_parser = super::hire::usd, conflicts_with_all = ["strategy", "clear"])]
        floor: Option<MicroUsd>,
        /// File with a strategy, TOML or JSON
        #[arg(long, value_name = "FILE", conflicts_with = "clear")]
        strategy: Option<std::path::PathBuf>,
        /// Take the network's price again
        #[arg(long)]
        clear: bool,
    },
    /// Show one device
    #[command(after_help = "Examples:\n  ionet devices show 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    Show {
        /// The device's id
        id: DeviceId,
    },
}

const TERMS_EXAMPLES: &str = "\
Examples:
  ionet devices terms 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1
  ionet devices terms 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 --floor 1.50
  ionet devices terms 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 --strategy nights.toml
  ionet devices terms 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1 --clear

A strategy names floors by model, by the length of the hire and by the hour of the week: docs/PRICES.md has an example.";

/// Does it.
pub async fn run(command: DevicesCommand, context: &Context) -> Result<()> {
    match command {
        DevicesCommand::List { mine, page } => {
            let found = if mine {
                context.signed_in().await?.own_devices(&page.query()).await?
            } else {
                context.network().await?.devices(&page.query()).await?
            };
            context.out.answer(&found, |page| {
                let rows = page.items.iter().map(|device| {
                    let id = device.id.to_string();
                    vec![
                        if mine { id } else { short(&id) },
                        device.label.clone().unwrap_or_default(),
                        name_of(&device.status.state),
                        name_of(&device.connection),
                        name_of(&device.usage),
                        device.hardware.as_ref().map_or_else(|| "no price".to_owned(), ToString::to_string),
                        match &device.sharing {
                            Some(sharing) => format!("{} GPUs shared; free: {}", device.gpus.len(), views::free(sharing)),
                            None => format!("{} CPUs, {} MiB", device.cpus, device.memory_mb),
                        },
                        device.isolation.clone(),
                    ]
                });
                more(
                    table(&["device", "label", "state", "connection", "use", "hardware", "offers", "isolation"], rows),
                    page.next_cursor.as_deref(),
                )
            })
        }
        DevicesCommand::Proofs { id, page } => {
            let found = context.network().await?.proofs(id, &page.query()).await?;
            context.out.answer(&found, |page| {
                let rows = page.items.iter().map(|proof| {
                    let measured = &proof.measured;
                    vec![
                        proof.number.to_string(),
                        proof.epoch.to_string(),
                        moment(proof.began_at_unix_secs),
                        name_of(&proof.outcome),
                        format!("{:.2}", f64::from(proof.p_millionths) / 1e6),
                        format!("{} GFLOPS", measured.gflops),
                        format!("{} MB/s", measured.memory_mb_per_sec),
                        format!("{} MHz", measured.cpu_mhz),
                        format!("{}/{} Mbps", measured.download_mbps, measured.upload_mbps),
                        proof.detail.clone().or_else(|| proof.code.clone()).unwrap_or_default(),
                    ]
                });
                let titles = ["proof", "epoch", "when", "outcome", "P", "arithmetic", "memory", "clock", "network", "why"];
                more(table(&titles, rows), page.next_cursor.as_deref())
            })
        }
        DevicesCommand::Reputation { id } => context.out.answer(&context.network().await?.device_reputation(id).await?, |reputation| {
            let mut rows = vec![vec!["a device without a past".to_owned(), reputation.neutral.to_string()]];
            rows.extend(reputation.parts.iter().map(|part| vec![part.kind.replace('_', " "), format!("{:+}", part.points)]));
            rows.push(vec!["score, of at most 1000".to_owned(), reputation.score.to_string()]);
            table(&["what", "points"], rows)
        }),
        DevicesCommand::Counts => context.out.answer(&context.network().await?.device_counts().await?, |counts| {
            let mut rows: Vec<_> = counts.states.iter().map(|(state, count)| vec![name_of(state), count.to_string()]).collect();
            rows.push(vec!["all".to_owned(), counts.total.to_string()]);
            table(&["state", "devices"], rows)
        }),
        DevicesCommand::Evidence { number, save } => evidence(number, save.as_deref(), context).await,
        DevicesCommand::Pause { id } => context.out.answer(&context.signed_in().await?.pause_device(id).await?, views::device),
        DevicesCommand::Resume { id } => context.out.answer(&context.signed_in().await?.resume_device(id).await?, views::device),
        DevicesCommand::Terms { id, floor, strategy, clear } => terms(id, floor, strategy.as_deref(), clear, context).await,
        DevicesCommand::Reset { id } => {
            context.signed_in().await?.reset_credential(id).await?;
            context.out.answer(&serde_json::json!({ "reset": id }), |_| format!("device {id} enrols again when it next connects"))
        }
        DevicesCommand::Terminate { id, yes } => {
            if !yes {
                return Err(Failure::new(
                    "giving a device up cannot be taken back: it earns nothing any more, and its key never comes back",
                )
                .hint("say --yes if that is what you want; `ionet devices pause` can be taken back")
                .exit(Exit::Usage)
                .into());
            }
            context.out.answer(&context.signed_in().await?.terminate_device(id).await?, views::device)
        }
        DevicesCommand::Show { id } => context.out.answer(&context.network().await?.device(id).await?, views::device),
    }
}

/// Shows, or sets, a device's terms.
async fn terms(id: DeviceId, floor: Option<MicroUsd>, file: Option<&Path>, clear: bool, context: &Context) -> Result<()> {
    let client = context.signed_in().await?;
    let strategy = match (floor, file) {
        (Some(floor), _) => Some(serde_json::json!({ "floors": [{ "floor_micro_usd": floor.0 }] }).to_string()),
        (None, Some(path)) => Some(std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?),
        (None, None) => None,
    };
    let terms = if strategy.is_none() && !clear {
        client.device_terms(id).await?
    } else {
        client.set_device_terms(id, &SetTermsRequest { strategy }).await?
    };
    context.out.answer(&terms, |terms| match &terms.strategy {
        Some(strategy) => serde_json::to_string_pretty(strategy).expect("JSON is JSON"),
        None => "it takes the network's price, for hires of any length".to_owned(),
    })
}

/// What anyone can see from the transcript of one task.
#[derive(Debug, Serialize)]
struct Replayed {
    /// SHA-256 of the task's transcript.
    sha256: Sha256,
    /// Of which device.
    device: DeviceId,
    /// The verdict that follows from it.
    verdict: Verdict,
    /// Whether the device's own signature shows it; else it is the hub's word, as with what came late.
    signed_by_device: bool,
}

/// Fetches a transcript and comes to its verdicts anew, without believing the hub.
async fn evidence(number: u64, save: Option<&Path>, context: &Context) -> Result<()> {
    let text = context.network().await?.proof_transcript(number).await?;
    if let Some(path) = save {
        std::fs::write(path, &text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let transcripts: Vec<Transcript> = serde_json::from_str(&text).context("the hub sent something else than transcripts")?;
    let replay = |transcript: &Transcript| -> Result<Replayed> {
        let verdict = transcript.replay().with_context(|| "the transcript does not hold: what the hub says does not follow from it")?;
        let signed_by_device = matches!(verdict, Verdict::Failed(failed) if failed.reason.is_signed_proof());
        Ok(Replayed { sha256: Sha256(transcript.sha256()), device: DeviceId(transcript.device), verdict, signed_by_device })
    };
    let replayed = transcripts.iter().map(replay).collect::<Result<Vec<_>>>()?;
    context.out.answer(&replayed, |replayed| {
        let rows = replayed.iter().map(|one| {
            let whose = if one.signed_by_device { "the device's own signature" } else { "the hub's word" };
            vec![one.verdict.code().to_owned(), whose.to_owned(), one.device.to_string(), one.sha256.to_string()]
        });
        table(&["verdict", "shown by", "device", "sha256 of the transcript"], rows)
    })
}
