//! What a node asks of a device, what a device has left, and how the one is taken out of the other: the arithmetic below placement.
//!
//! Four ways to ask for GPUs: none, a part of one, whole ones, or a hardware instance of one (MIG). A part comes from a single GPU, and a
//! GPU that is cut into instances gives nothing else.

mod outline;

pub use outline::EXACT_BITS;
use thiserror::Error;

/// GPUs of one device that the market tells apart. Devices with more are not offered (docs/DEVICES.md).
pub const MAX_GPUS: usize = 8;
/// Thousandths in a whole GPU.
pub const WHOLE_MILLI: u16 = 1_000;
/// Memory slices of a GPU that can be cut into instances.
const MIG_SLICES: u8 = 8;

/// A size of hardware instance: so many sevenths of a GPU's processors, with the memory slices that belong to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instance {
    /// `1g`.
    One,
    /// `2g`.
    Two,
    /// `3g`.
    Three,
    /// `4g`.
    Four,
    /// `7g`: all of it.
    Seven,
}

impl Instance {
    /// All of them, smallest first.
    pub const ALL: [Self; 5] = [Self::One, Self::Two, Self::Three, Self::Four, Self::Seven];

    /// Its processors, in thousandths of the GPU, rounded up: what it is charged as.
    pub const fn milli(self) -> u16 {
        match self {
            Self::One => 143,
            Self::Two => 286,
            Self::Three => 429,
            Self::Four => 572,
            Self::Seven => WHOLE_MILLI,
        }
    }

    /// Memory slices that it takes, of eight.
    pub const fn slices(self) -> u8 {
        match self {
            Self::One => 1,
            Self::Two => 2,
            Self::Three | Self::Four => 4,
            Self::Seven => MIG_SLICES,
        }
    }

    /// The slices at which it may begin: what the vendor's driver allows.
    pub const fn starts(self) -> &'static [u8] {
        match self {
            Self::One => &[0, 1, 2, 3, 4, 5, 6],
            Self::Two => &[0, 2, 4],
            Self::Three => &[0, 4],
            Self::Four | Self::Seven => &[0],
        }
    }

    /// The slices that it takes when it begins at `start`, as bits.
    const fn bits(self, start: u8) -> u16 {
        ((1_u16 << self.slices()) - 1) << start
    }
}

/// GPUs that a node asks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GpuDemand {
    /// None.
    #[default]
    None,
    /// So many thousandths of one GPU, 1 to 999.
    Part(u16),
    /// So many whole ones, 1 to [`MAX_GPUS`].
    Whole(u8),
    /// A hardware instance of one.
    Instance(Instance),
}

impl GpuDemand {
    /// All of it in thousandths of a GPU.
    pub fn milli(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Part(milli) => u32::from(milli),
            Self::Whole(count) => u32::from(count) * u32::from(WHOLE_MILLI),
            Self::Instance(instance) => u32::from(instance.milli()),
        }
    }
}

/// What one node asks of one device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Demand {
    /// Thousandths of a logical CPU.
    pub cpu_milli: u32,
    /// Memory, MiB.
    pub memory_mb: u32,
    /// Disk, MiB.
    pub disk_mb: u32,
    /// GPUs.
    pub gpus: GpuDemand,
}

/// What of a device is free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Room {
    /// Thousandths of a logical CPU.
    pub cpu_milli: u32,
    /// Memory, MiB.
    pub memory_mb: u32,
    /// Disk, MiB.
    pub disk_mb: u32,
    /// How many GPUs it has, free or not.
    pub gpu_count: u8,
    /// Its GPUs are cut into instances.
    pub mig: bool,
    /// Of each GPU: free thousandths; with `mig`, the memory slices that are taken, as bits.
    gpus: [u16; MAX_GPUS],
}

/// Where on a device a demand's GPUs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Slot {
    /// No GPU.
    None,
    /// A part of this GPU.
    Part(u8),
    /// These GPUs, as bits.
    Whole(u8),
    /// An instance on this GPU.
    Instance {
        /// Which GPU.
        gpu: u8,
        /// The slice that it begins at.
        start: u8,
    },
}

/// What was to be taken is not free, or what was to be given back was not taken: the caller's books are wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the device's books do not allow it: {0}")]
pub struct Unbalanced(&'static str);

impl Room {
    /// All of a device, nothing of it taken. `None` with more than [`MAX_GPUS`] GPUs.
    pub fn new(cpu_milli: u32, memory_mb: u32, disk_mb: u32, gpu_count: u8, mig: bool) -> Option<Self> {
        let count = usize::from(gpu_count);
        let mut gpus = [0; MAX_GPUS];
        gpus.get_mut(..count)?.fill(if mig { 0 } else { WHOLE_MILLI });
        Some(Self { cpu_milli, memory_mb, disk_mb, gpu_count, mig, gpus })
    }

    /// The demand that takes all of a device of which nothing is taken, as one is given whole, and where.
    pub fn all(&self) -> (Demand, Slot) {
        let (gpus, slot) = match self.gpu_count {
            0 => (GpuDemand::None, Slot::None),
            count => (GpuDemand::Whole(count), Slot::Whole(u8::MAX >> (MAX_GPUS - usize::from(count)))),
        };
        (Demand { cpu_milli: self.cpu_milli, memory_mb: self.memory_mb, disk_mb: self.disk_mb, gpus }, slot)
    }

    /// Free thousandths of each GPU that is not cut into instances; of one that is, those of its free slices.
    pub fn gpu_milli(&self) -> impl Iterator<Item = u16> + '_ {
        self.gpus[..usize::from(self.gpu_count)].iter().map(|&gpu| {
            if self.mig {
                // The last slice has memory and no processors.
                let free = u16::try_from((!gpu & 0x7f).count_ones()).expect("at most seven bits");
                free * WHOLE_MILLI / 7
            } else {
                gpu
            }
        })
    }

    /// Free thousandths of GPU, all of them together.
    pub fn gpu_milli_sum(&self) -> u32 {
        self.gpu_milli().map(u32::from).sum()
    }

    /// No GPU has more thousandths free than this.
    pub fn most_milli(&self) -> u16 {
        if self.mig { self.gpu_milli().max().unwrap_or(0) } else { self.gpus.into_iter().fold(0, u16::max) }
    }

    /// GPUs of which nothing is taken.
    pub fn whole_gpus(&self) -> u8 {
        let untouched = if self.mig { 0 } else { WHOLE_MILLI };
        u8::try_from(self.gpus[..usize::from(self.gpu_count)].iter().filter(|&&gpu| gpu == untouched).count()).expect("at most eight")
    }

    /// Whether the demand could be taken now.
    pub fn fits(&self, demand: &Demand) -> bool {
        self.cpu_milli >= demand.cpu_milli
            && self.memory_mb >= demand.memory_mb
            && self.disk_mb >= demand.disk_mb
            && match demand.gpus {
                GpuDemand::None => true,
                GpuDemand::Part(milli) => !self.mig && self.gpus[..usize::from(self.gpu_count)].iter().any(|&free| free >= milli),
                GpuDemand::Whole(count) => !self.mig && self.whole_gpus() >= count,
                GpuDemand::Instance(_) => self.mig && self.slots(demand.gpus).next().is_some(),
            }
    }

    /// The places on the device where these GPUs could come from: of places that leave the device in the same state only the first.
    /// CPU, memory and disk are not looked at.
    pub fn slots(&self, gpus: GpuDemand) -> impl Iterator<Item = Slot> + '_ {
        let mut found = [None; MAX_GPUS * 7];
        let mut count = 0;
        let mut push = |slot| {
            found[count] = Some(slot);
            count += 1;
        };
        let own = &self.gpus[..usize::from(self.gpu_count)];
        let first_of_its_state = |index: usize| !own[..index].contains(&own[index]);
        match gpus {
            GpuDemand::None => push(Slot::None),
            GpuDemand::Part(milli) if !self.mig => {
                for (index, _) in (0_u8..).zip(own).filter(|&(index, &free)| free >= milli && first_of_its_state(usize::from(index))) {
                    push(Slot::Part(index));
                }
            }
            GpuDemand::Whole(wanted) if !self.mig && wanted > 0 => {
                let free = (0_u8..).zip(own).filter(|&(_, &free)| free == WHOLE_MILLI).take(usize::from(wanted));
                let (bits, got) = free.fold((0_u8, 0_u8), |(bits, got), (index, _)| (bits | (1 << index), got + 1));
                if got == wanted {
                    push(Slot::Whole(bits));
                }
            }
            GpuDemand::Instance(instance) if self.mig => {
                for (gpu, &taken) in (0_u8..).zip(own).filter(|&(index, _)| first_of_its_state(usize::from(index))) {
                    for &start in instance.starts().iter().filter(|&&start| taken & instance.bits(start) == 0) {
                        push(Slot::Instance { gpu, start });
                    }
                }
            }
            GpuDemand::Part(_) | GpuDemand::Whole(_) | GpuDemand::Instance(_) => {}
        }
        found.into_iter().flatten()
    }

    /// The same room with its GPUs in order of what is free of them: rooms that differ only in which GPU is which become equal.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.gpus[..usize::from(self.gpu_count)].sort_unstable_by(|left, right| right.cmp(left));
        self
    }

    /// Takes the demand where it leaves the least behind, and says whether it fitted: a part from the fullest GPU that has it, an
    /// instance from the fullest GPU and as far back as it may begin, so that the large ones, which begin at the front, stay possible.
    #[inline]
    pub fn take_tightly(&mut self, demand: &Demand) -> bool {
        if self.cpu_milli < demand.cpu_milli || self.memory_mb < demand.memory_mb || self.disk_mb < demand.disk_mb {
            return false;
        }
        let (mig, own) = (self.mig, &mut self.gpus[..usize::from(self.gpu_count)]);
        let taken = match demand.gpus {
            GpuDemand::None => true,
            GpuDemand::Part(milli) if !mig => {
                let mut tightest: Option<&mut u16> = None;
                for free in own {
                    if *free >= milli && tightest.as_ref().is_none_or(|found| *free < **found) {
                        tightest = Some(free);
                    }
                }
                tightest.is_some_and(|free| {
                    *free -= milli;
                    true
                })
            }
            GpuDemand::Whole(count) if !mig => {
                let count = usize::from(count);
                let enough = own.iter().filter(|&&free| free == WHOLE_MILLI).count() >= count;
                if enough {
                    own.iter_mut().filter(|free| **free == WHOLE_MILLI).take(count).for_each(|free| *free = 0);
                }
                enough
            }
            GpuDemand::Instance(instance) if mig => {
                let start = |taken: u16| instance.starts().iter().rev().copied().find(|&start| taken & instance.bits(start) == 0);
                let tightest =
                    own.iter_mut().filter_map(|taken| Some((start(*taken)?, taken))).max_by_key(|(_, taken)| (taken.count_ones(), **taken));
                tightest.is_some_and(|(start, taken)| {
                    *taken |= instance.bits(start);
                    true
                })
            }
            GpuDemand::Part(_) | GpuDemand::Whole(_) | GpuDemand::Instance(_) => false,
        };
        if taken {
            self.cpu_milli -= demand.cpu_milli;
            self.memory_mb -= demand.memory_mb;
            self.disk_mb -= demand.disk_mb;
        }
        taken
    }

    /// Takes the demand, its GPUs at `slot`. Nothing is taken if not all of it can be.
    pub fn take(&mut self, demand: &Demand, slot: Slot) -> Result<(), Unbalanced> {
        let mut left = *self;
        let minus = |free: u32, asked: u32, what| free.checked_sub(asked).ok_or(Unbalanced(what));
        left.cpu_milli = minus(self.cpu_milli, demand.cpu_milli, "not enough CPU is free")?;
        left.memory_mb = minus(self.memory_mb, demand.memory_mb, "not enough memory is free")?;
        left.disk_mb = minus(self.disk_mb, demand.disk_mb, "not enough disk is free")?;
        left.change(demand.gpus, slot, true)?;
        *self = left;
        Ok(())
    }

    /// Gives back what [`Room::take`] took, to a device that had `whole` when nothing of it was taken.
    pub fn give(&mut self, demand: &Demand, slot: Slot, whole: &Self) -> Result<(), Unbalanced> {
        let mut left = *self;
        let plus = |free: u32, back: u32, all: u32, what| free.checked_add(back).filter(|&sum| sum <= all).ok_or(Unbalanced(what));
        left.cpu_milli = plus(self.cpu_milli, demand.cpu_milli, whole.cpu_milli, "more CPU comes back than was taken")?;
        left.memory_mb = plus(self.memory_mb, demand.memory_mb, whole.memory_mb, "more memory comes back than was taken")?;
        left.disk_mb = plus(self.disk_mb, demand.disk_mb, whole.disk_mb, "more disk comes back than was taken")?;
        left.change(demand.gpus, slot, false)?;
        *self = left;
        Ok(())
    }

    fn change(&mut self, gpus: GpuDemand, slot: Slot, take: bool) -> Result<(), Unbalanced> {
        let (mig, own) = (self.mig, &mut self.gpus[..usize::from(self.gpu_count)]);
        let missing = Unbalanced("the device has no such GPU");
        let busy = Unbalanced(if take { "the GPU is taken" } else { "the GPU was not taken" });
        match (gpus, slot) {
            (GpuDemand::None, Slot::None) => Ok(()),
            (GpuDemand::Part(milli), Slot::Part(index)) if !mig => {
                let free = own.get_mut(usize::from(index)).ok_or(missing)?;
                let after = if take { free.checked_sub(milli) } else { free.checked_add(milli).filter(|&sum| sum <= WHOLE_MILLI) };
                *free = after.ok_or(busy)?;
                Ok(())
            }
            (GpuDemand::Whole(count), Slot::Whole(bits)) if !mig && bits.count_ones() == u32::from(count) => {
                let (from, to) = if take { (WHOLE_MILLI, 0) } else { (0, WHOLE_MILLI) };
                for index in (0..MAX_GPUS).filter(|index| bits & (1 << index) != 0) {
                    let free = own.get_mut(index).ok_or(missing)?;
                    if *free != from {
                        return Err(busy);
                    }
                    *free = to;
                }
                Ok(())
            }
            (GpuDemand::Instance(instance), Slot::Instance { gpu, start }) if mig && instance.starts().contains(&start) => {
                let taken = own.get_mut(usize::from(gpu)).ok_or(missing)?;
                let bits = instance.bits(start);
                if *taken & bits != if take { 0 } else { bits } {
                    return Err(busy);
                }
                *taken ^= bits;
                Ok(())
            }
            _ => Err(Unbalanced("the slot is not of the kind that was asked for")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn gpu_demands() -> impl Strategy<Value = GpuDemand> {
        prop_oneof![
            Just(GpuDemand::None),
            (1_u16..WHOLE_MILLI).prop_map(GpuDemand::Part),
            (1_u8..=8).prop_map(GpuDemand::Whole),
            prop::sample::select(Instance::ALL.to_vec()).prop_map(GpuDemand::Instance),
        ]
    }

    fn demands() -> impl Strategy<Value = Demand> {
        (0_u32..4_000, 0_u32..4_000, 0_u32..4_000, gpu_demands()).prop_map(|(cpu_milli, memory_mb, disk_mb, gpus)| Demand {
            cpu_milli,
            memory_mb,
            disk_mb,
            gpus,
        })
    }

    proptest! {
        /// Whatever is taken in any order and given back in any order, the books balance and never go beyond the device.
        #[test]
        fn what_is_taken_comes_back(count in 0_u8..=8, mig: bool, list in prop::collection::vec((demands(), any::<prop::sample::Index>()), 0..40)) {
            let whole = Room::new(20_000, 20_000, 20_000, count, mig).unwrap();
            let mut room = whole;
            let mut taken: Vec<(Demand, Slot)> = Vec::new();
            for (demand, pick) in &list {
                let slots: Vec<_> = room.slots(demand.gpus).collect();
                let enough = room.cpu_milli >= demand.cpu_milli && room.memory_mb >= demand.memory_mb && room.disk_mb >= demand.disk_mb;
                prop_assert_eq!(room.fits(demand), enough && !slots.is_empty());
                let mut tight = room;
                prop_assert_eq!(tight.take_tightly(demand), room.fits(demand));
                prop_assert!(tight.take_tightly(&Demand::default()));
                prop_assert_eq!(Some(room.most_milli()), room.gpu_milli().max().or(Some(0)));
                if room.fits(demand) {
                    // What is taken tightly is one of the ways to take it.
                    let after = |slot| {
                        let mut after = room;
                        after.take(demand, slot).unwrap();
                        after.sorted()
                    };
                    prop_assert!(slots.iter().any(|&slot| after(slot) == tight.sorted()));
                    let slot = *pick.get(&slots);
                    let before = room;
                    room.take(demand, slot).unwrap();
                    taken.push((*demand, slot));
                    prop_assert_eq!(room.cpu_milli + demand.cpu_milli, before.cpu_milli);
                    if !mig {
                        prop_assert_eq!(room.gpu_milli_sum() + demand.gpus.milli(), before.gpu_milli_sum());
                    }
                } else {
                    let before = room;
                    prop_assert!(room.take(demand, slots.first().copied().unwrap_or(Slot::Whole(1))).is_err());
                    prop_assert_eq!(room, before);
                    if let Some((demand, slot)) = (!taken.is_empty()).then(|| taken.swap_remove(pick.index(taken.len()))) {
                        room.give(&demand, slot, &whole).unwrap();
                    }
                }
            }
            for (demand, slot) in taken {
                room.give(&demand, slot, &whole).unwrap();
                prop_assert!(demand == Demand::default() || room.give(&demand, slot, &room.clone()).is_err() || demand.gpus == GpuDemand::None);
            }
            prop_assert_eq!(room, whole);
        }
    }

    #[test]
    fn instances_begin_where_the_driver_lets_them() {
        let mut room = Room::new(1, 1, 1, 1, true).unwrap();
        let ask = |instance| Demand { gpus: GpuDemand::Instance(instance), ..Demand::default() };
        room.take(&ask(Instance::One), Slot::Instance { gpu: 0, start: 5 }).unwrap();
        // Three need the slices 0 to 3 or 4 to 7, and 5 is taken.
        assert_eq!(room.slots(GpuDemand::Instance(Instance::Three)).collect::<Vec<_>>(), [Slot::Instance { gpu: 0, start: 0 }]);
        assert!(!room.fits(&ask(Instance::Seven)));
        assert!(room.take(&ask(Instance::Two), Slot::Instance { gpu: 0, start: 1 }).is_err());
        assert!(Room::new(1, 1, 1, 9, false).is_none());
    }
}
