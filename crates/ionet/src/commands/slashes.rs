//! `ionet slashes`: slashing cases, and appeals against them.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};
use ionet_abi::instructions::supply::AppealCaseArgs;
use ionet_ledger::address;
use ionet_types::slashes::{AppealRequest, SlashCase};
use ionet_types::{CaseId, DeviceId, Sha256};
use serde_json::json;
use sha2::Digest as _;

use crate::context::Context;
use crate::exit::Failure;
use crate::job::Customer;
use crate::output::{fields, moment, name_of, short, table_with_amounts};
use crate::signing::{Step, Wish};

/// What to do with cases.
#[derive(Debug, Subcommand)]
pub enum SlashesCommand {
    /// List slashing cases, newest first
    #[command(after_help = "Examples:\n  ionet slashes list\n  ionet slashes list --device 9sHcvDd2a1b3pTzjUvT8pM1kq2rY4nW5xZ6cB7eF8gH1")]
    List {
        /// Only against this device
        #[arg(long, value_name = "DEVICE")]
        device: Option<DeviceId>,
    },
    /// Show a case: what it has frozen, and until when you can appeal
    #[command(after_help = "Examples:\n  ionet slashes show 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21")]
    Show {
        /// The case's id
        case: CaseId,
    },
    /// Appeal against a case; send the text itself to the council
    #[command(
        after_help = "Examples:\n  ionet slashes appeal 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21 --file appeal.txt\n\nThe chain keeps the SHA-256 of the file, so that nobody can exchange it afterwards. Keep the file, byte for byte."
    )]
    Appeal(AppealArgs),
}

/// What to say.
#[derive(Debug, Clone, Args)]
pub struct AppealArgs {
    /// The case's id
    pub case: CaseId,
    /// The file with your appeal
    #[arg(long, value_name = "FILE")]
    pub file: PathBuf,
}

/// Does it.
pub async fn run(command: SlashesCommand, context: &Context) -> Result<()> {
    match command {
        SlashesCommand::List { device } => context.out.answer(&context.network().await?.slashes(device).await?, |list| {
            let rows = list.items.iter().map(|case| {
                vec![
                    case.id.to_string(),
                    short(&case.device.to_string()),
                    name_of(&case.offence),
                    name_of(&case.status),
                    case.amount.display.clone(),
                    moment(case.opened_at_unix_secs),
                ]
            });
            table_with_amounts(&["case", "device", "offence", "status", "amount", "opened"], &[4], rows)
        }),
        SlashesCommand::Show { case } => context.out.answer(&context.network().await?.slash(case).await?, shown),
        SlashesCommand::Appeal(args) => appeal(args, context).await,
    }
}

async fn appeal(args: AppealArgs, context: &Context) -> Result<()> {
    let text = std::fs::read(&args.file).with_context(|| {
        Failure::new(format!("cannot read {}", args.file.display()))
            .hint("write down why the case is wrong, and name that file with --file")
    })?;
    let appeal = Sha256(sha2::Sha256::digest(&text).into());
    let customer = Customer::sign_in(context).await?;
    let prepared = customer.client.prepare_appeal(args.case, &AppealRequest { appeal }).await?;
    let program = solana_address::Address::new_from_array(customer.network.program_id.0);
    let account = address::case(&program, &args.case.bytes());
    let wish = Wish::Step(Step::new(&AppealCaseArgs { appeal: appeal.0 }, account));
    let submitted = customer.sign_and_submit(&prepared.transaction, &wish).await?;
    let answer = json!({ "case": args.case, "appeal": appeal, "signature": submitted.signature });
    context.out.answer(&answer, |_| {
        format!(
            "appealed against case {} in transaction {}\nSHA-256 of the appeal: {appeal}. Send the file to the council and keep it as it is.",
            args.case, submitted.signature
        )
    })
}

fn shown(case: &SlashCase) -> String {
    let mut lines = vec![
        ("case", case.id.to_string()),
        ("device", case.device.to_string()),
        ("offence", name_of(&case.offence)),
        ("status", name_of(&case.status)),
        ("amount", case.amount.display.clone()),
        ("of locked rewards", case.parts.unvested.display.clone()),
        ("of the owner's stake", case.parts.owner.display.clone()),
        ("of the co-stake", case.parts.co_staker.display.clone()),
        ("SHA-256 of the evidence", case.evidence.to_string()),
        ("opened", moment(case.opened_at_unix_secs)),
        ("appeal until", moment(case.appeal_by_unix_secs)),
    ];
    if let Some(appeal) = case.appeal {
        lines.push(("SHA-256 of the appeal", appeal.to_string()));
    }
    for (name, at) in
        [("appealed", case.appealed_at_unix_secs), ("decision until", case.decide_by_unix_secs), ("closed", case.closed_at_unix_secs)]
    {
        if let Some(at) = at {
            lines.push((name, moment(at)));
        }
    }
    fields(&lines)
}
