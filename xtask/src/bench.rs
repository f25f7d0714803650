//! `cargo xtask bench NAME`: runs a benchmark program, prints its method and figures, and keeps them with the machine's description.

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

impl Name {
    /// The package and the example that measures. An example prints one JSON object on standard output, with `method`, figures and `ratio`.
    const fn program(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Ledger => ("ledger", "ionet-ledger", "bench_ledger"),
            Self::Deploy => ("deploy", "ionet", "bench_deploy"),
        }
    }
}

pub(crate) fn run(options: &BenchOptions) -> anyhow::Result<()> {
    let (name, package, example) = options.name.program();
    let printed = output(cargo().args(["run", "--release", "--quiet", "-p", package, "--example", example]))?;
    let figures: Value = serde_json::from_str(printed.trim()).with_context(|| format!("{example} did not print one JSON object"))?;
    let result = json!({ "benchmark": name, "machine": machine(), "figures": figures });
    let text = format!("{}\n", serde_json::to_string_pretty(&result)?);
    let path = root().join("bench/results").join(format!("{name}.json"));
    fs::write(&path, &text).with_context(|| format!("could not write {}", path.display()))?;
    print!("{text}");
    Ok(())
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
