//! `cargo xtask test`: what a change must pass, in one order, for developers and for CI alike.

use std::time::Instant;

use clap::Args;

use crate::shell::{cargo, exists, run};

/// Options of `cargo xtask test`.
#[derive(Args)]
pub(crate) struct TestOptions {
    /// Only tests whose name contains this; leaves the other checks out.
    filter: Option<String>,
}

/// Runs all checks, the quick ones first; stops at the first that fails.
fn run_all(steps: &[(&str, &dyn Fn() -> anyhow::Result<()>)]) -> anyhow::Result<()> {
    for (name, step) in steps {
        eprintln!("== {name}");
        let begun = Instant::now();
        step()?;
        eprintln!("== {name}: {} s", begun.elapsed().as_secs());
    }
    Ok(())
}

pub(crate) fn run(options: &TestOptions) -> anyhow::Result<()> {
    if let Some(filter) = &options.filter {
        return tests(Some(filter));
    }
    run_all(&[("format and lints", &lint), ("program artefact", &verify_program), ("tests", &|| tests(None))])
}

/// Format and lints of both workspaces.
pub(crate) fn lint() -> anyhow::Result<()> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["clippy", "--release", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
}

fn tests(filter: Option<&str>) -> anyhow::Result<()> {
    let mut command = cargo();
    if exists("cargo", "nextest") || exists("cargo-nextest", "--version") {
        command.args(["nextest", "run", "--cargo-profile", "release", "--workspace", "--no-fail-fast"]);
    } else {
        eprintln!("cargo-nextest is not installed: using cargo test (slower; `cargo install cargo-nextest`)");
        command.args(["test", "--release", "--workspace", "--no-fail-fast"]);
    }
    run(command.args(filter))
}
