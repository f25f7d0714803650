//! `cargo xtask test`: what a change must pass, in one order, for developers and for CI alike.

use std::time::Instant;

use clap::Args;

use crate::program;
use crate::shell::{self, cargo, exists};

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
    run_all(&[("format", &format), ("program artefact", &verify_program), ("tests", &|| tests(None)), ("lints", &clippy)])
}

/// Rebuilds the program and compares it with the committed artefact, where a compiler for it is found; CI always has one.
fn verify_program() -> anyhow::Result<()> {
    if std::env::var_os("IONET_REQUIRE_PROGRAM_VERIFY").is_none() && !program::compiler_found() {
        eprintln!("skipped: no compiler for the program (set SBF_TOOLCHAIN, or install cargo-build-sbf)");
        return Ok(());
    }
    program::verify()
}

/// Format of all sources.
fn format() -> anyhow::Result<()> {
    shell::run(cargo().args(["fmt", "--all", "--check"]))
}

/// Format and lints, for those who want nothing else.
pub(crate) fn lint() -> anyhow::Result<()> {
    format()?;
    clippy()
}

/// Lints of the whole workspace, tests included. Last in the test task: it looks at every dependency once more, in another form.
fn clippy() -> anyhow::Result<()> {
    shell::run(cargo().args(["clippy", "--release", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"]))
}

fn tests(filter: Option<&str>) -> anyhow::Result<()> {
    let mut command = cargo();
    if exists("cargo", "nextest") || exists("cargo-nextest", "--version") {
        command.args(["nextest", "run", "--cargo-profile", "release", "--workspace", "--no-fail-fast"]);
    } else {
        eprintln!("cargo-nextest is not installed: using cargo test (slower; `cargo install cargo-nextest`)");
        command.args(["test", "--release", "--workspace", "--no-fail-fast"]);
    }
    shell::run(command.args(filter))
}
