//! The figures of a workload as JSON.

use serde_json::{Value, json};

use crate::Runs;
use crate::data::Published;
use crate::method::{LOADS, Reading, Run};

/// One of the published workloads, compared with what is published of it.
pub(crate) fn workload(name: &str, runs: &Runs, published: &Published) -> Value {
    let figure = |policy: &str, load: u64| published.get(&(name.to_owned(), policy.to_owned(), load)).copied();
    let check = |policy: &str, runs: &[Run]| {
        by_load(
            |index, load| json!({ "mean": rounded(allocated_mean(runs, index)), "published": figure(policy, load).map(|(mean, _)| mean) }),
        )
    };
    let above = by_load(|index, load| match figure("FGD", load) {
        Some((mean, _)) => rounded(allocated_mean(&runs.least_waste, index) - mean),
        None => Value::Null,
    });
    json!({
        "workload": name,
        "least_waste": least_waste(runs),
        "every_room": by_load(|index, _| rounded(allocated_mean(&runs.every_room, index))),
        "fgd_published": by_load(|_, load| json!(figure("FGD", load).map(|(mean, stdev)| json!({ "mean": mean, "stdev": stdev })))),
        "above_fgd": above,
        "check": { "random": check("Random", &runs.random), "best_fit": check("BestFit", &runs.best_fit) },
    })
}

/// One of the variations, compared with best fit and random.
pub(crate) fn variation(name: &str, runs: &Runs) -> Value {
    json!({
        "workload": name,
        "least_waste": least_waste(runs),
        "every_room": by_load(|index, _| rounded(allocated_mean(&runs.every_room, index))),
        "best_fit": by_load(|index, _| rounded(allocated_mean(&runs.best_fit, index))),
        "random": by_load(|index, _| rounded(allocated_mean(&runs.random, index))),
    })
}

fn least_waste(runs: &Runs) -> Value {
    let runs = &runs.least_waste;
    let seconds = || runs.iter().map(|run| run.took.as_secs_f64());
    let mean_of = |index: usize, value: fn(&Reading) -> f64| rounded(mean(runs.iter().map(|run| value(&run.readings[index]))));
    json!({
        "allocated": by_load(|index, _| spread(runs.iter().map(|run| run.readings[index].allocated))),
        "gap": by_load(|index, _| json!({
            "slivers": mean_of(index, |reading| reading.slivers),
            "pieces": mean_of(index, |reading| reading.pieces),
            "whole": mean_of(index, |reading| reading.whole),
        })),
        "failed": by_load(|index, _| json!({
            "several_gpus": mean_of(index, |reading| reading.failed[0]),
            "one_gpu": mean_of(index, |reading| reading.failed[1]),
            "part_of_a_gpu": mean_of(index, |reading| reading.failed[2]),
            "share_of_tasks_without_gpu": mean_of(index, |reading| reading.failed_without_gpu),
        })),
        "seconds_per_run": { "mean": rounded(mean(seconds())), "max": rounded(seconds().fold(0.0, f64::max)) },
    })
}

fn by_load(value: impl Fn(usize, u64) -> Value) -> Value {
    LOADS.iter().enumerate().map(|(index, load)| (load.to_string(), value(index, *load))).collect::<serde_json::Map<_, _>>().into()
}

fn allocated_mean(runs: &[Run], index: usize) -> f64 {
    mean(runs.iter().map(|run| run.readings[index].allocated))
}

fn spread(values: impl Iterator<Item = f64> + Clone) -> Value {
    let middle = mean(values.clone());
    let stdev = mean(values.clone().map(|value| (value - middle).powi(2))).sqrt();
    let (min, max) = (values.clone().fold(f64::INFINITY, f64::min), values.fold(0.0, f64::max));
    json!({ "mean": rounded(middle), "min": rounded(min), "max": rounded(max), "stdev": rounded(stdev) })
}

/// The mean, 0 of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
}

/// To a hundredth: more would be noise.
fn rounded(value: f64) -> Value {
    json!((value * 100.0).round() / 100.0)
}
