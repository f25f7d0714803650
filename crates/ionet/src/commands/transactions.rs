//! `ionet transactions`: the program's records, as the chain has them.

use anyhow::Result;
use clap::Subcommand;
use ionet_types::{ClusterId, TransactionSignature};

use crate::cli::PageArgs;
use crate::context::Context;
use crate::output::{moment, table_with_amounts};
use crate::receipt;
use crate::views::more;

const HEADINGS: [&str; 6] = ["when", "cluster", "record", "amount", "", "transaction"];

/// What to do with records.
#[derive(Debug, Subcommand)]
pub enum TransactionsCommand {
    /// List records, newest first
    #[command(
        after_help = "Examples:\n  ionet transactions list\n  ionet transactions list --kind worked --limit 200 --json\n  ionet transactions list --cluster 0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21"
    )]
    List {
        /// Only this kind: book_product, pay, start, extend, worked, refund, repurchase, earn or expire
        #[arg(long, value_name = "KIND", value_parser = kinds())]
        kind: Option<String>,
        /// Only this cluster's
        #[arg(long, value_name = "ID")]
        cluster: Option<ClusterId>,
        /// Which part of the list.
        #[command(flatten)]
        page: PageArgs,
    },
    /// Show the records of one transaction
    #[command(
        after_help = "Examples:\n  ionet transactions show 5VERv8NMvzbJMEkV8xnrLkEaWRtSz9CosKDYjCJjBRnbJLgp8uirBgmQpjKhoR4tjF3ZpRzrFmBV6UjKdiSZkQUW"
    )]
    Show {
        /// The transaction's signature
        signature: TransactionSignature,
    },
}

fn kinds() -> clap::builder::PossibleValuesParser {
    ionet_abi::events::RecordKind::ALL.map(ionet_abi::events::RecordKind::name).into()
}

/// Does it.
pub async fn run(command: TransactionsCommand, context: &Context) -> Result<()> {
    let client = context.network().await?;
    match command {
        TransactionsCommand::List { kind, cluster, page } => {
            let query = crate::client::ListQuery { kind, cluster_id: cluster, ..page.query() };
            context.out.answer(&client.records(&query).await?, |page| {
                more(table_with_amounts(&HEADINGS, &[3], page.items.iter().map(receipt::row)), page.next_cursor.as_deref())
            })
        }
        TransactionsCommand::Show { signature } => context.out.answer(&client.transaction(signature).await?, |detail| {
            format!(
                "transaction {} in slot {} at {}\n{}",
                detail.signature,
                detail.slot,
                moment(detail.at_unix_secs),
                table_with_amounts(&HEADINGS, &[3], detail.records.iter().map(receipt::row))
            )
        }),
    }
}
