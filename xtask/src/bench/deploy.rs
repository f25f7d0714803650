//! `bench deploy`: from *booking accepted* to *Ray ready*, against `ray start` by hand for the same two nodes, in turns, on the same machine.
//!
//! By hand is what a person does who has the machines already: `ray start --head`, then `ray start --address`, with the very Ray that the
//! agent uses. Both sides are ready when the Jobs API answers and both nodes are alive.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::{built, machine};
use crate::shell::{self, cargo, root};

/// Rounds, after one that warms the caches of both sides.
const ROUNDS: usize = 5;
/// How long one side may take.
const PATIENCE: Duration = Duration::from_mins(2);

/// Measures; returns the machine, and method, figures and ratio.
pub(super) fn measure() -> anyhow::Result<(Value, Value)> {
    shell::run(cargo().args(["build", "--release", "--quiet", "-p", "ionet"]))?;
    let home = Scratch::new("ionet-bench")?;
    let machine = machine();
    eprintln!("warming up");
    let binary = built("ionet")?;
    booked_to_running(&binary, home.path())?;
    let ray = warm_ray()?;
    by_hand(&ray)?;
    let mut ours = Vec::new();
    let mut hands = Vec::new();
    for round in 1..=ROUNDS {
        hands.push(by_hand(&ray)?);
        ours.push(booked_to_running(&binary, home.path())?);
        eprintln!("round {round} of {ROUNDS}: by hand {} ms, ionet {} ms", hands[round - 1], ours[round - 1]);
    }
    let (ours_median, hands_median) = (median(&ours), median(&hands));
    #[expect(clippy::cast_precision_loss, reason = "a ratio of milliseconds")]
    let ratio = ours_median as f64 / hands_median as f64;
    let figures = json!({
        "method": "median of rounds in turns; ionet: booking accepted on chain to cluster running, as `ionet run --json` reports it \
                   (both payments, placement, Ray on two agents, the start on chain); by hand: `ray start --head` and `ray start --address` \
                   from the same installation until the Jobs API answers and both nodes are alive; wanted ratio: at most 1.25",
        "rounds": ROUNDS,
        "ionet_millis": ours,
        "by_hand_millis": hands,
        "ionet_median_millis": ours_median,
        "by_hand_median_millis": hands_median,
        "ratio": ratio,
    });
    Ok((machine, figures))
}

fn median(values: &[u64]) -> u64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

fn booked_to_running(binary: &Path, home: &Path) -> anyhow::Result<u64> {
    let printed = shell::output(
        Command::new(binary).current_dir(root()).args(["run", "examples/pi.py", "--nodes", "2", "--json", "--quiet", "--dir"]).arg(home),
    )?;
    let report: Value = serde_json::from_str(&printed).context("`ionet run --json` did not print one JSON object")?;
    let at = |name: &str| report["timings_millis"][name].as_u64().with_context(|| format!("no timing `{name}`"));
    Ok(at("running")?.saturating_sub(at("booked")?))
}

/// The Ray that the agent installed.
fn warm_ray() -> anyhow::Result<PathBuf> {
    let cache = std::env::var_os("IONET_CACHE_DIR")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/ionet")));
    let cache = cache.context("neither IONET_CACHE_DIR nor HOME is set")?;
    for entry in fs::read_dir(&cache).with_context(|| format!("cannot read {}", cache.display()))? {
        let ray = entry?.path().join("bin/ray");
        if ray.exists() {
            return Ok(ray);
        }
    }
    bail!("no Ray below {}", cache.display())
}

fn by_hand(ray: &Path) -> anyhow::Result<u64> {
    let scratch = Scratch::new("ray-by-hand")?;
    let (gcs, dashboard) = (free_port()?, free_port()?);
    let bin = ray.parent().context("ray is in a folder")?;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap_or_default());
    let start = |arguments: &[String]| {
        shell::run(
            Command::new(ray)
                .arg("start")
                .args(arguments)
                .args(["--num-cpus=1", "--object-store-memory=200000000", "--disable-usage-stats"])
                .env("PATH", &path)
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )
    };
    let began = Instant::now();
    let ready = start(&[
        "--head".to_owned(),
        format!("--port={gcs}"),
        format!("--dashboard-port={dashboard}"),
        format!("--temp-dir={}", scratch.path().display()),
    ])
    .and_then(|()| {
        let address = head_address(scratch.path())?;
        start(&[format!("--address={address}")])?;
        wait_ready(dashboard, began)
    });
    end_processes_of(scratch.path());
    ready
}

/// The address that the head wrote down for others.
fn head_address(temp_dir: &Path) -> anyhow::Result<String> {
    let file = temp_dir.join("ray_current_cluster");
    Ok(fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?.trim().to_owned())
}

fn wait_ready(dashboard: u16, began: Instant) -> anyhow::Result<u64> {
    while began.elapsed() < PATIENCE {
        let nodes = get(dashboard, "/nodes?view=summary").unwrap_or_default();
        if nodes.matches("\"ALIVE\"").count() >= 2 && get(dashboard, "/api/jobs/").is_some() {
            return Ok(u64::try_from(began.elapsed().as_millis())?);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    bail!("Ray by hand was not ready within {} s", PATIENCE.as_secs())
}

/// Body of a successful answer.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    answer.split_once("\r\n\r\n").filter(|(head, _)| head.contains(" 200 ")).map(|(_, body)| body.to_owned())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Ends what was started with this folder on its command line, and waits until it is gone; the rest of Ray's processes follow their node.
fn end_processes_of(folder: &Path) {
    let mark = folder.display().to_string();
    let began = Instant::now();
    loop {
        let found: Vec<u32> = fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter(|process| *process != std::process::id())
            .filter(|process| {
                fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|words| String::from_utf8_lossy(&words).contains(&mark))
            })
            .collect();
        if found.is_empty() || began.elapsed() > Duration::from_secs(20) {
            return;
        }
        for process in found {
            // Gone already is as good.
            drop(Command::new("kill").args(["-KILL", &process.to_string()]).stderr(Stdio::null()).status());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A folder with a short name (Ray's sockets have little room), removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("{name}-{}", std::process::id()));
        fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
        Ok(Self(path))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}
