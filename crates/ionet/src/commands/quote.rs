//! `ionet quote`: what a cluster would cost.

use anyhow::Result;
use clap::Args;
use ionet_types::Currency;
use ionet_types::hardware::HardwareModel;
use ionet_types::quotes::QuoteRequest;

use crate::context::Context;
use crate::views;

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

/// Which devices, for how long, in which currency.
#[derive(Debug, Clone, Args)]
pub struct HireArgs {
    /// Hardware model, as `ionet hardware` lists it
    #[arg(long, value_name = "MODEL", default_value = "cpu")]
    pub hardware: HardwareModel,
    /// How many devices
    #[arg(long, short, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub nodes: u32,
    /// For how long, minutes
    #[arg(long, short, value_name = "M", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=5_256_000))]
    pub minutes: u32,
    /// What it is paid in: usdc or io
    #[arg(long, short, value_name = "COIN", default_value = "usdc", value_parser = currency)]
    pub currency: Currency,
}

impl HireArgs {
    /// The same as a request for a quote.
    pub fn quote_request(&self) -> QuoteRequest {
        QuoteRequest { hardware: self.hardware.clone(), quantity: self.nodes, minutes: self.minutes, currency: self.currency }
    }
}

fn currency(text: &str) -> Result<Currency, &'static str> {
    text.parse()
}

/// Prints the quote.
pub async fn run(args: QuoteArgs, context: &Context) -> Result<()> {
    let quote = context.network().await?.quote(&args.hire.quote_request()).await?;
    context.out.answer(&quote, views::quote)
}
