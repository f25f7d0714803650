//! Rooms that are almost alike, made equal, so that what is known of one is known of all of them.

use super::{Demand, Room};

/// Outlines with so many significant bits say everything: they differ from the room only in the order of its GPUs.
pub const EXACT_BITS: u32 = u32::BITS;

impl Room {
    /// The room's outline: CPU rounded up to `bits` significant bits and memory to one less, any amount of disk, and the GPUs as they are,
    /// those first of which most is free. Whatever fits the room fits its outline. GPUs are not rounded: of a production cluster's GPUs
    /// that costs one to three in a hundred, while CPU and memory so rounded cost nothing (`examples/bench_trace`).
    #[must_use]
    pub fn outline(self, bits: u32) -> Self {
        let rounded = Self {
            cpu_milli: round_up(self.cpu_milli, bits),
            memory_mb: round_up(self.memory_mb, memory_bits(bits)),
            disk_mb: u32::MAX,
            ..self
        };
        rounded.sorted()
    }
}

impl Demand {
    /// The demand with CPU and memory as in an outline, and no disk: demands that are almost alike become equal.
    #[must_use]
    pub fn outline(self, bits: u32) -> Self {
        Self { cpu_milli: round_up(self.cpu_milli, bits), memory_mb: round_up(self.memory_mb, memory_bits(bits)), disk_mb: 0, ..self }
    }
}

const fn memory_bits(bits: u32) -> u32 {
    if bits < EXACT_BITS && bits > 1 { bits - 1 } else { bits }
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
    use crate::shape::{GpuDemand, Instance};

    fn rooms() -> impl Strategy<Value = Room> {
        let taken =
            prop::collection::vec((any::<prop::sample::Index>(), 1_u16..1_000, prop::sample::select(Instance::ALL.to_vec())), 0..24);
        (any::<u32>(), any::<u32>(), 0_u8..=8, any::<bool>(), taken).prop_map(|(cpu_milli, memory_mb, count, mig, taken)| {
            let mut room = Room::new(cpu_milli, memory_mb, 10, count, mig).unwrap();
            for (which, milli, instance) in taken {
                let whole = if milli % 3 == 0 { GpuDemand::Whole(1) } else { GpuDemand::Part(milli) };
                let demand = Demand { gpus: if mig { GpuDemand::Instance(instance) } else { whole }, ..Demand::default() };
                let slots: Vec<_> = room.slots(demand.gpus).collect();
                if !slots.is_empty() {
                    room.take(&demand, *which.get(&slots)).unwrap();
                }
            }
            room
        })
    }

    proptest! {
        #[test]
        fn what_fits_the_room_fits_its_outline(room in rooms(), cpu: u32, milli in 1_u16..1_000, whole in 1_u8..=8, bits in 1_u32..=32) {
            let outline = room.outline(bits);
            let instances = Instance::ALL.map(GpuDemand::Instance);
            for gpus in [GpuDemand::None, GpuDemand::Part(milli), GpuDemand::Whole(whole)].into_iter().chain(instances) {
                let demand = Demand { cpu_milli: cpu, memory_mb: cpu, disk_mb: 10, gpus };
                prop_assert!(!room.fits(&demand) || outline.fits(&demand));
                prop_assert!(demand.outline(bits).cpu_milli >= cpu);
            }
            prop_assert_eq!(outline.whole_gpus(), room.whole_gpus());
            prop_assert_eq!(outline.outline(bits), outline);
            prop_assert!(outline.cpu_milli >= room.cpu_milli && (bits < 2 || outline.cpu_milli / 2 <= room.cpu_milli));
        }
    }
}
