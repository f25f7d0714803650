//! `ionet agent run`: lends this machine until it is told to stop.

use anyhow::Result;
use clap::Args;
use ionet_agent::{AgentOptions, Link};
use ionet_types::Address;
use tokio::sync::watch;

use super::lent::Lent;
use super::{DirArgs, OfferArgs};
use crate::context::Context;
use crate::exit::Exit;
use crate::interrupt;
use crate::progress::{Line, Progress};

const EXAMPLES: &str = "\
Examples:
  ionet agent run                                   as it was chosen when the machine joined
  ionet agent run --hub http://127.0.0.1:4466 --token \"$TOKEN\" --cpus 4 --memory-mb 8192

Workloads run as plain processes of this user: lend it only to a network whose customers you trust. A paid workload runs on when the hub is
out of reach, until its lease ends; an agent that is started again finds its workloads.";

/// What is lent, and to whom.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct RunArgs {
    /// URL of the network's hub [default: the one that was joined]
    #[arg(long, value_name = "URL")]
    pub hub: Option<String>,
    /// Join token, for a device that the network does not know yet
    #[arg(long, value_name = "TOKEN", env = "IONET_JOIN_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Wallet that the device names as its owner, where the network lets in devices without a token
    #[arg(long, value_name = "WALLET")]
    pub owner: Option<Address>,
    /// Where the agent is.
    #[command(flatten)]
    pub dir: DirArgs,
    /// What is lent.
    #[command(flatten)]
    pub offer: OfferArgs,
}

/// Does it.
pub(super) async fn run(args: RunArgs, context: &Context) -> Result<Exit> {
    let progress = Progress::new(context.quiet);
    let stop = interrupt::first_ends_second_quits(&progress);
    let dir = args.dir.dir(context);
    let (told, link) = watch::channel(Link::default());
    let options = AgentOptions {
        owner: args.owner,
        join_token: args.token,
        link: Some(told),
        ..Lent::of(&dir, args.hub, args.offer)?.options(&dir)?
    };
    progress.say("this machine is lent; Ctrl-C stops");
    let shown = progress.line();
    tokio::select! {
        ended = ionet_agent::run(options, stop) => ended?,
        () = tell(link, shown) => {}
    }
    Ok(Exit::Ok)
}

/// Says whenever the connection changes.
async fn tell(mut link: watch::Receiver<Link>, to: Line) {
    let mut said = None;
    while link.changed().await.is_ok() {
        let now = shown(&link.borrow_and_update());
        if said.as_ref() != Some(&now) {
            to.say(&now);
            said = Some(now);
        }
    }
    std::future::pending::<()>().await;
}

/// How the connection is, for a person.
pub(super) fn shown(link: &Link) -> String {
    match link {
        Link::Connecting => "connecting".to_owned(),
        Link::Connected { .. } => "connected".to_owned(),
        Link::Refused { code, message } => format!("the network does not let this device in ({code}): {message}"),
        Link::Broken { reason } => format!("no connection: {reason}"),
    }
}
