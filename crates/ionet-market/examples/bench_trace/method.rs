//! The published method: tasks arrive in a shuffled order, each is placed at once or fails for good, and none ever leaves.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use ionet_market::shape::{GpuDemand, Room, Slot, WHOLE_MILLI};

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
    /// At each of [`LOADS`].
    pub(crate) readings: [Reading; LOADS.len()],
    /// The scheduler's time for all arrivals.
    pub(crate) took: Duration,
}

/// Shares of the cluster's GPUs, in %, at one load.
#[derive(Clone, Copy, Default)]
pub(crate) struct Reading {
    pub(crate) allocated: f64,
    /// Free on GPUs that are taken in part, in pieces of less than a quarter, and in larger ones.
    pub(crate) slivers: f64,
    pub(crate) pieces: f64,
    /// GPUs of which nothing is taken.
    pub(crate) whole: f64,
    /// Asked for by tasks that failed: for several GPUs, for one, for a part of one.
    pub(crate) failed: [f64; 3],
    /// Tasks without a GPU that failed, of all such tasks, in %.
    pub(crate) failed_without_gpu: f64,
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
pub(crate) fn run(nodes: &[Node], arrivals: &[Task], scheduler: &mut dyn Scheduler) -> anyhow::Result<Run> {
    let start = Instant::now();
    let placed: Vec<Option<(usize, Slot)>> = arrivals.iter().map(|task| scheduler.place(task)).collect();
    let took = start.elapsed();
    let mut books = Books { rooms: nodes.iter().map(|node| node.whole).collect(), ..Books::default() };
    let capacity = capacity_milli(nodes);
    let mut readings = [Reading::default(); LOADS.len()];
    for (index, (task, place)) in arrivals.iter().zip(placed).enumerate() {
        books.arrived(task, place, nodes)?;
        let next = arrivals.get(index + 1).map_or(u64::MAX, |task| u64::from(task.demand.gpus.milli()));
        for (reading, load) in readings.iter_mut().zip(LOADS) {
            let end = capacity * load / 100;
            if books.asked_milli <= end && books.asked_milli.saturating_add(next) > end {
                *reading = books.read(capacity);
            }
        }
    }
    Ok(Run { readings, took })
}

#[derive(Default)]
struct Books {
    rooms: Vec<Room>,
    asked_milli: u64,
    given_milli: u64,
    failed_milli: [u64; 3],
    without_gpu: u64,
    failed_without_gpu: u64,
}

impl Books {
    fn arrived(&mut self, task: &Task, place: Option<(usize, Slot)>, nodes: &[Node]) -> anyhow::Result<()> {
        let milli = u64::from(task.demand.gpus.milli());
        self.asked_milli += milli;
        self.without_gpu += u64::from(milli == 0);
        if let Some((node, slot)) = place {
            let room = self.rooms.get_mut(node).context("no such node")?;
            ensure!(task.accepts.has(nodes[node].model), "the task does not accept the node's model");
            room.take(&task.demand, slot)?;
            self.given_milli += milli;
            return Ok(());
        }
        match task.demand.gpus {
            GpuDemand::None => self.failed_without_gpu += 1,
            GpuDemand::Whole(2..) => self.failed_milli[0] += milli,
            GpuDemand::Whole(_) => self.failed_milli[1] += milli,
            GpuDemand::Part(_) | GpuDemand::Instance(_) => self.failed_milli[2] += milli,
        }
        Ok(())
    }

    fn read(&self, capacity_milli: u64) -> Reading {
        let percent = |milli: u64| milli as f64 * 100.0 / capacity_milli as f64;
        let free = |sizes: std::ops::RangeInclusive<u16>| {
            let gpus = self.rooms.iter().flat_map(Room::gpu_milli).filter(|free| sizes.contains(free));
            percent(gpus.map(u64::from).sum())
        };
        Reading {
            allocated: percent(self.given_milli),
            slivers: free(1..=WHOLE_MILLI / 4 - 1),
            pieces: free(WHOLE_MILLI / 4..=WHOLE_MILLI - 1),
            whole: free(WHOLE_MILLI..=WHOLE_MILLI),
            failed: self.failed_milli.map(percent),
            failed_without_gpu: self.failed_without_gpu as f64 * 100.0 / self.without_gpu.max(1) as f64,
        }
    }
}
