//! Memory, filled lane by lane and read pass by pass.

use std::num::NonZeroUsize;

use ionet_types::agent::challenge::{Digest, GROUP_BLOCKS, Nonce, Opened, OpenedBlock};

use super::buffer::Buffer;
use super::spread;
use crate::engine::{EngineError, MemoryWork, Stop};
use crate::memory::{BLOCK_WORDS, Block, BlockChoice, MemoryOrder, Pass, SUMS_PER_PART};
use crate::tree::{GROUP_BYTES, Node, Tree, group_node};

/// Blocks whose sums are hashed together: 4 MiB of memory.
const SUMS_PER_GROUP: usize = GROUP_BYTES / 4;

/// The filled memory, the tree over it, and the trees over the sums of the last scan.
pub(super) struct Kept {
    order: MemoryOrder,
    threads: NonZeroUsize,
    blocks: Buffer<Block>,
    tree: Tree,
    passes: Vec<(Pass, Tree)>,
}

impl Kept {
    pub(super) fn fill(order: &MemoryOrder, threads: NonZeroUsize, stop: &Stop) -> Result<Self, EngineError> {
        let (shape, group_blocks) = (order.shape(), GROUP_BLOCKS as usize);
        let lane_blocks = order.job.lane_blocks as usize;
        let lane_groups = lane_blocks / group_blocks;
        let length = usize::try_from(order.job.blocks()).map_err(|_| EngineError::OutOfMemory)?;
        let mut blocks = Buffer::<Block>::new(length)?;
        let mut groups: Vec<Node> = vec![[0; 32]; length / group_blocks];
        let lanes = (0..).zip(blocks.chunks_exact_mut(lane_blocks).zip(groups.chunks_exact_mut(lane_groups)));
        spread(
            lanes,
            threads,
            stop,
            || (),
            |(), (lane, (blocks, groups))| {
                for (group, node) in groups.iter_mut().enumerate() {
                    if stop.is_stopped() {
                        return;
                    }
                    let start = group * group_blocks;
                    order.fill(lane, blocks, start..start + group_blocks);
                    let bytes: &[u8] = bytemuck::cast_slice(&blocks[start..start + group_blocks]);
                    *node = group_node(&order.tree, shape, (lane as usize * lane_groups + group) as u64, bytes);
                }
            },
        )?;
        let tree = Tree::new(order.tree, shape, groups);
        Ok(Self { order: *order, threads, blocks, tree, passes: Vec::new() })
    }

    fn opened(&self, block: u64) -> Opened {
        let start = block as usize / GROUP_BLOCKS as usize * GROUP_BLOCKS as usize;
        let group = self.blocks.get(start..start + GROUP_BLOCKS as usize).unwrap_or_default();
        self.tree.open(block, bytemuck::cast_slice(group))
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
            let mut groups: Vec<Node> = vec![[0; 32]; self.blocks.len().div_ceil(SUMS_PER_GROUP)];
            let parts = (0..).zip(self.blocks.chunks(SUMS_PER_GROUP).zip(groups.iter_mut()));
            spread(
                parts,
                self.threads,
                stop,
                || vec![0u32; SUMS_PER_GROUP],
                |sums, (number, (blocks, node))| {
                    let sums = &mut sums[..blocks.len()];
                    pass.sum_each(blocks, sums);
                    *node = group_node(&pass.tree, shape, number, bytemuck::cast_slice(sums));
                },
            )?;
            let tree = Tree::new(pass.tree, shape, groups);
            roots.push(tree.root());
            self.passes.push((pass, tree));
        }
        Ok(roots)
    }

    fn open(&self, blocks: &[BlockChoice]) -> Result<Vec<OpenedBlock>, EngineError> {
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
        Ok(blocks.iter().filter_map(open).collect())
    }
}

const _: () = assert!(BLOCK_WORDS * 4 * GROUP_BLOCKS as usize == GROUP_BYTES);
