//! The `ionet` binary: reads the command line, does it, and says how it ended.

use std::process::ExitCode;

use clap::Parser;
use ionet::cli::Cli;
use ionet::context::Context;
use ionet::exit;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr(cli.global.verbose);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: cannot start: {error}");
            return exit::Exit::Error.into();
        }
    };
    let ended = runtime.block_on(async {
        let context = Context::new(&cli.global)?;
        cli.command.run(&context).await
    });
    // What still runs in the background has been told to stop; nobody waits for it.
    runtime.shutdown_background();
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("{}", exit::render(&error));
            exit::exit_of(&error).into()
        }
    }
}

/// Logs to standard error: warnings and errors by default, `IONET_LOG` decides in detail.
fn log_to_stderr(verbose: u8) {
    let default = match verbose {
        0 => "error",
        1 => "warn,ionet=info,ionet_hub=info,ionet_api=info,ionet_agent=info,ionet_chain=info,ionet_ledger=info",
        _ => "info,ionet=debug,ionet_hub=debug,ionet_api=debug,ionet_agent=debug,ionet_chain=debug,ionet_ledger=debug",
    };
    let filter = EnvFilter::try_from_env("IONET_LOG").unwrap_or_else(|_| EnvFilter::new(default));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
