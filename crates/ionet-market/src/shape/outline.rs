//! Rooms that are almost alike, made equal, so that a placement looks at a few hundred kinds of room and not at every device.

use super::{Room, WHOLE_MILLI};

/// Outlines with so many significant bits say everything: they differ from the room only in the order of its GPUs.
pub const EXACT_BITS: u32 = u32::BITS;
/// A GPU's free part is rounded up to this, in thousandths. A GPU of which something is taken never becomes a whole one.
const PART_STEP_MILLI: u16 = 50;

impl Room {
    /// The room's outline: CPU and memory rounded up to `bits` significant bits, the free parts of GPUs to a twentieth, GPUs in order of
    /// what is free of them, and any amount of disk. Whatever fits the room fits its outline.
    #[must_use]
    pub fn outline(mut self, bits: u32) -> Self {
        self.cpu_milli = round_up(self.cpu_milli, bits);
        self.memory_mb = round_up(self.memory_mb, bits);
        self.disk_mb = u32::MAX;
        let own = &mut self.gpus[..usize::from(self.gpu_count)];
        if bits < EXACT_BITS && !self.mig {
            for free in own.iter_mut().filter(|free| **free < WHOLE_MILLI) {
                *free = free.next_multiple_of(PART_STEP_MILLI).min(WHOLE_MILLI - 1);
            }
        }
        own.sort_unstable_by(|left, right| right.cmp(left));
        self
    }
}

fn round_up(value: u32, bits: u32) -> u32 {
    let below = (u32::BITS - value.leading_zeros()).saturating_sub(bits);
    let mask = 1_u32.checked_shl(below).map_or(u32::MAX, |bit| bit - 1);
    value.checked_add(mask).map_or(u32::MAX, |sum| sum & !mask)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::shape::{Demand, GpuDemand};

    proptest! {
        #[test]
        fn what_fits_the_room_fits_its_outline(cpu_milli: u32, memory_mb: u32, parts in prop::collection::vec(0_u16..=1_000, 0..=8), cpu: u32, milli in 1_u16..1_000, whole in 1_u8..=8, bits in 1_u32..=32) {
            let count = u8::try_from(parts.len()).unwrap();
            let mut room = Room::new(cpu_milli, memory_mb, 10, count, false).unwrap();
            for (gpu, part) in (0_u8..).zip(&parts).filter(|(_, part)| **part > 0) {
                let slot = if *part == WHOLE_MILLI { (GpuDemand::Whole(1), crate::shape::Slot::Whole(1 << gpu)) } else { (GpuDemand::Part(*part), crate::shape::Slot::Part(gpu)) };
                room.take(&Demand { gpus: slot.0, ..Demand::default() }, slot.1).unwrap();
            }
            let outline = room.outline(bits);
            for gpus in [GpuDemand::None, GpuDemand::Part(milli), GpuDemand::Whole(whole)] {
                let demand = Demand { cpu_milli: cpu, memory_mb: cpu, disk_mb: 10, gpus };
                prop_assert!(!room.fits(&demand) || outline.fits(&demand));
            }
            prop_assert_eq!(outline.whole_gpus(), room.whole_gpus());
            prop_assert_eq!(outline.outline(bits), outline);
            prop_assert!(outline.cpu_milli >= room.cpu_milli && (bits < 2 || outline.cpu_milli / 2 <= room.cpu_milli));
        }
    }
}
