//! `bench fleet`: what it takes to know of a million devices whether they are there. Each part is measured on its own and has its own
//! figures; the result holds them by name.

use anyhow::Context;
use serde_json::{Value, json};

use super::{built, machine};
use crate::shell::{self, cargo, output, root};

/// Measures; returns the machine, and the figures of each part.
pub(super) fn measure() -> anyhow::Result<(Value, Value)> {
    let machine = machine();
    Ok((machine, json!({ "liveness": liveness()? })))
}

/// Heartbeats taken in, memory and questions, without a network: a program prints them as one JSON object.
fn liveness() -> anyhow::Result<Value> {
    shell::run(cargo().args(["build", "--release", "--quiet", "-p", "ionet-devices", "--example", "bench_fleet"]))?;
    let printed = output(std::process::Command::new(built("examples")?.join("bench_fleet")).current_dir(root()))?;
    serde_json::from_str(printed.trim()).context("bench_fleet did not print one JSON object")
}
