//! What a placement spoils of a device: the seam between choosing devices and knowing what the market will want of them.

use std::hash::BuildHasher;

use crate::fragmentation::{Costs, Mix, Models, Supply};
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

/// Waste by what the network is asked for ([`fragmentation`](crate::fragmentation)).
#[derive(Debug, Clone)]
pub struct Learned<S> {
    mix: Mix,
    costs: Costs<S>,
}

impl<S: BuildHasher> Learned<S> {
    /// What is expected before anybody asked. The hasher decides only where things are remembered.
    pub fn new(hasher: S) -> Self {
        Self { mix: Mix::new(), costs: Costs::new(hasher) }
    }

    /// A request for so many nodes of any of these models was made, whether or not it was served.
    pub fn arrived(&mut self, demand: &Demand, models: &[ModelId], nodes: u32) {
        self.mix.arrived(demand, models.iter().map(|model| model.0).collect::<Models>(), nodes);
    }

    /// Whether enough has arrived since the last forecast for a new one.
    pub fn is_due(&self) -> bool {
        self.mix.is_due()
    }

    /// Makes a new forecast for a network that has this; each model and size of device should come once.
    pub fn renew(&mut self, supply: impl IntoIterator<Item = Supply>) {
        self.mix.renew(supply);
    }
}

impl<S: BuildHasher> Waste for Learned<S> {
    fn version(&self) -> u64 {
        self.mix.version()
    }

    fn best(&mut self, room: &Room, model: ModelId, demand: &Demand) -> Option<(i64, Slot)> {
        self.costs.best(&self.mix, room, model.0, demand).map(|choice| (choice.cost, choice.slot))
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
