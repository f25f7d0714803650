//! A placement: the devices of a cluster, and what each node takes of its device.

use ionet_types::DeviceId;

use crate::gang::Gang;
use crate::machine::Machine;
use crate::names::{ModelId, SiteId};
use crate::shape::{Demand, GpuDemand, Room, Slot};
use crate::waste::Waste;

/// One node of a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Where it is to run.
    pub device: DeviceId,
    /// Where that device is.
    pub site: Option<SiteId>,
    /// What it takes: of a device that is given whole, all.
    pub demand: Demand,
    /// Which GPUs.
    pub slot: Slot,
    /// The device's own price, micro-USD for one GPU or CPU device for one hour.
    pub price_micro_usd: u32,
}

/// Where a cluster is to run: a proposal, which the conditional update of whoever keeps the truth confirms or refuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// The model of all nodes.
    pub model: ModelId,
    /// What every node is paid by: the price of the dearest, micro-USD for one GPU or CPU device for one hour.
    pub price_micro_usd: u32,
    /// At how many sites the nodes are.
    pub sites: usize,
    /// What it scores ([`score`](crate::score)); less is better.
    pub score_micro_usd: i64,
    /// The nodes; the first, on the device that least is to be said against, is the head.
    pub nodes: Vec<Placed>,
}

/// The slots of up to `most` nodes on a device of which so much is free.
pub(crate) fn slots(waste: &mut impl Waste, machine: &Machine, free: &Room, demand: &Demand, most: usize) -> Vec<(Demand, Slot)> {
    if !machine.divisible {
        return vec![machine.whole.all(); most.min(1)];
    }
    let mut left = *free;
    let mut slots = Vec::new();
    while slots.len() < most {
        let Some((_, slot)) = waste.best(&left, machine.model, demand) else { break };
        if left.take(demand, slot).is_err() {
            break;
        }
        slots.push((*demand, slot));
    }
    slots
}

/// How many nodes, up to `most`, a device of which so much is free can hold: as many as [`slots`] finds.
pub(crate) fn holds(waste: &mut impl Waste, machine: &Machine, free: &Room, demand: &Demand, most: usize) -> usize {
    let times = |free: u32, asked: u32| free.checked_div(asked).map_or(most, |times| times as usize);
    let gpus = match demand.gpus {
        _ if !machine.divisible => 1,
        GpuDemand::None => most,
        GpuDemand::Part(milli) => free.gpu_milli().map(|free| usize::from(free / milli.max(1))).sum(),
        GpuDemand::Whole(count) => usize::from(free.whole_gpus() / count.max(1)),
        // How many instances there is room for depends on where the first ones begin.
        GpuDemand::Instance(_) => return slots(waste, machine, free, demand, most).len(),
    };
    let rest = if machine.divisible {
        times(free.cpu_milli, demand.cpu_milli).min(times(free.memory_mb, demand.memory_mb)).min(times(free.disk_mb, demand.disk_mb))
    } else {
        most
    };
    gpus.min(rest).min(most)
}

impl Placement {
    /// The gang's nodes with their slots. `look` finds a device by its place.
    pub(crate) fn new<'a>(
        model: ModelId,
        mut gang: Gang,
        score_micro_usd: i64,
        demand: &Demand,
        waste: &mut impl Waste,
        look: impl Fn(u32) -> (&'a Machine, Room),
    ) -> Option<Self> {
        let sites = gang.sites();
        gang.fits.sort_unstable_by_key(crate::gang::Fit::rank);
        let mut nodes = Vec::with_capacity(gang.fits.len());
        for on_one in gang.fits.chunk_by(|left, right| left.device == right.device) {
            let (machine, free) = look(on_one[0].place);
            let found = slots(waste, machine, &free, demand, on_one.len());
            if found.len() < on_one.len() {
                return None;
            }
            nodes.extend(on_one.iter().zip(found).map(|(fit, (demand, slot))| Placed {
                device: fit.device,
                site: fit.site,
                demand,
                slot,
                price_micro_usd: fit.price,
            }));
        }
        let price_micro_usd = nodes.iter().map(|node| node.price_micro_usd).max()?;
        Some(Self { model, price_micro_usd, sites, score_micro_usd, nodes })
    }
}
