//! `bench fleet`: what it takes to know of a million devices whether they are there. Each part is measured on its own and has its own
//! figures; the result holds them by name.

use anyhow::Context;
use serde_json::{Value, json};

use super::{built, machine};
use crate::shell::{self, cargo, output, root};

/// Measures; returns the machine, and the figures of each part.
pub(super) fn measure() -> anyhow::Result<(Value, Value)> {
    let machine = machine();
    let liveness = part("ionet-devices", "bench_fleet")?;
    let connections = part("ionet-api", "bench_connections")?;
    Ok((machine, json!({ "liveness": liveness, "connections": connections })))
}

/// One part: a program that prints its figures as one JSON object.
fn part(package: &str, example: &str) -> anyhow::Result<Value> {
    // Together with the binary, so that dependencies are those of the tests and not compiled once more.
    shell::run(cargo().args(["build", "--release", "--quiet", "-p", "ionet", "-p", package, "--example", example]))?;
    let printed = output(std::process::Command::new(built("examples")?.join(example)).current_dir(root()))?;
    serde_json::from_str(printed.trim()).with_context(|| format!("{example} did not print one JSON object"))
}
