//! `ionet quote`: what a cluster would cost.

use anyhow::Result;
use clap::Args;

use super::hire::HireArgs;
use crate::context::Context;
use crate::{quotes, views};

/// What is to be hired.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Examples:\n  ionet quote --nodes 4 --minutes 60\n  ionet quote --hardware cpu --nodes 2 --minutes 2880 --currency io --json"
)]
pub struct QuoteArgs {
    /// What is to be hired.
    #[command(flatten)]
    pub hire: HireArgs,
}

/// Prints the quote.
pub async fn run(args: QuoteArgs, context: &Context) -> Result<()> {
    let client = context.network().await?;
    let quote = quotes::checked(&client, &client.network().await?, &args.hire.quote_request()).await?;
    context.out.answer(&quote, views::quote)
}
