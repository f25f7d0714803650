//! `cargo xtask`: what a developer of this repository does more than once.

mod bench;
mod docs;
mod idl;
mod kernels;
mod program;
mod shell;
mod test;

use clap::{Parser, Subcommand};

/// Tasks of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// What a change must pass: format, the program's artefact, generated files, all tests.
    Test(test::TestOptions),
    /// Format and lints only.
    Lint,
    /// Writes the generated files anew: OpenAPI, command reference, compute units.
    Docs,
    /// Compiles the on-chain program, or checks the committed artefact against its sources.
    #[command(subcommand)]
    Program(program::ProgramTask),
    /// Writes the interface description of the on-chain program.
    Idl(idl::IdlOptions),
    /// Compiles the cards' kernels and commits them as PTX; needs NVRTC 11.8 (`IONET_NVRTC` may name its libnvrtc.so), and no card.
    Kernels,
    /// Measures, prints the method and the figures, and writes bench/results/NAME.json.
    Bench(bench::BenchOptions),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().task {
        Task::Test(options) => test::run(&options),
        Task::Lint => test::lint(),
        Task::Docs => docs::regenerate(),
        Task::Program(task) => program::run(&task),
        Task::Idl(options) => idl::run(&options),
        Task::Kernels => kernels::run(),
        Task::Bench(options) => bench::run(&options),
    }
}
