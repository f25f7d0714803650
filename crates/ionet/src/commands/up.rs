//! `ionet up`: a whole network on this machine, until Ctrl-C.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use ionet_hub::Pricing;
use ionet_market::PriceList;
use serde_json::json;

use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::interrupt;
use crate::network::{LocalNetwork, NetworkOptions};
use crate::output::{fields, print_line};
use crate::progress::Progress;
use crate::wallet::{Wallet, wire_address};

const EXAMPLES: &str = "\
Examples:
  ionet up
  ionet up --agents 4 --port 4466 --rpc-port 8899
  ionet up --dir ./network --json
  ionet up --prices list                    prices as the price list has them
  ionet up --dir ./demo --epoch-secs 30     watch hourly rewards without waiting for hours

It prints where the API and the chain answer, and runs until Ctrl-C. Everything it knows stays in the data directory: started again, it goes
on where it was, after a power cut too. Its workloads are plain processes of this machine: lend it only to people you trust.";

/// How the network is to be.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct UpArgs {
    /// Port of the API; any free one by default
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// Port of the chain's JSON-RPC, its websocket one above; any free pair by default
    #[arg(long, default_value_t = 0)]
    pub rpc_port: u16,
    /// How many agents this machine lends to the network
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(0..=256))]
    pub agents: u16,
    /// CPUs that each agent offers [default: the machine's, shared out]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub cpus_per_node: Option<u32>,
    /// What moves prices: the market, or nothing but the price list
    #[arg(long, value_enum, default_value_t = PricesArg::Market)]
    pub prices: PricesArg,
    /// File with the price list, JSON: models, reference prices in micro-USD, and words that devices are told by [default: a built-in list]
    #[arg(long, value_name = "FILE")]
    pub price_list: Option<PathBuf>,
    /// Length of an epoch in seconds, chosen when the network is founded: short ones are for demonstrations [default: 3600]
    #[arg(long, value_name = "SECS", value_parser = clap::value_parser!(u32).range(5..=86_400))]
    pub epoch_secs: Option<u32>,
}

/// What moves prices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PricesArg {
    /// Scarcity, connections, places and what suppliers ask (docs/PRICES.md).
    Market,
    /// Nothing: prices are the price list's.
    List,
}

impl UpArgs {
    /// The price list that was named, or the built-in one.
    fn price_list(&self) -> Result<PriceList> {
        let Some(path) = &self.price_list else { return Ok(PriceList::default()) };
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        PriceList::from_json(&text).map_err(|error| Failure::new(format!("{}: {error}", path.display())).exit(Exit::Usage).into())
    }
}

/// Does it.
pub async fn run(args: UpArgs, context: &Context) -> Result<Exit> {
    let progress = Progress::new(context.quiet);
    let stop = interrupt::first_ends_second_quits(&progress);
    let (wallet, _) = Wallet::read_or_create(context.wallet_path())?;
    let options = NetworkOptions {
        agents: usize::from(args.agents),
        cpus_per_agent: args.cpus_per_node,
        owner: Some(wire_address(wallet.address())),
        port: args.port,
        rpc_port: args.rpc_port,
        epoch_secs: args.epoch_secs,
        prices: args.price_list()?,
        pricing: match args.prices {
            PricesArg::Market => Pricing::Market,
            PricesArg::List => Pricing::List,
        },
    };
    let network = tokio::select! {
        () = stop.cancelled() => return Ok(Exit::Ok),
        network = LocalNetwork::start(&context.home, &options, &progress) => network?,
    };
    progress.done("network up");
    progress.clear();
    let running = network.running();
    if context.out.json {
        print_line(&serde_json::to_string(&json!({
            "url": running.url, "rpc_url": running.rpc_url, "pid": running.pid, "dir": context.home.dir(), "wallet": wallet.address().to_string(),
        }))?)?;
    } else {
        print_line(&fields(&[
            ("API", running.url.clone()),
            ("chain", running.rpc_url.clone()),
            ("data", context.home.dir().display().to_string()),
            ("wallet", wallet.address().to_string()),
            ("agents", args.agents.to_string()),
        ]))?;
        print_line("\nTry: ionet run examples/pi.py --nodes 2, or ionet clusters book. Ctrl-C stops.")?;
    }
    let ended = tokio::select! {
        () = stop.cancelled() => Ok(()),
        failed = network.failed() => Err(failed),
    };
    progress.doing("stopping the network");
    network.stop().await;
    ended.map(|()| Exit::Ok)
}
