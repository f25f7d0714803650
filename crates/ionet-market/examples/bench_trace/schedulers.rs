//! What is compared: least waste, and two plain schedulers whose published figures say whether the method is repeated rightly.

use std::collections::BTreeMap;

use ionet_market::shape::{GpuDemand, Room, Slot};
use ionet_market::{Choice, Costs, Mix, Supply};

use crate::data::{Node, Task};
use crate::groups::{Group, Groups, Hasher};
use crate::method::{Scheduler, Seeded};

/// The market's own measure: the placement that wastes least by what has arrived so far.
pub(crate) struct LeastWaste {
    groups: Groups,
    /// The size of each node, and what there is of each size.
    sizes: Vec<(u8, Room)>,
    supplies: BTreeMap<(u8, Room), Supply>,
    mix: Mix,
    costs: Costs<Hasher>,
    /// For each kind of task and group what a placement costs, by the mix's present forecast.
    known: BTreeMap<Task, Vec<Known>>,
}

/// What is known of a kind of task and a group.
#[derive(Clone, Copy)]
enum Known {
    Nothing,
    Unfit,
    Best(Choice),
}

impl LeastWaste {
    pub(crate) fn new(nodes: &[Node]) -> Self {
        let mut supplies: BTreeMap<(u8, Room), Supply> = BTreeMap::new();
        for node in nodes {
            let none = Supply { model: node.model, whole: node.whole, devices: 0, free_milli: 0 };
            let size = supplies.entry((node.model, node.whole)).or_insert(none);
            size.devices += 1;
            size.free_milli += u64::from(node.whole.gpu_milli_sum());
        }
        Self {
            groups: Groups::new(nodes),
            sizes: nodes.iter().map(|node| (node.model, node.whole)).collect(),
            supplies,
            mix: Mix::new(),
            costs: Costs::new(Hasher::default()),
            known: BTreeMap::new(),
        }
    }
}

impl Scheduler for LeastWaste {
    fn place(&mut self, task: &Task) -> Option<(usize, Slot)> {
        self.mix.arrived(&task.demand, task.accepts, 1);
        if self.mix.is_due() {
            self.mix.renew(self.supplies.values().copied());
            self.known.clear();
        }
        let known = self.known.entry(*task).or_default();
        known.resize(self.groups.known(), Known::Nothing);
        let mut best: Option<(i64, usize, Slot)> = None;
        for &number in self.groups.inhabited() {
            if matches!(known[number], Known::Nothing) {
                let group = self.groups.get(number);
                let accepted = task.accepts.has(group.model);
                let choice = accepted.then(|| self.costs.best(&self.mix, &group.room, group.model, &task.demand)).flatten();
                known[number] = choice.map_or(Known::Unfit, Known::Best);
            }
            if let Known::Best(Choice { cost, slot }) = known[number]
                && best.is_none_or(|best| (cost, number) < (best.0, best.1))
            {
                best = Some((cost, number, slot));
            }
        }
        let (_, number, slot) = best?;
        let node = self.groups.take(number, task, slot)?;
        let size = self.supplies.get_mut(&self.sizes[node])?;
        size.free_milli -= u64::from(task.demand.gpus.milli());
        Some((node, slot))
    }
}

/// Any machine that has room, and any GPU of it, with equal chances.
pub(crate) struct Random {
    groups: Groups,
    seeded: Seeded,
}

impl Random {
    pub(crate) fn new(nodes: &[Node], seed: u64) -> Self {
        Self { groups: Groups::new(nodes), seeded: Seeded::new(!seed) }
    }
}

impl Scheduler for Random {
    fn place(&mut self, task: &Task) -> Option<(usize, Slot)> {
        let fitting: Vec<(usize, usize)> = self
            .groups
            .inhabited()
            .iter()
            .map(|&number| (number, self.groups.get(number)))
            .filter(|(_, group)| fits(group, task))
            .map(|(number, group)| (number, group.nodes.len()))
            .collect();
        let all = fitting.iter().map(|(_, nodes)| nodes).sum();
        if all == 0 {
            return None;
        }
        let mut pick = self.seeded.below(all);
        let number = fitting.iter().find(|(_, nodes)| pick.checked_sub(*nodes).inspect(|rest| pick = *rest).is_none())?.0;
        let group = self.groups.get(number);
        let slot = match task.demand.gpus {
            GpuDemand::Part(milli) => {
                let having: Vec<u8> = (0..).zip(group.room.gpu_milli()).filter(|(_, free)| *free >= milli).map(|(gpu, _)| gpu).collect();
                Slot::Part(having[self.seeded.below(having.len())])
            }
            gpus => group.room.slots(gpus).next()?,
        };
        self.groups.take(number, task, slot).map(|node| (node, slot))
    }
}

/// The machine that has least left afterwards: CPU and GPU, each as a share of the largest machine's; a part from its fullest GPU.
pub(crate) struct BestFit {
    groups: Groups,
    most_cpu_milli: u64,
    most_gpu_milli: u64,
}

impl BestFit {
    pub(crate) fn new(nodes: &[Node]) -> Self {
        let most = |of: fn(&Node) -> u32| u64::from(nodes.iter().map(of).max().unwrap_or(1));
        Self {
            groups: Groups::new(nodes),
            most_cpu_milli: most(|node| node.whole.cpu_milli),
            most_gpu_milli: most(|node| node.whole.gpu_milli_sum()),
        }
    }

    fn left(&self, group: &Group) -> u64 {
        u64::from(group.room.cpu_milli) * self.most_gpu_milli + u64::from(group.room.gpu_milli_sum()) * self.most_cpu_milli
    }
}

impl Scheduler for BestFit {
    fn place(&mut self, task: &Task) -> Option<(usize, Slot)> {
        let fitting = self.groups.inhabited().iter().filter(|&&number| fits(self.groups.get(number), task));
        let number = *fitting.min_by_key(|&&number| (self.left(self.groups.get(number)), number))?;
        let room = self.groups.get(number).room;
        let free: Vec<u16> = room.gpu_milli().collect();
        let slot = room.slots(task.demand.gpus).min_by_key(|slot| if let Slot::Part(gpu) = slot { free[usize::from(*gpu)] } else { 0 })?;
        self.groups.take(number, task, slot).map(|node| (node, slot))
    }
}

fn fits(group: &Group, task: &Task) -> bool {
    task.accepts.has(group.model) && group.room.fits(&task.demand)
}
