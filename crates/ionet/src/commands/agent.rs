//! `ionet agent`: lends this machine to a network.

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use ionet_agent::AgentOptions;
use ionet_types::Address;

use crate::context::Context;
use crate::interrupt;
use crate::progress::Progress;

const EXAMPLES: &str = "\
Examples:
  ionet agent --hub https://hub.example.com --label garage-1
  ionet agent --hub http://127.0.0.1:4466 --cpus 4 --memory-mb 8192
  ionet agent --hub https://hub.example.com --owner 7qbR...   who stakes on it and is paid for it

Workloads run as plain processes of this user: lend it only to a network whose customers you trust. A paid workload runs on when the hub is
out of reach, until its lease ends; an agent that is started again finds its workloads.";

/// What is lent, and to whom.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct AgentArgs {
    /// URL of the network's hub
    #[arg(long, value_name = "URL")]
    pub hub: String,
    /// The agent's own directory: its key and its workloads [default: agents/lent in the data directory]
    #[arg(long, value_name = "DIR")]
    pub agent_dir: Option<PathBuf>,
    /// A name to tell devices apart
    #[arg(long)]
    pub label: Option<String>,
    /// Wallet that owns the device: only it can register it, stake on it and choose where its rewards go
    #[arg(long, value_name = "WALLET")]
    pub owner: Option<Address>,
    /// Logical CPUs to offer [default: all]
    #[arg(long, value_name = "N")]
    pub cpus: Option<u32>,
    /// Memory to offer, MiB [default: all]
    #[arg(long, value_name = "MIB")]
    pub memory_mb: Option<u64>,
    /// Address of this machine under which the nodes of a cluster find each other
    #[arg(long, value_name = "IP", default_value = "127.0.0.1")]
    pub node_ip: IpAddr,
}

/// Does it.
pub async fn run(args: AgentArgs, context: &Context) -> Result<()> {
    let progress = Progress::new(context.quiet);
    let stop = interrupt::first_ends_second_quits(&progress);
    let dir = args.agent_dir.unwrap_or_else(|| context.home.dir().join("agents/lent"));
    let options = AgentOptions {
        label: args.label,
        owner: args.owner,
        cpus: args.cpus,
        memory_mb: args.memory_mb,
        node_ip: args.node_ip,
        ..AgentOptions::new(dir, args.hub)
    };
    progress.say("this machine is lent; Ctrl-C stops");
    Ok(ionet_agent::run(options, stop).await?)
}
