//! What a placement spoils of a device: the seam between choosing devices and knowing what the market will want of them.

use std::hash::BuildHasher;

use crate::fragmentation::{Costs, Mix, Models};
use crate::names::ModelId;
use crate::shape::{Demand, GpuDemand, Room, Slot, WHOLE_MILLI};

/// Millionths of a GPU in a thousandth.
const MICRO_PER_MILLI: i64 = 1_000;

/// Says what placements waste. What it says depends on its arguments and on its version, on nothing else.
pub trait Waste {
    /// Changes whenever answers do.
    fn version(&self) -> u64;

    /// The slot of this room that wastes least, and what is wasted then: in millionths of a GPU, less is better, less than nothing is
    /// possible. `None` if the demand does not fit.
    fn best(&mut self, room: &Room, model: ModelId, demand: &Demand) -> Option<(i64, Slot)>;
}

/// Waste by what the network is asked for ([`fragmentation`](crate::fragmentation)). It learns from every request, and judges by what it
/// had learned when it was last renewed, since every renewal makes remembered judgements worthless. It judges outlines, before a
/// placement and after it: there are so few of them that each is soon known.
#[derive(Debug, Clone)]
pub struct Learned<S> {
    outline_bits: u32,
    learning: Mix,
    used: Mix,
    costs: Costs<S>,
}

impl<S: BuildHasher> Learned<S> {
    /// What is expected before anybody asked. `outline_bits` are those of the index. The hasher decides only where things are remembered.
    pub fn new(outline_bits: u32, hasher: S) -> Self {
        Self { outline_bits, learning: Mix::new(), used: Mix::new(), costs: Costs::new(hasher) }
    }

    /// A request for so many nodes of any of these models was made, whether or not it was served.
    pub fn arrived(&mut self, demand: &Demand, models: &[ModelId], nodes: u32) {
        self.learning.arrived(demand, models.iter().map(|model| model.0).collect::<Models>(), nodes);
    }

    /// The network has so many devices of each model and size. To be told anew when that has changed noticeably.
    pub fn set_fleet(&mut self, sizes: impl IntoIterator<Item = (ModelId, Room, u64)>) {
        self.learning.set_fleet(sizes.into_iter().map(|(model, whole, devices)| (model.0, whole, devices)));
    }

    /// Judges by all that was learned from now on, if that makes a difference. Every ten minutes or so is often enough for a market.
    pub fn renew(&mut self) {
        if self.learning.version() != self.used.version() {
            self.used = self.learning.clone();
        }
    }
}

impl<S: BuildHasher> Waste for Learned<S> {
    fn version(&self) -> u64 {
        self.used.version()
    }

    fn best(&mut self, room: &Room, model: ModelId, demand: &Demand) -> Option<(i64, Slot)> {
        if !room.fits(demand) {
            return None;
        }
        let Self { outline_bits, used, costs, .. } = self;
        let mut waste = |room: &Room| costs.waste(used, &room.outline(*outline_bits), model.0);
        let before = waste(room);
        let after = |slot| {
            let mut after = *room;
            after.take(demand, slot).ok().map(|()| (slot, after))
        };
        let choices = room.slots(demand.gpus).filter_map(after).map(|(slot, after)| (waste(&after) - before, slot));
        choices.min_by_key(|(cost, _)| *cost)
    }
}

/// The plainest idea of waste: what is left of the GPU that a part was taken from, and a sixteenth of each whole GPU that stays beside those
/// taken whole.
#[derive(Debug, Clone, Copy, Default)]
pub struct BestFit;

impl Waste for BestFit {
    fn version(&self) -> u64 {
        0
    }

    fn best(&mut self, room: &Room, _: ModelId, demand: &Demand) -> Option<(i64, Slot)> {
        if !room.fits(demand) {
            return None;
        }
        let left = |slot: Slot| match (slot, demand.gpus) {
            (Slot::Part(gpu), GpuDemand::Part(milli)) => {
                room.gpu_milli().nth(usize::from(gpu)).map_or(0, |free| i64::from(free) - i64::from(milli)) * MICRO_PER_MILLI
            }
            (Slot::Whole(bits), _) => {
                (i64::from(room.whole_gpus()) - i64::from(bits.count_ones())) * i64::from(WHOLE_MILLI) * MICRO_PER_MILLI / 16
            }
            (Slot::Instance { gpu, start }, _) => {
                room.gpu_milli().nth(usize::from(gpu)).map_or(0, i64::from) * MICRO_PER_MILLI - i64::from(start)
            }
            _ => i64::from(room.gpu_milli_sum()) * MICRO_PER_MILLI / 16,
        };
        room.slots(demand.gpus).map(|slot| (left(slot), slot)).min_by_key(|(waste, _)| *waste)
    }
}
