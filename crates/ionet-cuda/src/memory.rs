//! Memory on cards: each has a share of the lanes, fills them and sums their blocks up.

use std::ops::Range;
use std::sync::Arc;

use ionet_proofs::memory::{BlockChoice, MemoryOrder, Pass, SUMS_PER_PART};
use ionet_proofs::tree::Shape;
use ionet_proofs::{EngineError, Key, MemoryWork, Stop};
use ionet_types::agent::challenge::{BLOCK_BYTES, Digest, GROUP_BLOCKS, MemoryJob, Nonce, Opened, OpenedBlock};

use crate::device::{Device, Memory, shares};
use crate::kernels::{self, GROUP};
use crate::pace::Pace;
use crate::spread::{Committed, Nodes, Part, read};

const BLOCK: u64 = BLOCK_BYTES as u64;
/// Bytes of a block's sum.
const SUM: u64 = 4;
/// Blocks whose sums are one group.
const SUMS_OF_GROUP: u64 = GROUP / SUM;
/// The filled memory, the commitment to it, and what the last scan found.
pub(crate) struct Kept<D: Device> {
    order: MemoryOrder,
    blocks: Vec<Part<D>>,
    committed: Committed<D>,
    scanning: Vec<Scanning<D>>,
    passes: Vec<(Pass, Committed<D>)>,
}

/// What one card needs for scans, taken before the first.
struct Scanning<D: Device> {
    weights: Memory<D>,
    sums: Memory<D>,
    /// Where the sums begin in those of all cards, in bytes.
    start: u64,
    /// Nodes of all passes, one after the other.
    nodes: Memory<D>,
}

/// Bytes that a job needs for its scans.
pub(crate) fn scan_bytes(job: &MemoryJob, cards: u64) -> u64 {
    let sums = job.blocks() * SUM;
    // The sums with two nodes for each group at most, in each pass; and on each card the weights.
    sums + sums / GROUP * 64 * u64::from(job.passes) + cards * (BLOCK + 1)
}

impl<D: Device> Kept<D> {
    pub(crate) fn fill(order: &MemoryOrder, cards: &[Arc<D>], pace: Pace, stop: &Stop) -> Result<Self, EngineError> {
        let sizes: Vec<u64> = cards.iter().map(|card| card.memory_bytes()).collect();
        let lane_bytes = u64::from(order.job.lane_blocks) * BLOCK;
        let (mut blocks, mut nodes, mut scanning) = (Vec::new(), Vec::new(), Vec::new());
        for (card, lanes) in cards.iter().zip(shares(order.job.lanes.into(), &sizes)).filter(|(_, lanes)| !lanes.is_empty()) {
            let memory = Memory::new(card, (lanes.end - lanes.start) * lane_bytes)?;
            let part = Part { start: lanes.start * lane_bytes, memory };
            nodes.push(Nodes::new(order.shape(), &part, Memory::new(card, Nodes::bytes(&part))?));
            scanning.push(Scanning::new(card, order, &part)?);
            let keys: Vec<Key> = lanes.map(|lane| order.lane_key(lane as u32)).collect();
            let keys_there = Memory::new(card, (keys.len() * size_of::<Key>()) as u64)?;
            keys_there.write(&keys)?;
            kernels::begin_lanes(&part.memory, &keys_there, order)?;
            blocks.push(part);
        }
        let places = (pace.blocks * blocks.len() as u64 / u64::from(order.job.lanes)).max(1);
        in_steps(&blocks, 1..order.job.lane_blocks.into(), places, stop, |part, places| {
            let first_lane = (part.1.start / lane_bytes) as u32;
            kernels::fill_lanes(&part.1.memory, order, first_lane, places.start as u32, places.end as u32)
        })?;
        // Of each card as many groups as the largest part has.
        let groups = |part: &Part<D>| part.groups().end - part.groups().start;
        let most = blocks.iter().map(groups).max().unwrap_or(0);
        in_steps(&blocks, 0..most, pace.groups, stop, |(number, part), places| {
            let first = part.groups().start;
            let nodes: &Nodes<D> = nodes.get(number).ok_or(EngineError::Failed)?;
            nodes.hash(part, first + places.start..first + places.end, order.tree_key())
        })?;
        let committed = Committed::new(order.tree_key(), order.shape(), &blocks, nodes)?;
        Ok(Self { order: *order, blocks, committed, scanning, passes: Vec::new() })
    }

    /// One pass over everything.
    fn pass(&self, pass: &Pass, number: u16) -> Result<Committed<D>, EngineError> {
        let shape = self.order.sums_shape();
        let (mut parts, mut nodes) = (Vec::new(), Vec::new());
        for (blocks, scanning) in self.blocks.iter().zip(&self.scanning) {
            scanning.weights.write(pass.weights())?;
            kernels::sum_blocks(&blocks.memory, &scanning.weights, &scanning.sums)?;
            let part = Part { start: scanning.start, memory: scanning.sums.clone() };
            let nodes_here = scanning.nodes_of(shape, &part, number)?;
            nodes_here.hash(&part, part.groups(), pass.tree_key())?;
            nodes.push(nodes_here);
            parts.push(part);
        }
        Committed::new(pass.tree_key(), shape, &parts, nodes)
    }

    fn opened(&self, block: u64) -> Result<Opened, EngineError> {
        let start = block / u64::from(GROUP_BLOCKS) * GROUP;
        self.committed.open(block, &read(&self.blocks, start..start + GROUP)?)
    }

    /// The sums of the blocks in this range, computed again where the blocks are.
    fn sums(&self, pass: &Pass, range: Range<u64>) -> Result<Vec<u8>, EngineError> {
        let mut sums = Vec::with_capacity(((range.end - range.start) * SUM) as usize);
        for (part, scanning) in self.blocks.iter().zip(&self.scanning) {
            let within = part.range();
            let (start, end) = ((range.start * BLOCK).max(within.start), (range.end * BLOCK).min(within.end));
            if start < end {
                let there = scanning.sums.part(0..(end - start) / BLOCK * SUM)?;
                scanning.weights.write(pass.weights())?;
                kernels::sum_blocks(&part.memory.part(start - part.start..end - part.start)?, &scanning.weights, &there)?;
                sums.extend(there.read::<u8>()?);
            }
        }
        Ok(sums)
    }

    fn open_one(&self, choice: &BlockChoice) -> Result<Option<OpenedBlock>, EngineError> {
        let Some((pass, committed)) = self.passes.get(usize::from(choice.pass)) else { return Ok(None) };
        let (lane, place) = self.order.place(choice.block);
        let parents = if place > 0 {
            let referred = choice.block - u64::from(place) + u64::from(self.order.reference(lane, place));
            Some(Box::new([self.opened(choice.block - 1)?, self.opened(referred)?]))
        } else {
            None
        };
        let first = choice.block / SUMS_OF_GROUP * SUMS_OF_GROUP;
        let sums = self.sums(pass, first..(first + SUMS_OF_GROUP).min(self.order.job.blocks()))?;
        let scanned = committed.open(choice.block / SUMS_PER_PART, &sums)?;
        Ok(Some(OpenedBlock { block: self.opened(choice.block)?, parents, scanned }))
    }
}

impl<D: Device> Scanning<D> {
    fn new(card: &Arc<D>, order: &MemoryOrder, blocks: &Part<D>) -> Result<Self, EngineError> {
        let sums = Memory::new(card, blocks.memory.bytes() / BLOCK * SUM)?;
        let start = blocks.start / BLOCK * SUM;
        let part = Part { start, memory: sums.clone() };
        let nodes = Memory::new(card, Nodes::bytes(&part) * u64::from(order.job.passes))?;
        Ok(Self { weights: Memory::new(card, BLOCK)?, sums, start, nodes })
    }

    fn nodes_of(&self, shape: Shape, part: &Part<D>, pass: u16) -> Result<Nodes<D>, EngineError> {
        let (each, pass) = (Nodes::bytes(part), u64::from(pass));
        Ok(Nodes::new(shape, part, self.nodes.part(each * pass..each * (pass + 1))?))
    }
}

/// Has all cards work on a range of `each`, waits for all of them, and goes on with the next until `all` is done.
fn in_steps<D: Device>(
    parts: &[Part<D>],
    all: Range<u64>,
    each: u64,
    stop: &Stop,
    work: impl Fn((usize, &Part<D>), Range<u64>) -> Result<(), EngineError>,
) -> Result<(), EngineError> {
    let mut start = all.start;
    while start < all.end {
        if stop.is_stopped() {
            return Err(EngineError::Stopped);
        }
        let range = start..start.saturating_add(each).min(all.end);
        parts.iter().enumerate().try_for_each(|part| work(part, range.clone()))?;
        parts.iter().try_for_each(|part| part.memory.device().wait())?;
        start = range.end;
    }
    Ok(())
}

impl<D: Device> MemoryWork for Kept<D> {
    fn root(&self) -> Digest {
        self.committed.root()
    }

    fn scan(&mut self, nonce: &Nonce, stop: &Stop) -> Result<Vec<Digest>, EngineError> {
        self.passes.clear();
        let mut roots: Vec<Digest> = Vec::new();
        for number in 0..self.order.job.passes {
            if stop.is_stopped() {
                return Err(EngineError::Stopped);
            }
            let pass = self.order.pass(nonce, number, roots.last());
            let committed = self.pass(&pass, number)?;
            roots.push(committed.root());
            self.passes.push((pass, committed));
        }
        Ok(roots)
    }

    fn open(&self, blocks: &[BlockChoice]) -> Result<Vec<OpenedBlock>, EngineError> {
        blocks.iter().filter_map(|choice| self.open_one(choice).transpose()).collect()
    }
}
