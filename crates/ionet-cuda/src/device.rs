//! What the engine needs of a card: memory, and kernels that run in the order in which they were launched. [`Card`](crate::card::Card) is one
//! through NVIDIA's driver; tests put a processor that runs the same kernels in its place.

use std::ops::Range;
use std::sync::Arc;

use bytemuck::Pod;
use ionet_proofs::EngineError;

/// One card. Work is done in the order in which it was asked for; whatever fails may be noticed by a later call.
pub(crate) trait Device: Send + Sync + 'static {
    /// How fast it computes, in any unit: shares of a job's arithmetic are in proportion to it.
    fn speed(&self) -> u64;

    /// Its memory in bytes: shares of a job's memory are in proportion to it.
    fn memory_bytes(&self) -> u64;

    /// Address of new memory of `bytes` bytes, aligned to 256.
    fn allocate(&self, bytes: u64) -> Result<u64, EngineError>;

    /// Gives memory back, when all work that was asked for is done.
    fn free(&self, address: u64);

    /// Writes to memory. The caller sees to it that the bytes lie within what was allocated.
    fn upload(&self, to: u64, bytes: &[u8]) -> Result<(), EngineError>;

    /// Reads from memory, when all work that was asked for is done. The caller sees to it that the bytes lie within what was allocated.
    fn download(&self, from: u64, bytes: &mut [u8]) -> Result<(), EngineError>;

    /// Asks for a kernel's work on `blocks` blocks of its threads. The arguments are the kernel's; the caller sees to it that the addresses in
    /// them have the memory that the kernel reads and writes.
    fn launch(&self, kernel: Kernel, blocks: u32, arguments: &[u8]) -> Result<(), EngineError>;

    /// Waits until all work that was asked for is done.
    fn wait(&self) -> Result<(), EngineError>;
}

/// The kernels of `kernels/`, which say what each does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kernel {
    HashGroups,
    MergeNodes,
    BeginLanes,
    FillLanes,
    SumBlocks,
    ReadRows,
    ReadColumns,
    Multiply,
}

impl Kernel {
    /// All of them, in the order in which they are numbered.
    pub(crate) const ALL: [Self; 8] = [
        Self::HashGroups,
        Self::MergeNodes,
        Self::BeginLanes,
        Self::FillLanes,
        Self::SumBlocks,
        Self::ReadRows,
        Self::ReadColumns,
        Self::Multiply,
    ];

    /// Its name in the sources.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HashGroups => "hash_groups",
            Self::MergeNodes => "merge_nodes",
            Self::BeginLanes => "begin_lanes",
            Self::FillLanes => "fill_lanes",
            Self::SumBlocks => "sum_blocks",
            Self::ReadRows => "read_rows",
            Self::ReadColumns => "read_columns",
            Self::Multiply => "multiply",
        }
    }

    /// Threads of one of its blocks.
    pub(crate) const fn threads(self) -> u32 {
        match self {
            Self::BeginLanes | Self::FillLanes => 32,
            Self::HashGroups | Self::MergeNodes | Self::ReadRows | Self::ReadColumns => 128,
            Self::SumBlocks | Self::Multiply => 256,
        }
    }
}

/// Memory of one card, or a part of it; what was allocated together is given back together, with the last part.
pub(crate) struct Memory<D: Device> {
    whole: Arc<Whole<D>>,
    start: u64,
    bytes: u64,
}

struct Whole<D: Device> {
    device: Arc<D>,
    address: u64,
}

impl<D: Device> Drop for Whole<D> {
    fn drop(&mut self) {
        self.device.free(self.address);
    }
}

impl<D: Device> Clone for Memory<D> {
    fn clone(&self) -> Self {
        Self { whole: self.whole.clone(), start: self.start, bytes: self.bytes }
    }
}

impl<D: Device> Memory<D> {
    /// New memory, with whatever was in it.
    pub(crate) fn new(device: &Arc<D>, bytes: u64) -> Result<Self, EngineError> {
        let address = device.allocate(bytes.max(1))?;
        Ok(Self { whole: Arc::new(Whole { device: device.clone(), address }), start: 0, bytes })
    }

    pub(crate) fn device(&self) -> &Arc<D> {
        &self.whole.device
    }

    pub(crate) fn address(&self) -> u64 {
        self.whole.address + self.start
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The part between two places in bytes, which lie in this memory.
    pub(crate) fn part(&self, part: Range<u64>) -> Result<Self, EngineError> {
        if part.start > part.end || part.end > self.bytes {
            return Err(EngineError::Failed);
        }
        Ok(Self { whole: self.whole.clone(), start: self.start + part.start, bytes: part.end - part.start })
    }

    /// Writes as many values as there are, from the beginning.
    pub(crate) fn write<T: Pod>(&self, values: &[T]) -> Result<(), EngineError> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        if bytes.len() as u64 > self.bytes {
            return Err(EngineError::Failed);
        }
        self.whole.device.upload(self.address(), bytes)
    }

    /// Reads all of it.
    pub(crate) fn read<T: Pod>(&self) -> Result<Vec<T>, EngineError> {
        let mut values = vec![T::zeroed(); self.bytes as usize / size_of::<T>()];
        if !values.is_empty() {
            self.whole.device.download(self.address(), bytemuck::cast_slice_mut(&mut values))?;
        }
        Ok(values)
    }
}

/// Consecutive shares of `units`, one for each weight and in proportion to it; together they are all of them.
pub(crate) fn shares(units: u64, weights: &[u64]) -> Vec<Range<u64>> {
    let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>().max(1);
    let mut sum = 0u128;
    let mut start = 0;
    let mut shares = Vec::with_capacity(weights.len());
    for (number, weight) in weights.iter().enumerate() {
        sum += u128::from(*weight);
        let end = if number + 1 == weights.len() { units } else { (u128::from(units) * sum / total) as u64 };
        shares.push(start..end);
        start = end;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shares_are_everything_and_fair(units in 0u64..1 << 40, weights in prop::collection::vec(0u64..1 << 40, 1..9)) {
            let shares = shares(units, &weights);
            prop_assert_eq!(shares.len(), weights.len());
            prop_assert_eq!(shares.iter().fold(0, |end, share| { assert!(share.start == end && share.end >= end); share.end }), units);
            let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
            for (share, weight) in shares.iter().zip(&weights).filter(|_| total > 0) {
                let fair = (u128::from(units) * u128::from(*weight) / total) as u64;
                prop_assert!((share.end - share.start).abs_diff(fair) <= 1, "{share:?} {fair}");
            }
        }
    }
}
