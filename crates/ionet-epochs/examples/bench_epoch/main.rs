//! How long closing an epoch takes, and how much memory: for three sizes of network, against a plain version of the same.
//!
//! `cargo run --release -p ionet-epochs --example bench_epoch` prints one JSON object. Each measurement runs in a process of its own, so that
//! its peak memory is its own.
#![expect(clippy::cast_precision_loss, reason = "milliseconds and counts are far below 2^53")]

mod fleet;
mod plain;

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use ionet_epochs::{Closed, Totals, close, read};
use serde_json::{Value, json};

use fleet::Fleet;

const METHOD: &str = "an epoch of many devices of a realistic mix (GPU and CPU, four tests each, some hired, some co-staked, one in ten failing a \
    check), on top of the lifetime totals of the epoch before. Timed: from the collected, unordered inputs to the published file: ordering and \
    checking them, allocation, lifetime totals, roots and tree (close), and writing the file with its hashes (to a temporary file, not synced); \
    verify is reading that file back and replaying it to the same root. plain: the same rules on one core, with maps keyed by base58 text, a \
    tree of its own and a file of JSON lines; it must reach the same root. Each round is a process of its own with its own peak memory (VmHWM); \
    the rounds of both alternate; medians; cpu is processor time of all threads over the same span. Wanted for 1,000,000 devices on 2 cores: at most 5 s and 2 GiB.";
const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
const ROUNDS: usize = 3;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let printed = match words.as_slice() {
        [] => all()?,
        ["ours", devices] => ours(devices.parse()?)?,
        ["plain", devices] => plain_version(devices.parse()?)?,
        _ => bail!("no arguments, or `ours N`, or `plain N`"),
    };
    println!("{printed}");
    Ok(())
}

/// All sizes, each round in a process of its own.
fn all() -> anyhow::Result<Value> {
    let mut sizes = Vec::new();
    for devices in SIZES {
        let (mut ours, mut plain) = (Vec::new(), Vec::new());
        for round in 1..=ROUNDS {
            plain.push(child("plain", devices)?);
            ours.push(child("ours", devices)?);
            let last = |rounds: &[Value]| rounds.last().map(|one| one["total_millis"].to_string()).unwrap_or_default();
            eprintln!("{devices} devices, round {round} of {ROUNDS}: plain {} ms, ionet {} ms", last(&plain), last(&ours));
        }
        ensure!(ours.iter().chain(&plain).all(|one| one["root"] == ours[0]["root"]), "the roots differ at {devices} devices");
        let ours = medians(&ours);
        let plain = medians(&plain);
        let ratio = number(&plain, "total_millis")? / number(&ours, "total_millis")?;
        sizes.push(json!({ "devices": devices, "ionet": ours, "plain": plain, "plain_to_ionet_time_ratio": rounded(ratio) }));
    }
    let millis: Vec<f64> = sizes.iter().map(|size| number(&size["ionet"], "total_millis")).collect::<Result<_, _>>()?;
    let growth: Vec<Value> = millis.windows(2).map(|pair| rounded(pair[1] / pair[0])).collect();
    let largest = sizes.last().context("at least one size")?;
    let within = number(&largest["ionet"], "total_millis")? <= 5_000.0 && number(&largest["ionet"], "peak_memory_mib")? <= 2_048.0;
    Ok(json!({
        "method": METHOD,
        "rounds": ROUNDS,
        "growth_per_tenfold_devices": growth,
        "largest_within_5_s_and_2_gib": within,
        "sizes": sizes,
    }))
}

fn number(of: &Value, name: &str) -> anyhow::Result<f64> {
    of[name].as_f64().with_context(|| format!("no figure `{name}`"))
}

/// A figure to one decimal: no clock here is better than that.
fn rounded(figure: f64) -> Value {
    json!((figure * 10.0).round() / 10.0)
}

/// The median of each figure, figure by figure.
fn medians(rounds: &[Value]) -> Value {
    let names = rounds.first().and_then(Value::as_object).into_iter().flat_map(|one| one.keys());
    let figures = names.filter_map(|name| {
        let mut values: Vec<f64> = rounds.iter().filter_map(|round| round[name].as_f64()).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).map(|median| (name.clone(), rounded(*median)))
    });
    Value::Object(figures.collect())
}

fn child(version: &str, devices: usize) -> anyhow::Result<Value> {
    let output = Command::new(std::env::current_exe()?).args([version, &devices.to_string()]).output()?;
    ensure!(output.status.success(), "{version} {devices}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// A file that is gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("ionet-bench-epoch-{name}-{}", std::process::id())))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

fn ours(devices: usize) -> anyhow::Result<Value> {
    let fleet = Fleet { devices };
    let totals_before = first_epoch(&fleet)?.totals;
    let draft = fleet.draft(2)?;
    let file = Scratch::new("ours");

    let (began, cpu_began) = (Instant::now(), cpu_millis()?);
    let inputs = draft.seal()?;
    let sealed = began.elapsed();
    let closed = close(inputs, &totals_before)?;
    let closed_at = began.elapsed();
    let mut out = BufWriter::new(File::create(file.path())?);
    closed.write(&mut out)?;
    drop(out);
    let total = began.elapsed();

    let (cpu, peak) = (cpu_millis()? - cpu_began, peak_memory_mib()?);
    let (root, bytes) = (closed.root(), fs::metadata(file.path())?.len());
    ensure!(closed.allocation.sums.passed * 10 >= devices as u64 * 8, "most devices earn");
    drop(closed);
    let began = Instant::now();
    let replayed = read(&mut BufReader::new(File::open(file.path())?))?.replay()?;
    let verify = began.elapsed();
    ensure!(replayed.root() == root, "the replay has another root");
    Ok(json!({
        "order_millis": sealed.as_secs_f64() * 1e3,
        "close_millis": closed_at.saturating_sub(sealed).as_secs_f64() * 1e3,
        "write_millis": total.saturating_sub(closed_at).as_secs_f64() * 1e3,
        "total_millis": total.as_secs_f64() * 1e3,
        "cpu_millis": cpu,
        "verify_millis": verify.as_secs_f64() * 1e3,
        "peak_memory_mib": peak,
        "file_mib": bytes as f64 / f64::from(1 << 20),
        "root": hex::encode(root),
    }))
}

fn plain_version(devices: usize) -> anyhow::Result<Value> {
    let fleet = Fleet { devices };
    let before = first_epoch(&fleet)?.totals;
    let before = before.records().iter().map(|total| (total.beneficiary, (total.io.0, total.usdc.0)));
    let before = before.map(|(beneficiary, total)| (ionet_epochs::base58(&beneficiary), total)).collect();
    let rows = fleet.rows(2);
    let file = Scratch::new("plain");
    let (began, cpu_began) = (Instant::now(), cpu_millis()?);
    let mut out = BufWriter::new(File::create(file.path())?);
    let root = plain::close(&fleet::epoch(2), &rows, before, &mut out)?;
    drop(out);
    let total = began.elapsed();
    Ok(json!({
        "total_millis": total.as_secs_f64() * 1e3,
        "cpu_millis": cpu_millis()? - cpu_began,
        "peak_memory_mib": peak_memory_mib()?,
        "file_mib": fs::metadata(file.path())?.len() as f64 / f64::from(1 << 20),
        "root": hex::encode(root),
    }))
}

fn first_epoch(fleet: &Fleet) -> anyhow::Result<Closed> {
    Ok(close(fleet.draft(1)?.seal()?, &Totals::none())?)
}

/// Processor time that all threads of this process have used so far: unlike the clock, it hardly depends on what else the machine does.
fn cpu_millis() -> anyhow::Result<f64> {
    /// Length of a tick of /proc/PID/stat, the same on every Linux.
    const TICK_MILLIS: f64 = 10.0;
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').context("no name in /proc/self/stat")?;
    // Counted from the state, which follows the name: user time is field 11, system time field 12.
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
    Ok(ticks * TICK_MILLIS)
}

/// The most memory that this process has had so far.
fn peak_memory_mib() -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc/self/status")?;
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1_024.0)
}
