//! How much of a production GPU cluster placement can use, against published schedulers.
//!
//! `cargo run --release -p ionet-market --example bench_trace -- FOLDER` prints one JSON object. The folder, or else the environment
//! variable `IONET_TRACE_DIR`, has the trace's files (`openb_*.csv`) and `published.csv`.
#![expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock and its environment")]

mod data;
mod groups;
mod indexed;
mod method;
mod report;
mod schedulers;
mod variations;

use std::path::PathBuf;

use anyhow::Context;
use ionet_market::index::Options;
use serde_json::{Value, json};

use data::{Node, Task};
use indexed::Indexed;
use method::{Run, Scheduler};
use schedulers::{BestFit, LeastWaste, Random};

const METHOD: &str = "Cluster and tasks of a production GPU cluster (1,213 nodes, 6,212 GPUs), published as cluster-trace-gpu-v2023. For \
    each seed the tasks are shuffled; if they ask for more than 130 % of the cluster's GPUs, some are dropped from the end, else more are \
    drawn with replacement, up to but not past 130 %. They arrive one by one; each is placed at once or fails for good, all of it on one \
    node, a part of a GPU on a single GPU; none leaves. allocated: GPUs given out of all, in %, when the tasks that have arrived asked for \
    95, 100 and 130 % of the cluster's GPUs. least_waste is the market's index with its default options, asked as for a customer, with \
    its own measure of waste; every_room is the same measure tried on every kind of room there is. The measure learns what is asked from \
    the tasks that have arrived, nothing else, and is the same for all workloads. fgd_published is the best published scheduler, above_fgd \
    the difference in percentage points. random and best_fit are plain schedulers written for this run; that they come out as published \
    shows that the method is the same. seconds_per_run: wall time of one seed's placements on one thread, learning included. gap: where \
    the GPUs are that were not given out, in % of the cluster: slivers are free pieces of less than a quarter on GPUs taken in part, \
    pieces larger ones, whole are free GPUs on nodes that lack CPU, memory or neighbours for what is asked. failed: GPUs asked for by \
    tasks that failed, in % of the cluster, and the share of failed tasks among those that ask for no GPU. variations are made from the \
    default workload by changing the share of one kind of task.";
const WORKLOADS: [&str; 5] = ["default", "cpu100", "gpushare40", "gpuspec10", "multigpu20"];
const SEEDS: u64 = 10;

fn main() -> anyhow::Result<()> {
    let dir = std::env::args_os().nth(1).or_else(|| std::env::var_os("IONET_TRACE_DIR")).map(PathBuf::from).context(
        "no data: name the folder that has openb_node_list_gpu_node.csv, the openb_pod_list_*.csv of github.com/alibaba/clusterdata \
         (cluster-trace-gpu-v2023) and published.csv, or set IONET_TRACE_DIR to it",
    )?;
    let (nodes, models) = data::nodes(&dir)?;
    let published = data::published(&dir)?;
    let mut workloads = Vec::new();
    for name in WORKLOADS {
        let tasks = data::tasks(&dir, name, &models)?;
        let runs = all_runs(name, &nodes, &tasks)?;
        workloads.push(report::workload(name, &runs, &published));
    }
    let default = data::tasks(&dir, "default", &models)?;
    let restricted = data::tasks(&dir, "gpuspec10", &models)?;
    let mut varied = Vec::new();
    for (name, tasks) in variations::variations(&default, &restricted, &nodes) {
        let runs = all_runs(name, &nodes, &tasks)?;
        varied.push(report::variation(name, &runs));
    }
    let printed: Value = json!({ "method": METHOD, "seeds": SEEDS, "workloads": workloads, "variations": varied });
    println!("{printed}");
    Ok(())
}

/// The runs of one workload, one for each seed, by each scheduler.
struct Runs {
    /// By the market's index, as a customer's request.
    least_waste: Vec<Run>,
    /// By a look at every room there is.
    every_room: Vec<Run>,
    best_fit: Vec<Run>,
    random: Vec<Run>,
}

fn all_runs(name: &str, nodes: &[Node], tasks: &[Task]) -> anyhow::Result<Runs> {
    eprintln!("{name}: {} tasks", tasks.len());
    let of = |scheduler: &dyn Fn(u64) -> anyhow::Result<Box<dyn Scheduler>>| -> anyhow::Result<Vec<Run>> {
        let run = |seed| {
            let arrivals = method::arrivals(tasks, method::capacity_milli(nodes), seed);
            method::run(nodes, &arrivals, &mut *scheduler(seed)?)
        };
        (0..SEEDS).map(run).collect()
    };
    let runs = Runs {
        least_waste: of(&|_| Ok(Box::new(Indexed::new(nodes, Options::default())?)))?,
        every_room: of(&|_| Ok(Box::new(LeastWaste::new(nodes))))?,
        best_fit: of(&|_| Ok(Box::new(BestFit::new(nodes))))?,
        random: of(&|seed| Ok(Box::new(Random::new(nodes, seed))))?,
    };
    let at_100 = |runs: &[Run]| report::mean(runs.iter().map(|run| run.readings[1].allocated));
    eprintln!(
        "{name}: {:.2} % at 100 % load, best fit {:.2} %, random {:.2} %",
        at_100(&runs.least_waste),
        at_100(&runs.best_fit),
        at_100(&runs.random)
    );
    Ok(runs)
}
