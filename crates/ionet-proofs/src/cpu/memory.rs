//! Memory, filled lane by lane and read pass by pass.

use std::num::NonZeroUsize;

use ionet_types::agent::challenge::{Digest, GROUP_BLOCKS, Nonce, Opened, OpenedBlock};
use pulp::{Arch, NullaryFnOnce};

use super::{spread, zeros};
use crate::engine::{EngineError, MemoryWork, Stop};
use crate::memory::{BLOCK_WORDS, Block, BlockChoice, MemoryOrder, Pass, SUMS_PER_PART};
use crate::tree::{GROUP_BYTES, Node, Tree, group_node};

/// Blocks whose sums are hashed together: 4 MiB of memory.
const SUMS_PER_GROUP: usize = GROUP_BYTES / 4;

/// The filled memory, the tree over it, and the trees over the sums of the last scan.
pub(super) struct Kept {
    order: MemoryOrder,
    threads: NonZeroUsize,
    blocks: Vec<Block>,
    tree: Tree,
    passes: Vec<(Pass, Tree)>,
}

impl Kept {
    pub(super) fn fill(order: &MemoryOrder, threads: NonZeroUsize, stop: &Stop) -> Result<Self, EngineError> {
        let (shape, group_blocks) = (order.shape(), GROUP_BLOCKS as usize);
        let lane_blocks = order.job.lane_blocks as usize;
        let lane_groups = lane_blocks / group_blocks;
        let length = usize::try_from(order.job.blocks()).map_err(|_| EngineError::OutOfMemory)?;
        let mut blocks = zeros::<Block>(length)?;
        let mut groups: Vec<Node> = zeros(length / group_blocks)?;
        let lanes = (0..).zip(blocks.chunks_exact_mut(lane_blocks).zip(groups.chunks_exact_mut(lane_groups)));
        spread(lanes, threads, stop, Arch::new, |arch, (lane, (blocks, groups))| {
            let lane: u32 = lane;
            for (group, node) in groups.iter_mut().enumerate() {
                if stop.is_stopped() {
                    return;
                }
                let start = group * group_blocks;
                arch.dispatch(Make { order, lane, blocks, start, end: start + group_blocks });
                let bytes: &[u8] = bytemuck::cast_slice(&blocks[start..start + group_blocks]);
                *node = group_node(&order.tree, shape, (lane as usize * lane_groups + group) as u64, bytes);
            }
        })?;
        let tree = Tree::new(order.tree, shape, groups);
        Ok(Self { order: *order, threads, blocks, tree, passes: Vec::new() })
    }

    fn opened(&self, block: u64) -> Opened {
        let start = block as usize / GROUP_BLOCKS as usize * GROUP_BLOCKS as usize;
        let group = self.blocks.get(start..start + GROUP_BLOCKS as usize).unwrap_or_default();
        self.tree.open(block, bytemuck::cast_slice(group))
    }
}

/// Makes the blocks `start..end` of a lane.
struct Make<'a> {
    order: &'a MemoryOrder,
    lane: u32,
    blocks: &'a mut [Block],
    start: usize,
    end: usize,
}

/// Sums of blocks, one after the other.
struct Sum<'a> {
    pass: &'a Pass,
    blocks: &'a [Block],
    sums: &'a mut [u32],
}

// Plain types instead of closures: only what is inlined into the dispatch is compiled for the vector unit that was found, and a closure
// cannot be told to be.

impl NullaryFnOnce for Make<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for place in self.start..self.end {
            let (done, rest) = self.blocks.split_at_mut(place);
            let Some(made) = rest.first_mut() else { return };
            match done.last() {
                None => *made = self.order.first(self.lane),
                Some(previous) => {
                    let referred = &done[self.order.reference(self.lane, place as u32) as usize];
                    self.order.make(self.lane, place as u32, previous, referred, made);
                }
            }
        }
    }
}

impl NullaryFnOnce for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (block, sum) in self.blocks.iter().zip(self.sums) {
            *sum = self.pass.sum(block);
        }
    }
}

impl MemoryWork for Kept {
    fn root(&self) -> Digest {
        self.tree.root()
    }

    fn scan(&mut self, nonce: &Nonce, stop: &Stop) -> Result<Vec<Digest>, EngineError> {
        let shape = self.order.sums_shape();
        let mut roots: Vec<Digest> = Vec::new();
        self.passes.clear();
        for number in 0..self.order.job.passes {
            let pass = self.order.pass(nonce, number, roots.last());
            let mut groups: Vec<Node> = zeros(self.blocks.len().div_ceil(SUMS_PER_GROUP))?;
            let parts = (0..).zip(self.blocks.chunks(SUMS_PER_GROUP).zip(groups.iter_mut()));
            spread(
                parts,
                self.threads,
                stop,
                || (Arch::new(), vec![0u32; SUMS_PER_GROUP]),
                |(arch, sums), (number, (blocks, node))| {
                    let sums = &mut sums[..blocks.len()];
                    arch.dispatch(Sum { pass: &pass, blocks, sums });
                    *node = group_node(&pass.tree, shape, number, bytemuck::cast_slice(sums));
                },
            )?;
            let tree = Tree::new(pass.tree, shape, groups);
            roots.push(tree.root());
            self.passes.push((pass, tree));
        }
        Ok(roots)
    }

    fn open(&self, blocks: &[BlockChoice]) -> Vec<OpenedBlock> {
        let open = |choice: &BlockChoice| {
            let (lane, place) = self.order.place(choice.block);
            let parents = (place > 0).then(|| {
                let referred = choice.block - u64::from(place) + u64::from(self.order.reference(lane, place));
                Box::new([self.opened(choice.block - 1), self.opened(referred)])
            });
            let (pass, tree) = self.passes.get(usize::from(choice.pass))?;
            let group = choice.block as usize / SUMS_PER_GROUP * SUMS_PER_GROUP;
            let blocks = &self.blocks[group..(group + SUMS_PER_GROUP).min(self.blocks.len())];
            let sums: Vec<u32> = blocks.iter().map(|block| pass.sum(block)).collect();
            let scanned = tree.open(choice.block / SUMS_PER_PART, bytemuck::cast_slice(&sums));
            Some(OpenedBlock { block: self.opened(choice.block), parents, scanned })
        };
        blocks.iter().filter_map(open).collect()
    }
}

const _: () = assert!(BLOCK_WORDS * 4 * GROUP_BLOCKS as usize == GROUP_BYTES);
