//! Which demands for GPUs a device could serve as it stands: the coarse order in which devices are kept.

use crate::machine::Machine;
use crate::shape::{Demand, GpuDemand, Instance, Room, WHOLE_MILLI};

/// Parts of a GPU are told apart by eighths.
const STEP_MILLI: u16 = WHOLE_MILLI / 8;

/// What could be had of a device's GPUs. Devices of one class serve the same demands, or almost: a class may promise what a device does
/// not hold, and never the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Class {
    divisible: bool,
    mig: bool,
    /// Whole GPUs that are free.
    whole: u8,
    /// The largest part of another one, in eighths, rounded up; with `mig` the instances that there is room for, as bits.
    part: u8,
}

impl Class {
    /// The class of a device of which so much is free.
    pub(super) fn of(machine: &Machine, free: &Room) -> Self {
        let part = if free.mig {
            let fits = |instance: &Instance| free.fits(&Demand { gpus: GpuDemand::Instance(*instance), ..Demand::default() });
            (0_u8..).zip(&Instance::ALL).filter(|(_, instance)| fits(instance)).fold(0, |bits, (at, _)| bits | 1 << at)
        } else {
            let largest = free.gpu_milli().filter(|free| *free < WHOLE_MILLI).max().unwrap_or(0);
            u8::try_from(largest.div_ceil(STEP_MILLI)).expect("at most eight eighths")
        };
        Self { divisible: machine.divisible, mig: free.mig, whole: free.whole_gpus(), part }
    }

    /// Whether its devices may serve such GPUs.
    pub(super) fn may_serve(self, gpus: GpuDemand) -> bool {
        match gpus {
            GpuDemand::None => self.divisible || self.whole == 0,
            GpuDemand::Whole(count) if self.divisible => !self.mig && self.whole >= count,
            GpuDemand::Whole(count) => !self.mig && self.whole == count,
            GpuDemand::Part(milli) => self.divisible && !self.mig && (self.whole > 0 || u16::from(self.part) * STEP_MILLI >= milli),
            GpuDemand::Instance(instance) => {
                let at = Instance::ALL.iter().position(|other| *other == instance).unwrap_or_default();
                self.divisible && self.mig && self.part & (1 << at) != 0
            }
        }
    }
}
