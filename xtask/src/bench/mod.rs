//! `cargo xtask bench NAME`: runs a benchmark program, prints its method and figures, and keeps them with the machine's description.

mod deploy;

use std::fs;

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::shell::{cargo, output, root};

/// Options of `cargo xtask bench`.
#[derive(Args)]
pub(crate) struct BenchOptions {
    /// Which benchmark.
    name: Name,
}

#[derive(Clone, Copy, ValueEnum)]
enum Name {
    /// Lifecycle transactions per second of the durable local chain, against bare LiteSVM.
    Ledger,
    /// Booking accepted to Ray ready, against `ray start` by hand.
    Deploy,
}

pub(crate) fn run(options: &BenchOptions) -> anyhow::Result<()> {
    let (name, figures) = match options.name {
        Name::Ledger => ("ledger", ledger()?),
        Name::Deploy => ("deploy", deploy::measure()?),
    };
    let result = json!({ "benchmark": name, "machine": machine(), "figures": figures });
    let text = format!("{}\n", serde_json::to_string_pretty(&result)?);
    let path = root().join("bench/results").join(format!("{name}.json"));
    fs::write(&path, &text).with_context(|| format!("could not write {}", path.display()))?;
    print!("{text}");
    Ok(())
}

/// The measuring program prints one JSON object: method, figures and ratio.
fn ledger() -> anyhow::Result<Value> {
    let printed = output(cargo().args(["run", "--release", "--quiet", "-p", "ionet-ledger", "--example", "bench_ledger"]))?;
    serde_json::from_str(printed.trim()).context("bench_ledger did not print one JSON object")
}

/// What the figures were measured on.
fn machine() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)).map(|rest| rest.trim_start_matches([':', ' ', '\t']).trim().to_owned())
    };
    json!({
        "cpu": field(&read("/proc/cpuinfo"), "model name"),
        "cores": std::thread::available_parallelism().map(usize::from).unwrap_or(1),
        "memory": field(&read("/proc/meminfo"), "MemTotal"),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
    })
}
