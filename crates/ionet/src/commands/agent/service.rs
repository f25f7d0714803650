//! `ionet agent service`: the agent as a service of this machine.

use anyhow::Result;
use clap::Subcommand;
use ionet_agent::service::{Service, ServiceError, Status};
use serde_json::json;

use super::DirArgs;
use super::lent::{Lent, program};
use crate::context::Context;
use crate::exit::{Exit, Failure};

/// What to do with the service.
#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// Install and start it: systemd, or launchd on macOS
    #[command(after_help = "Examples:\n  ionet agent service install\n  sudo ionet agent service install --agent-dir /var/lib/ionet-agent")]
    Install {
        /// Where the agent is.
        #[command(flatten)]
        dir: DirArgs,
    },
    /// Stop it and take it away; what customers paid for runs on until its lease ends
    #[command(after_help = "Examples:\n  ionet agent service remove")]
    Remove,
    /// Say whether it runs
    #[command(after_help = "Examples:\n  ionet agent service status --json")]
    Status,
}

/// Does it.
pub(super) fn run(command: ServiceCommand, context: &Context) -> Result<Exit> {
    let service = Service::find().map_err(explained)?;
    match command {
        ServiceCommand::Install { dir } => {
            let dir = dir.dir(context);
            Lent::read(&dir)?.hub()?;
            let installed = service.install(&program(&dir, context.home.dir())?).map_err(explained)?;
            let answer = json!({ "installed": installed.file, "log": installed.log_command, "advice": installed.advice });
            context.out.answer(&answer, |_| {
                let advice = installed.advice.as_ref().map_or_else(String::new, |advice| format!("\n{advice}"));
                format!("installed and started: {}\nsee what it does with `{}`{advice}", installed.file.display(), installed.log_command)
            })?;
        }
        ServiceCommand::Remove => {
            service.remove().map_err(explained)?;
            context.out.answer(&json!({ "removed": service.file() }), |_| format!("removed: {}", service.file().display()))?;
        }
        ServiceCommand::Status => {
            let status = service.status();
            let name = match status {
                Status::Absent => "absent",
                Status::Stopped => "stopped",
                Status::Running => "running",
            };
            context.out.answer(&json!({ "status": name, "file": service.file() }), |_| format!("{name}: {}", service.file().display()))?;
        }
    }
    Ok(Exit::Ok)
}

fn explained(error: ServiceError) -> anyhow::Error {
    let failure = Failure::new("the service cannot be managed here").code(error.code());
    let hint = match &error {
        ServiceError::NoManager => "keep `ionet agent run` running by other means, such as a container's restart policy",
        ServiceError::File { .. } => "check who may write there, or use sudo for a service of the whole machine",
        ServiceError::Manager { .. } => "see what `systemctl status` says; over ssh, `loginctl enable-linger` may be needed first",
    };
    anyhow::Error::new(error).context(failure.hint(hint))
}
