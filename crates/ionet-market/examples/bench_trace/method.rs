//! The published method: tasks arrive in a shuffled order, each is placed at once or fails for good, and none ever leaves.

use std::time::{Duration, Instant};

use anyhow::Context;
use ionet_market::shape::{Room, Slot};

use crate::data::{Node, Task};

/// At which load the allocation is read, in % of the cluster's GPUs that the tasks so far asked for.
pub(crate) const LOADS: [u64; 3] = [95, 100, 130];

/// What decides where a task goes.
pub(crate) trait Scheduler {
    /// The node and the slot on it for the task, if any node has room; then the task is on it.
    fn place(&mut self, task: &Task) -> Option<(usize, Slot)>;
}

/// What one run came to.
pub(crate) struct Run {
    /// Allocated GPUs of all, in %, at each of [`LOADS`].
    pub(crate) allocated_percent: [f64; LOADS.len()],
    pub(crate) arrivals: usize,
    pub(crate) took: Duration,
    /// The machines in the end.
    pub(crate) rooms: Vec<Room>,
}

/// Small, of known quality (SplitMix64), and the same for ever, so that a seed names one run.
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of the numbers below `end`, which is not zero.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.next()) * end as u128) >> 64) as usize
    }
}

/// Thousandths of GPU that the cluster has.
pub(crate) fn capacity_milli(nodes: &[Node]) -> u64 {
    nodes.iter().map(|node| u64::from(node.whole.gpu_milli_sum())).sum()
}

/// The tasks in the order of this seed, asking for 130 % of the cluster's GPUs or just less.
pub(crate) fn arrivals(tasks: &[Task], capacity_milli: u64, seed: u64) -> Vec<Task> {
    let mut seeded = Seeded::new(seed);
    let mut order = tasks.to_vec();
    for index in (1..order.len()).rev() {
        order.swap(index, seeded.below(index + 1));
    }
    let milli = |task: &Task| u64::from(task.demand.gpus.milli());
    let most = capacity_milli * 13 / 10;
    let mut asked: u64 = order.iter().map(milli).sum();
    while asked > most {
        asked -= order.pop().as_ref().map_or(0, milli);
    }
    if order.len() == tasks.len() && !tasks.is_empty() {
        loop {
            let task = tasks[seeded.below(tasks.len())];
            asked += milli(&task);
            if asked > most {
                break;
            }
            order.push(task);
        }
    }
    order
}

/// One run. The books are kept here, by [`Room::take`], so that no scheduler can place what does not fit.
pub(crate) fn run(nodes: &[Node], arrivals: &[Task], scheduler: impl FnOnce(&[Node]) -> Box<dyn Scheduler>) -> anyhow::Result<Run> {
    let capacity = capacity_milli(nodes);
    let mut rooms: Vec<Room> = nodes.iter().map(|node| node.whole).collect();
    let (mut asked, mut given) = (0_u64, 0_u64);
    let mut allocated_percent = [0.0; LOADS.len()];
    let mut placed = Vec::with_capacity(arrivals.len());
    let start = Instant::now();
    let mut scheduler = scheduler(nodes);
    for task in arrivals {
        placed.push(scheduler.place(task));
    }
    let took = start.elapsed();
    for (task, place) in arrivals.iter().zip(placed) {
        let milli = u64::from(task.demand.gpus.milli());
        asked += milli;
        if let Some((node, slot)) = place {
            let room = rooms.get_mut(node).context("no such node")?;
            anyhow::ensure!(task.accepts.has(nodes[node].model), "the task does not accept the node's model");
            room.take(&task.demand, slot)?;
            given += milli;
        }
        for (read, load) in allocated_percent.iter_mut().zip(LOADS) {
            if asked * 100 <= capacity * load {
                *read = given as f64 * 100.0 / capacity as f64;
            }
        }
    }
    Ok(Run { allocated_percent, arrivals: arrivals.len(), took, rooms })
}
