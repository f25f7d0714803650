//! More workloads, made from the default one by changing the share of one kind of task, as the published variants were.

use ionet_market::Models;
use ionet_market::shape::GpuDemand;

use crate::data::{Node, Task};
use crate::method::Seeded;

/// The variations of `default`; which models tasks are restricted to is drawn from those of `restricted`.
pub(crate) fn variations(default: &[Task], restricted: &[Task], nodes: &[Node]) -> Vec<(&'static str, Vec<Task>)> {
    let part = |task: &Task| matches!(task.demand.gpus, GpuDemand::Part(_));
    let several = |task: &Task| matches!(task.demand.gpus, GpuDemand::Whole(2..));
    let without: Vec<Task> = default.iter().filter(|task| task.demand.gpus == GpuDemand::None).copied().collect();
    vec![
        ("cpu200", default.iter().chain(&without).copied().collect()),
        ("gpushare20", with_share(default, part, 20)),
        ("gpushare60", with_share(default, part, 60)),
        ("gpushare80", with_share(default, part, 80)),
        ("gpuspec33", restrict(default, restricted, nodes, 33)),
        ("multigpu30", with_share(default, several, 30)),
        ("multigpu50", with_share(default, several, 50)),
    ]
}

/// Tasks drawn with replacement so that those of the kind ask for this share of all GPUs asked for, which stay as many; tasks without a
/// GPU stay.
fn with_share(tasks: &[Task], kind: impl Fn(&Task) -> bool, percent: u64) -> Vec<Task> {
    let milli = |task: &Task| u64::from(task.demand.gpus.milli());
    let all: u64 = tasks.iter().map(milli).sum();
    let (without, with): (Vec<Task>, Vec<Task>) = tasks.iter().partition(|task| milli(task) == 0);
    let (of_kind, others): (Vec<Task>, Vec<Task>) = with.iter().partition(|task| kind(task));
    let mut seeded = Seeded::new(percent);
    let mut drawn = without;
    for (from, percent) in [(of_kind, percent), (others, 100 - percent)] {
        let mut left = all * percent / 100;
        while left > 0 && !from.is_empty() {
            let task = from[seeded.below(from.len())];
            left = left.saturating_sub(milli(&task));
            drawn.push(task);
        }
    }
    drawn
}

/// The tasks with this share of those that ask for a GPU restricted to models that some task of `restricted` is restricted to, where a
/// node of these could serve them.
fn restrict(tasks: &[Task], restricted: &[Task], nodes: &[Node], percent: usize) -> Vec<Task> {
    let models: Vec<Models> = restricted.iter().map(|task| task.accepts).filter(|accepts| *accepts != Models::ANY).collect();
    let mut seeded = Seeded::new(percent as u64);
    let mut restrict = |task: &Task| {
        if task.demand.gpus == GpuDemand::None || models.is_empty() || seeded.below(100) >= percent {
            return *task;
        }
        let task = Task { accepts: models[seeded.below(models.len())], ..*task };
        let served = nodes.iter().any(|node| task.accepts.has(node.model) && node.whole.fits(&task.demand));
        if served { task } else { Task { accepts: Models::ANY, ..task } }
    };
    tasks.iter().map(&mut restrict).collect()
}
