//! `ionet agent doctor`: whether this machine is fit to be lent, and what the network says of it.

use anyhow::Result;
use clap::Args;
use ionet_agent::AgentOptions;
use ionet_agent::preflight::{self, Finding, Severity};
use ionet_types::devices::Device;
use ionet_types::rewards::Readiness;
use serde::Serialize;

use super::lent::Lent;
use super::{DirArgs, device_of};
use crate::client::Client;
use crate::context::Context;
use crate::exit::Exit;
use crate::output::{name_of, table};
use crate::views;

const EXAMPLES: &str = "\
Examples:
  ionet agent doctor
  ionet agent doctor --hub https://hub.example.com --json

Ends with 1 when something must be mended before this machine can be lent.";

/// Which machine, and which hub.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct DoctorArgs {
    /// URL of the network's hub [default: the one that was joined]
    #[arg(long, value_name = "URL")]
    pub hub: Option<String>,
    /// Where the agent is.
    #[command(flatten)]
    pub dir: DirArgs,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Report {
    findings: Vec<Finding>,
    /// What the network says of this device; absent when it does not know it or cannot be asked.
    device: Option<Device>,
    readiness: Option<Readiness>,
}

/// Does it.
pub(super) async fn run(args: DoctorArgs, context: &Context) -> Result<Exit> {
    let dir = args.dir.dir(context);
    let hub = args.hub.or(Lent::read(&dir)?.hub);
    let options = AgentOptions::new(&dir, hub.clone().unwrap_or_default());
    let findings = preflight::evaluate(&preflight::collect(&options).await);
    let (mut device, mut readiness) = (None, None);
    if let (Some(hub), Some(id)) = (hub, device_of(&dir))
        && let Ok(client) = Client::new(&hub)
    {
        device = client.device(id).await.ok();
        readiness = client.readiness(id).await.ok();
    }
    let report = Report { findings, device, readiness };
    context.out.answer(&report, shown)?;
    Ok(if fit(&report.findings) { Exit::Ok } else { Exit::Error })
}

/// Whether nothing stands in the way of lending.
pub(super) fn fit(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity < Severity::Error)
}

/// The findings as a table, with what to do below.
pub(super) fn listed(findings: &[Finding]) -> String {
    let rows = findings.iter().map(|finding| vec![name_of(&finding.severity), finding.check.clone(), finding.found.clone()]);
    let mut text = table(&["", "check", "found"], rows);
    for finding in findings {
        if let Some(remedy) = &finding.remedy {
            let mark = if finding.severity == Severity::Error { "\n! " } else { "\n- " };
            text.extend([mark, &finding.check, ": ", remedy]);
        }
    }
    text
}

fn shown(report: &Report) -> String {
    let mut text = listed(&report.findings);
    match &report.device {
        Some(device) => text.extend(["\n\n", &views::device(device)]),
        None => text.push_str("\n\nthe network does not know this device, or cannot be asked"),
    }
    if let Some(readiness) = &report.readiness {
        let checks = readiness
            .checks
            .iter()
            .map(|check| vec![if check.passed { "yes" } else { "NO" }.to_owned(), check.code.clone(), check.reason.clone()]);
        text.extend(["\n\n", &table(&["", "rewards", "found"], checks)]);
    }
    text
}
