//! Makes up a network, learns from it and prints the report: `cargo run --release -p ionet-predict --example report -- HIRES SEED`.

#![expect(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "made-up networks are made of floats")]

#[path = "../tests/made_up/mod.rs"]
mod made_up;

use std::process::ExitCode;

use ionet_predict::learn;
use made_up::{LENGTHS, network, telling};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let hires = arguments.next().map_or(Ok(6_000), |text| text.parse());
    let seed = arguments.next().map_or(Ok(1), |text| text.parse());
    let (Ok(hires), Ok(seed)) = (hires, seed) else {
        eprintln!("usage: report [HIRES] [SEED]");
        return ExitCode::FAILURE;
    };
    let (_, report) = learn(&network(hires, 120.0, LENGTHS, seed, |features, _| telling(features)), seed);
    print!("{report}");
    ExitCode::SUCCESS
}
