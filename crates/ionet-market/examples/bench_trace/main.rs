//! How much of a production GPU cluster placement can use, against published schedulers.
//!
//! `cargo run --release -p ionet-market --example bench_trace -- FOLDER` prints one JSON object. The folder, or else the environment
//! variable `IONET_TRACE_DIR`, has the trace's files (`openb_*.csv`) and `published.csv`.
#![expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and its environment")]

mod data;
mod groups;
mod method;
mod schedulers;

use std::path::PathBuf;
use std::sync::Mutex;
use std::thread;

use anyhow::Context;
use serde_json::{Value, json};

use data::{Node, Published, Task};
use method::{LOADS, Run, Scheduler};
use schedulers::{BestFit, LeastWaste, Random};

const WORKLOADS: [&str; 5] = ["default", "cpu100", "gpushare40", "gpuspec10", "multigpu20"];
const SEEDS: u64 = 10;

fn main() -> anyhow::Result<()> {
    let dir = std::env::args_os().nth(1).or_else(|| std::env::var_os("IONET_TRACE_DIR")).map(PathBuf::from);
    let dir = dir.context("no data: name the folder with the trace's files, or set IONET_TRACE_DIR")?;
    let seeds: u64 = std::env::var("SEEDS").ok().and_then(|s| s.parse().ok()).unwrap_or(SEEDS);
    let only = std::env::var("ONLY").ok();
    let (nodes, models) = data::nodes(&dir)?;
    let published = data::published(&dir)?;
    for workload in WORKLOADS {
        if only.as_ref().is_some_and(|o| !o.split(',').any(|x| x == workload)) { continue; }
        let tasks = data::tasks(&dir, workload, &models)?;
        for (name, make) in [("ours", 0), ("BestFit", 1), ("Random", 2)] {
            if std::env::var("OURS").is_ok() && make > 0 { continue; }
            let runs = (0..seeds).map(|seed| {
                let arrivals = method::arrivals(&tasks, method::capacity_milli(&nodes), seed);
                method::run(&nodes, &arrivals, |nodes| match make { 0 => Box::new(LeastWaste::new(nodes)) as Box<dyn Scheduler>, 1 => Box::new(BestFit::new(nodes)), _ => Box::new(Random::new(nodes, seed)) })
            }).collect::<anyhow::Result<Vec<Run>>>()?;
            let n = runs.len() as f64;
            let mut line = format!("{workload:12} {name:8}");
            for (k, load) in LOADS.iter().enumerate() {
                let m = runs.iter().map(|r| r.allocated_percent[k]).sum::<f64>() / n;
                let p = published.get(&(workload.to_owned(), if make == 0 { "FGD" } else { name }.to_owned(), *load)).map_or(0.0, |p| p.0);
                line += &format!("  {m:.2} ({p:.2})");
            }
            eprintln!("{line}  {:.3}s max {:.3}", runs.iter().map(|r| r.took.as_secs_f64()).sum::<f64>() / n, runs.iter().map(|r| r.took.as_secs_f64()).fold(0.0, f64::max));
        }
    }
    Ok(())
}
