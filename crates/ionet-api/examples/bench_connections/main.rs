//! Part of `cargo xtask bench fleet`: how many agents one hub holds on real connections, what each costs it in memory, and how long it takes
//! until all are back after they have lost it at the same moment. Prints one JSON object.
//!
//! The hub, its API and its chain run in this process; the agents in another one, so that neither runs out of file descriptors and memory
//! is the hub's alone.

mod agents;
mod hub;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::json;

/// Connections held at once.
const AGENTS: u16 = 10_000;
/// How long all of them are watched while they only send heartbeats.
const QUIET: Duration = Duration::from_secs(20);

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next()) {
        (Some("agents"), Some(base)) => runtime()?.block_on(agents::run(base, usize::from(AGENTS))),
        (None, None) => runtime()?.block_on(measure()),
        _ => bail!("bench_connections takes no arguments"),
    }
}

fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

async fn measure() -> anyhow::Result<()> {
    let hub = hub::Running::start().await?;
    let empty_bytes = resident_bytes()?;
    let begun = Instant::now();
    let mut agents = Agents::start(&hub.base)?;
    let first_secs = agents.all_welcomed()?;
    ensure!(hub.connected() == usize::from(AGENTS), "{} of {AGENTS} agents are connected", hub.connected());
    let held_bytes = resident_bytes()?;
    tokio::time::sleep(QUIET).await;
    ensure!(hub.connected() == usize::from(AGENTS), "connections were lost while nothing happened: {} are left", hub.connected());
    let quiet_bytes = resident_bytes()?;
    // All lose the hub at once and come back as fast as they can, with their next credential.
    agents.again()?;
    let storm_secs = agents.all_welcomed()?;
    hub.wait_for(usize::from(AGENTS), Duration::from_mins(1)).await?;
    let after_bytes = resident_bytes()?;
    let per = |bytes: u64| bytes.saturating_sub(empty_bytes) / u64::from(AGENTS);
    let figures = json!({
        "method": "one hub with its API, store and chain in one process; 10,000 agents in another, over loopback websockets: signed hello, \
                   credential stored and presented, heartbeats every 30 s; memory is the hub process's resident size less that before the \
                   first agent; the storm: all agents drop their connection at once and connect again at once",
        "agents": AGENTS,
        "first_connection_of_all_secs": first_secs,
        "new_devices_per_sec": (f64::from(AGENTS) / first_secs).round(),
        "bytes_per_connection": per(held_bytes),
        "bytes_per_connection_after_20_s": per(quiet_bytes),
        "reconnect_storm_secs": storm_secs,
        "reconnections_per_sec": (f64::from(AGENTS) / storm_secs).round(),
        "bytes_per_connection_after_the_storm": per(after_bytes),
        "whole_run_secs": begun.elapsed().as_secs(),
    });
    println!("{figures}");
    Ok(())
}

/// The other process.
struct Agents {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Agents {
    fn start(base: &str) -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("this program has no path")?;
        let mut child = Command::new(program).args(["agents", base]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let said = BufReader::new(child.stdout.take().context("the agents' output is piped")?);
        Ok(Self { child, said })
    }

    /// Tells all agents to drop their connections and to connect again.
    fn again(&mut self) -> anyhow::Result<()> {
        let told = self.child.stdin.as_mut().context("the agents' input is piped")?;
        told.write_all(b"again\n")?;
        Ok(told.flush()?)
    }

    /// Waits until every agent was welcomed; how long they took, seconds.
    fn all_welcomed(&mut self) -> anyhow::Result<f64> {
        let mut line = String::new();
        // The hub runs on the other threads of the runtime.
        tokio::task::block_in_place(|| self.said.read_line(&mut line))?;
        line.trim().parse().with_context(|| format!("the agents said {line:?}"))
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Resident memory of this process.
fn resident_bytes() -> anyhow::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("memory can be read on Linux only")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS in /proc/self/status")?;
    let kib: u64 = line.trim().trim_end_matches(" kB").trim().parse().context("VmRSS is no number")?;
    Ok(kib * 1_024)
}
