//! `ionet payments`: what was paid and what came back.

use anyhow::Result;
use clap::Subcommand;

use crate::cli::PageArgs;
use crate::context::Context;
use crate::output::{moment, name_of, short, table_with_amounts};
use crate::views::more;

/// What to do with payments.
#[derive(Debug, Subcommand)]
pub enum PaymentsCommand {
    /// List your payments and refunds, newest first
    #[command(after_help = "Examples:\n  ionet payments list\n  ionet payments list --limit 200 --json")]
    List(PageArgs),
}

/// Does it.
pub async fn run(command: PaymentsCommand, context: &Context) -> Result<()> {
    let PaymentsCommand::List(page) = command;
    let payments = context.signed_in().await?.payments(&page.query()).await?;
    context.out.answer(&payments, |page| {
        let rows = page.items.iter().map(|payment| {
            vec![
                moment(payment.at_unix_secs),
                payment.cluster_id.to_string(),
                name_of(&payment.kind),
                payment.amount.display.clone(),
                short(&payment.signature.to_string()),
            ]
        });
        more(table_with_amounts(&["when", "cluster", "kind", "amount", "transaction"], &[3], rows), page.next_cursor.as_deref())
    })
}
