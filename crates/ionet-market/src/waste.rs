//! What a placement spoils of a device: the seam between choosing devices and knowing what the market will want of them.

use std::cmp::Reverse;
use std::hash::BuildHasher;

use crate::fragmentation::{Costs, Mix, Models};
use crate::index::Index;
use crate::names::ModelId;
use crate::request::Request;
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

/// Waste by what the network is asked for ([`fragmentation`](crate::fragmentation)). It judges outlines, before a placement and after it:
/// there are so few of them that each is soon known.
#[derive(Debug, Clone)]
pub struct Learned<S> {
    outline_bits: u32,
    mix: Mix,
    costs: Costs<S>,
}

impl<S: BuildHasher> Learned<S> {
    /// What is expected before anybody asked. `outline_bits` are those of the index. The hasher decides only where things are remembered.
    pub fn new(outline_bits: u32, hasher: S) -> Self {
        Self { outline_bits, mix: Mix::new(), costs: Costs::new(hasher) }
    }
}

impl<S: BuildHasher> Index<Learned<S>> {
    /// A request was made, whether or not it is served, for the market to learn from. What is only looked at should not be told.
    pub fn arrived(&mut self, request: &Request) {
        let models = request.models.iter().map(|model| model.0).collect::<Models>();
        self.waste_mut().mix.arrived(&request.demand, models, request.nodes);
    }

    /// Judges by what has been learned from now on, if that is due; whether it was. All that is remembered of waste is found anew then.
    pub fn renew(&mut self) -> bool {
        let due = self.waste_mut().mix.is_due();
        if due {
            let supply = self.supply();
            self.waste_mut().mix.renew(supply);
        }
        due
    }
}

impl<S: BuildHasher> Waste for Learned<S> {
    fn version(&self) -> u64 {
        self.mix.version()
    }

    fn best(&mut self, room: &Room, model: ModelId, demand: &Demand) -> Option<(i64, Slot)> {
        if !room.fits(demand) {
            return None;
        }
        let Self { outline_bits, mix, costs } = self;
        let mut waste = |room: &Room| costs.waste(mix, &room.outline(*outline_bits), model.0);
        let before = waste(room);
        let after = |slot| {
            let mut after = *room;
            after.take(demand, slot).ok().map(|()| (slot, after))
        };
        let choices = room.slots(demand.gpus).filter_map(after).map(|(slot, after)| (waste(&after) - before, slot));
        // Of equally good ones the last, where an instance is least in the way of larger ones.
        choices.max_by_key(|(cost, _)| Reverse(*cost))
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
