//! What a node has of a device, and whether it can have it: the arithmetic of the store's own books.
//!
//! Placement proposes with arithmetic of its own (`ionet_market::shape`); this is the word that counts. The two are written apart, and a
//! test holds them against each other.

use ionet_types::market::GpuInstance;
use serde::{Deserialize, Serialize};

/// GPUs of one device that can be told apart.
pub const MAX_GPUS: u8 = 8;
/// Thousandths in a whole GPU.
const WHOLE_MILLI: u16 = 1_000;

/// What a node has of a device.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Share {
    /// Thousandths of a logical CPU.
    pub cpu_milli: u32,
    /// Memory, MiB.
    pub memory_mb: u32,
    /// Disk, MiB.
    pub disk_mb: u32,
    /// GPUs.
    pub gpus: GpuShare,
}

/// Which GPUs, or what of one. They are numbered from 0 in the order of their UUIDs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GpuShare {
    /// None.
    #[default]
    None,
    /// So many thousandths of one, 1 to 999.
    Milli {
        /// Which.
        gpu: u8,
        /// How many.
        milli: u16,
    },
    /// Whole ones, as bits.
    Whole(u8),
    /// A hardware instance of one that is in MIG mode.
    Instance {
        /// Which GPU.
        gpu: u8,
        /// The memory slice that it begins at.
        start: u8,
        /// Its size.
        size: GpuInstance,
    },
}

/// All that a device has, nothing of it taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Thousandths of logical CPUs.
    pub cpu_milli: u32,
    /// Memory, MiB.
    pub memory_mb: u32,
    /// Disk, MiB.
    pub disk_mb: u32,
    /// GPUs, at most [`MAX_GPUS`].
    pub gpus: u8,
    /// They are in MIG mode: instances only.
    pub mig: bool,
}

/// What of one GPU is taken.
#[derive(Debug, Clone, Copy, Default)]
struct Taken {
    milli: u16,
    /// Memory slices, of eight.
    slices: u8,
}

/// The memory slices of an instance: how many, and where it may begin. What NVIDIA's driver allows on GPUs with seven slices of processors
/// (Multi-Instance GPU user guide, "supported MIG profiles").
const fn slices(size: GpuInstance) -> (u8, &'static [u8]) {
    match size {
        GpuInstance::One => (1, &[0, 1, 2, 3, 4, 5, 6]),
        GpuInstance::Two => (2, &[0, 2, 4]),
        GpuInstance::Three => (4, &[0, 4]),
        GpuInstance::Four => (4, &[0]),
        GpuInstance::Seven => (8, &[0]),
    }
}

impl Share {
    /// Whether all of these fit on a device of this size at once: nothing of it is given twice, and there is no more than it has.
    pub fn fit(size: &Size, shares: &[Self]) -> bool {
        let sum = |of: fn(&Self) -> u32| shares.iter().map(|share| u64::from(of(share))).sum::<u64>();
        let mut gpus = [Taken::default(); MAX_GPUS as usize];
        size.gpus <= MAX_GPUS
            && sum(|share| share.cpu_milli) <= u64::from(size.cpu_milli)
            && sum(|share| share.memory_mb) <= u64::from(size.memory_mb)
            && sum(|share| share.disk_mb) <= u64::from(size.disk_mb)
            && shares.iter().all(|share| share.gpus.take(size.mig, &mut gpus[..usize::from(size.gpus)]))
    }
}

impl GpuShare {
    /// Takes it, and says whether it was there.
    fn take(self, mig: bool, gpus: &mut [Taken]) -> bool {
        match self {
            Self::None => true,
            Self::Milli { gpu, milli } => {
                let Some(gpu) = gpus.get_mut(usize::from(gpu)) else { return false };
                let Some(taken) = gpu.milli.checked_add(milli) else { return false };
                gpu.milli = taken;
                !mig && (1..WHOLE_MILLI).contains(&milli) && taken <= WHOLE_MILLI
            }
            Self::Whole(bits) => {
                let mut free = !mig && bits != 0;
                for gpu in (0..MAX_GPUS).filter(|gpu| bits & (1 << gpu) != 0) {
                    let gpu = gpus.get_mut(usize::from(gpu));
                    free &= gpu.is_some_and(|gpu| std::mem::replace(&mut gpu.milli, WHOLE_MILLI) == 0);
                }
                free
            }
            Self::Instance { gpu, start, size } => {
                let (count, starts) = slices(size);
                let Some(gpu) = gpus.get_mut(usize::from(gpu)).filter(|_| mig && starts.contains(&start)) else { return false };
                let wanted = u8::try_from(((1_u16 << count) - 1) << start).unwrap_or(u8::MAX);
                let free = gpu.slices & wanted == 0;
                gpu.slices |= wanted;
                free
            }
        }
    }
}
