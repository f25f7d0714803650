//! `cargo xtask bench NAME`: runs a benchmark program, prints its method and figures, and keeps them with the machine's description.

mod deploy;
mod fleet;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::shell::{self, cargo, output, root};

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct BenchOptions {
    /// Which benchmark.
    name: Name,
    /// Folder with what the benchmark reads; only `trace` reads anything [default: ../shared/data/gpu-trace-2023].
    data: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// Lifecycle transactions per second of the durable local chain, against bare LiteSVM.
    Ledger,
    /// Booking accepted to Ray ready, against `ray start` by hand.
    Deploy,
    /// Closing an epoch of up to a million devices: time, memory, growth, against a plain version.
    Epoch,
    /// Liveness of a million devices: signed heartbeats a second, memory, answers meanwhile, against a plain version.
    Fleet,
    /// Placements among up to a million devices: rate, tails, updates, memory, growth, against a plain scan.
    Placement,
    /// How much of a production GPU cluster placement can use, against published schedulers.
    Trace,
    /// Hardware challenges: what they cost the device and the hub, against plain BLAS crates.
    Proofs,
    /// Hardware challenges on the NVIDIA cards of this machine: how long each stage takes against its deadline. Nothing is written without a card.
    Cards,
}

pub(crate) fn run(options: &BenchOptions) -> anyhow::Result<()> {
    let (name, (machine, figures)) = match options.name {
        Name::Ledger => ("ledger", measured_by("bench_ledger", None)?),
        Name::Deploy => ("deploy", deploy::measure()?),
        Name::Epoch => ("epoch", measured_by("bench_epoch", None)?),
        Name::Fleet => ("fleet", fleet::measure()?),
        Name::Placement => ("placement", measured_by("bench_placement", None)?),
        Name::Trace => {
            let data = options.data.clone().unwrap_or_else(|| root().join("../shared/data/gpu-trace-2023"));
            let data = data.canonicalize().with_context(|| {
                format!("{} is not there: name the folder of the trace, as in `cargo xtask bench trace FOLDER`", data.display())
            })?;
            ("trace", measured_by("bench_trace", Some(&data))?)
        }
        Name::Proofs => ("proofs", measured_by("bench_proofs", None)?),
        Name::Cards => ("cards", measured_by("bench_cards", None)?),
    };
    let result = json!({ "benchmark": name, "machine": machine, "figures": figures });
    let text = format!("{}\n", serde_json::to_string_pretty(&result)?);
    let results = root().join("bench/results");
    fs::create_dir_all(&results).with_context(|| format!("could not create {}", results.display()))?;
    let path = results.join(format!("{name}.json"));
    fs::write(&path, &text).with_context(|| format!("could not write {}", path.display()))?;
    print!("{text}");
    Ok(())
}

/// Machine and figures. The measuring program, an example of one of the crates, prints one JSON object: method, figures and ratio.
fn measured_by(example: &str, data: Option<&Path>) -> anyhow::Result<(Value, Value)> {
    // As a part of the whole workspace, so that dependencies are those of the tests and not compiled once more.
    shell::run(cargo().args(["build", "--release", "--quiet", "--workspace", "--example", example]))?;
    let machine = machine();
    let printed = output(Command::new(built("examples")?.join(example)).args(data).current_dir(root()))?;
    let figures = serde_json::from_str(printed.trim()).with_context(|| format!("{example} did not print one JSON object"))?;
    Ok((machine, figures))
}

/// Something that cargo has just built: it stands beside this task runner.
fn built(name: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name(name);
    ensure!(path.exists(), "{} is missing", path.display());
    Ok(path)
}

/// What the figures were measured on, and how busy it was just before.
fn machine() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim_start_matches([':', ' ', '\t']).trim().to_owned())
    };
    json!({
        "cpu": field(&read("/proc/cpuinfo"), "model name"),
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
        "memory": field(&read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "load_average_before": read("/proc/loadavg").split(' ').next(),
    })
}
