//! `ionet agent join`: from a bare machine to one that is lent, in one command.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use clap::Args;
use ionet_agent::preflight::{self, Finding};
use ionet_agent::service::Service;
use ionet_agent::{AgentOptions, CancellationToken, DeviceKey, Link};
use ionet_types::joins::{DeviceCodeRequest, DeviceCodeStatus, DeviceCodeTokenRequest};
use ionet_types::{Address, DeviceId};
use serde::Serialize;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::doctor::{fit, listed};
use super::lent::{self, Lent};
use super::run::shown;
use super::{DirArgs, OfferArgs};
use crate::client::Client;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::interrupt;
use crate::output::{fields, name_of};
use crate::progress::Progress;

const EXAMPLES: &str = "\
Examples:
  ionet agent join --hub https://hub.example.com --label garage-1
  ionet agent join --hub https://hub.example.com --token \"$TOKEN\" --json       on each machine of a fleet
  ionet agent join --hub https://hub.example.com --no-service                  and start it by other means

Without a token it shows a code: approve it with `ionet joins approve CODE` where your wallet is. The device then belongs to that wallet.
It is installed as a service, and its status is shown until Ctrl-C; the service runs on.";

/// How long a hub may take to let the device in.
const WELCOME_TIMEOUT: Duration = Duration::from_mins(1);
/// How often the status is looked at.
const STATUS_EVERY: Duration = Duration::from_secs(2);

/// Which network, and what is lent to it.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct JoinArgs {
    /// URL of the network's hub
    #[arg(long, value_name = "URL")]
    pub hub: String,
    /// Join token, made with `ionet joins create`; a code is shown without one
    #[arg(long, value_name = "TOKEN", env = "IONET_JOIN_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Do not install a service
    #[arg(long)]
    pub no_service: bool,
    /// Join although the checks found what should be mended first
    #[arg(long)]
    pub force: bool,
    /// Where the agent is.
    #[command(flatten)]
    pub dir: DirArgs,
    /// What is lent.
    #[command(flatten)]
    pub offer: OfferArgs,
}

/// What came of it.
#[derive(Debug, Serialize)]
struct Joined {
    device: DeviceId,
    hub: String,
    /// The wallet that approved; absent where a token was given or the device had joined before.
    wallet: Option<Address>,
    findings: Vec<Finding>,
    service: ServiceOutcome,
}

/// Whether it is a service now.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum ServiceOutcome {
    Installed {
        file: String,
        log_command: String,
        advice: Option<String>,
    },
    /// It is not: run this.
    Missing {
        reason: String,
        command: String,
    },
}

/// Does it.
pub(super) async fn run(args: JoinArgs, context: &Context) -> Result<Exit> {
    let progress = Progress::new(context.quiet);
    let stop = interrupt::first_ends_second_quits(&progress);
    let dir = args.dir.dir(context);
    lent::make(&dir)?;
    let lent = Lent::of(&dir, Some(args.hub.trim_end_matches('/').to_owned()), args.offer)?;
    let options = lent.options(&dir)?;

    progress.doing("checking this machine");
    let findings = preflight::evaluate(&preflight::collect(&options).await);
    progress.aside(|| eprintln!("{}", listed(&findings)));
    if !fit(&findings) && !args.force {
        return Err(Failure::new("this machine cannot be lent yet: see what to mend above").hint("--force joins all the same").into());
    }
    let device: DeviceId = DeviceKey::load_or_create(&dir)?.device_id().parse()?;
    progress.done(&format!("this device is {device}"));

    let joining = async {
        let client = Client::new(&args.hub)?;
        let (token, wallet) = match args.token {
            Some(token) => (Some(token), None),
            None if ionet_agent::has_joined(&dir) => (None, None),
            None => approved(&client, lent.label.as_deref(), &progress).await.map(|(token, wallet)| (Some(token), wallet))?,
        };
        enrol(AgentOptions { join_token: token, ..options }, &progress).await?;
        anyhow::Ok(wallet)
    };
    let wallet = tokio::select! {
        () = stop.cancelled() => return Ok(Exit::Interrupted),
        wallet = joining => wallet?,
    };
    progress.done("the network has let this device in");
    lent.write(&dir)?;

    let service = installed(args.no_service, &dir, context)?;
    let joined = Joined { device, hub: lent.hub()?, wallet, findings, service };
    progress.aside(|| context.out.answer(&joined, text))?;
    if !context.out.json && matches!(joined.service, ServiceOutcome::Installed { .. }) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = watch_status(&joined, &progress) => {}
        }
    }
    Ok(Exit::Ok)
}

/// Shows a code, and waits until somebody has approved it.
async fn approved(client: &Client, label: Option<&str>, progress: &Progress) -> Result<(String, Option<Address>)> {
    let code = client.create_device_code(&DeviceCodeRequest { label: label.map(str::to_owned) }).await?;
    progress.say(&format!(
        "\nOpen     {}\nor run   ionet joins approve {} --url {}\n         where your wallet is. The code is {}.\n",
        code.verification_url,
        code.user_code,
        client.url(),
        code.user_code
    ));
    let question = DeviceCodeTokenRequest { device_code: code.device_code };
    let until = Instant::now() + Duration::from_secs(code.expires_in_secs.into());
    let mut interval = Duration::from_secs(code.interval_secs.clamp(1, 60).into());
    let refused =
        |what: &str, code: &str| Failure::new(what).code(code).hint("run `ionet agent join` again for a new code").exit(Exit::Refused);
    loop {
        let left = until.saturating_duration_since(Instant::now()).as_secs();
        if left == 0 {
            return Err(refused("nobody has approved the code in time", "expired").into());
        }
        progress.doing(&format!("waiting for {} to be approved, {} min {:02} s left", code.user_code, left / 60, left % 60));
        sleep(interval).await;
        let answer = client.device_code_token(&question).await?;
        match answer.status {
            DeviceCodeStatus::Pending => {}
            // As RFC 8628 wants it.
            DeviceCodeStatus::SlowDown => interval += Duration::from_secs(5),
            DeviceCodeStatus::Denied => return Err(refused("the device was turned away", "denied").into()),
            DeviceCodeStatus::Expired => return Err(refused("the code is too old", "expired").into()),
            DeviceCodeStatus::Approved => {
                let token = answer.join_token.ok_or_else(|| refused("the network approved the device and gave it no token", "expired"))?;
                let wallet = answer.wallet.map_or_else(|| "a wallet".to_owned(), |wallet| wallet.to_string());
                progress.done(&format!("approved by {wallet}; this device will be its own"));
                return Ok((token, answer.wallet));
            }
        }
    }
}

/// Runs the agent until the network has let the device in and given it its credential.
async fn enrol(options: AgentOptions, progress: &Progress) -> Result<()> {
    progress.doing("connecting");
    let (told, mut link) = watch::channel(Link::default());
    let stop = CancellationToken::new();
    let agent = ionet_agent::run(AgentOptions { link: Some(told), ..options }, stop.clone());
    let welcomed = async {
        loop {
            let now = link.borrow_and_update().clone();
            match now {
                Link::Connected { has_credential: true } => return Ok(()),
                Link::Refused { code, message } => {
                    return Err(Failure::new(format!("the network does not let this device in: {message}")).code(code).exit(Exit::Refused));
                }
                Link::Connecting | Link::Connected { .. } | Link::Broken { .. } => {}
            }
            progress.doing(&shown(&now));
            if link.changed().await.is_err() {
                return Err(Failure::new("the agent ended"));
            }
        }
    };
    tokio::pin!(agent);
    tokio::select! {
        ended = &mut agent => return Err(ended.err().map_or_else(|| Failure::new("the agent ended").into(), anyhow::Error::new)),
        welcomed = timeout(WELCOME_TIMEOUT, welcomed) => match welcomed {
            Ok(welcomed) => welcomed?,
            Err(_) => return Err(Failure::new("the hub did not let this device in in time").hint("try again; see `ionet agent doctor`").exit(Exit::Unreachable).into()),
        },
    }
    stop.cancel();
    Ok(agent.await?)
}

/// Installs the service. That this fails is no reason to fail the join: then the command to run is told.
fn installed(not_wanted: bool, dir: &Path, context: &Context) -> Result<ServiceOutcome> {
    let program = lent::program(dir, context.home.dir())?;
    let command = program.command_line();
    if not_wanted {
        return Ok(ServiceOutcome::Missing { reason: "not wanted".to_owned(), command });
    }
    Ok(match Service::find().and_then(|service| service.install(&program)) {
        Ok(done) => ServiceOutcome::Installed { file: done.file.display().to_string(), log_command: done.log_command, advice: done.advice },
        Err(error) => ServiceOutcome::Missing { reason: error.to_string(), command },
    })
}

fn text(joined: &Joined) -> String {
    let mut rows = vec![("device", joined.device.to_string()), ("hub", joined.hub.clone())];
    rows.extend(joined.wallet.map(|wallet| ("owner", wallet.to_string())));
    match &joined.service {
        ServiceOutcome::Installed { file, log_command, advice } => {
            rows.extend([("service", file.clone()), ("log", log_command.clone())]);
            rows.extend(advice.clone().map(|advice| ("note", advice)));
        }
        ServiceOutcome::Missing { reason, command } => {
            rows.extend([("service", format!("none: {reason}")), ("run", command.clone())]);
        }
    }
    fields(&rows)
}

/// Shows how the device is whenever that changes, for ever.
async fn watch_status(joined: &Joined, progress: &Progress) {
    let Ok(client) = Client::new(&joined.hub) else { return };
    progress.say("\nstatus, until Ctrl-C; the service runs on:");
    let mut last = String::new();
    loop {
        let now = match client.device(joined.device).await {
            Ok(device) => format!("{}, {}: {}", name_of(&device.connection), name_of(&device.status.state), device.status.detail),
            Err(_) => "the network cannot be asked".to_owned(),
        };
        if now != last {
            progress.done(&now);
            last = now;
        }
        progress.doing(&last);
        sleep(STATUS_EVERY).await;
    }
}
