//! `ionet agent`: lends this machine to a network.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args, Subcommand};
use ionet_types::market::{Country, ShortName};

use crate::context::Context;
use crate::exit::Exit;

mod doctor;
mod join;
mod lent;
mod run;
mod service;

/// What to do about lending this machine.
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Join a network: check this machine, sign it in, and install it as a service
    Join(join::JoinArgs),
    /// Lend this machine until Ctrl-C; what the service runs
    Run(run::RunArgs),
    /// Check this machine, and what the network says of it
    Doctor(doctor::DoctorArgs),
    /// The service that lends this machine
    #[command(subcommand)]
    Service(service::ServiceCommand),
}

/// Where the agent keeps its own things.
#[derive(Debug, Clone, Args)]
pub struct DirArgs {
    /// The agent's own directory: its key and its workloads [default: agents/lent in the data directory]
    #[arg(long, value_name = "DIR")]
    pub agent_dir: Option<PathBuf>,
}

impl DirArgs {
    fn dir(&self, context: &Context) -> PathBuf {
        self.agent_dir.clone().unwrap_or_else(|| context.home.dir().join("agents/lent"))
    }
}

/// What is lent.
#[derive(Debug, Clone, Args)]
pub struct OfferArgs {
    /// A name to tell devices apart
    #[arg(long)]
    pub label: Option<String>,
    /// Country that the machine is in: two letters, such as DE. Customers choose by it
    #[arg(long, value_name = "CC")]
    pub country: Option<Country>,
    /// Data centre, room or rack: machines of one site are close together
    #[arg(long, value_name = "NAME")]
    pub site: Option<ShortName>,
    /// Let several customers share this machine, each with GPUs, or a part of one, of its own [default: no]. Machines without GPUs are given
    /// whole either way
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub share: Option<bool>,
    /// Logical CPUs to offer [default: all]
    #[arg(long, value_name = "N")]
    pub cpus: Option<u32>,
    /// Memory to offer, MiB [default: all]
    #[arg(long, value_name = "MIB")]
    pub memory_mb: Option<u64>,
    /// Address of this machine under which the nodes of a cluster find each other [default: 127.0.0.1]
    #[arg(long, value_name = "IP")]
    pub node_ip: Option<IpAddr>,
}

/// Does it.
pub async fn run(command: AgentCommand, context: &Context) -> Result<Exit> {
    match command {
        AgentCommand::Join(args) => Box::pin(join::run(args, context)).await,
        AgentCommand::Run(args) => run::run(args, context).await,
        AgentCommand::Doctor(args) => doctor::run(args, context).await,
        AgentCommand::Service(command) => service::run(command, context),
    }
}

/// The device's id, if the directory has a key.
fn device_of(dir: &Path) -> Option<ionet_types::DeviceId> {
    dir.join("device.key").exists().then(|| ionet_agent::DeviceKey::load_or_create(dir).ok()?.device_id().parse().ok()).flatten()
}
