//! The memory job: how a block follows from earlier ones, what a scan computes, and how an opened block is checked.
//!
//! **Fill.** The buffer has lanes of 1 KiB blocks. The first block of a lane follows from the seed; block `t` is `F(block t-1, block r(t))` with
//! `r(t)` somewhere before it, known in advance and different for every task. `F` works on all of a block at once and is chosen several
//! times slower than reading it. **Scan.** A fresh nonce gives 256 odd weights; of each block the weighted sum of its 32-bit words is taken,
//! and the next pass's weights follow from the root over all sums of this one. A device that has the memory reads it at memory speed; one
//! that keeps a share of it must make the rest again with `F`, lane by lane, and misses the scan's deadline, which is a fraction of the time
//! that its own fill took. **Open.** Random blocks are shown with their parents and the sums, and are made again by the verifier.

#![expect(clippy::inline_always, reason = "only what is inlined into a dispatch is compiled for the vector unit that was found")]

use std::ops::Range;

use ionet_types::agent::challenge::{BLOCK_BYTES, Digest, MemoryJob, Nonce, OpenedBlock};

use pulp::{Arch, NullaryFnOnce};

use crate::binding::{Key, Seed};
use crate::random::{below, distinct, fill_words, next_u64, stream};
use crate::tree::{Shape, is_part};

/// 32-bit words of a block.
pub const BLOCK_WORDS: usize = BLOCK_BYTES / 4;
/// Columns of a block as the permutation sees it: sixteen rows of sixteen words.
const COLUMNS: usize = 16;
/// Blocks whose sums are opened together: one chunk of the hash.
pub const SUMS_PER_PART: u64 = BLOCK_BYTES as u64 / 4;

/// One block of the memory: little-endian words.
pub type Block = [u32; BLOCK_WORDS];
type State = [[u32; COLUMNS]; BLOCK_WORDS / COLUMNS];

/// Memory that is to be filled and scanned: all that an engine needs.
#[derive(Clone, Copy, Debug)]
pub struct MemoryOrder {
    /// Its size.
    pub job: MemoryJob,
    seed: Seed,
    pub(crate) tree: Key,
    references: u64,
}

/// What one pass of a scan needs.
pub struct Pass {
    pub(crate) tree: Key,
    weights: Block,
}

/// A block that is to be opened, and the pass whose sum is shown with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockChoice {
    /// Number of the block in the buffer.
    pub block: u64,
    /// Number of the pass.
    pub pass: u16,
}

/// What is wrong with an opened block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WrongBlock {
    /// A part is not what was committed to.
    Path,
    /// It does not follow from its parents.
    Block,
    /// The scan's sum is not the block's.
    Sum,
}

impl MemoryOrder {
    /// The memory of one task.
    pub fn new(seed: &Seed, job: MemoryJob) -> Self {
        let references = next_u64(&mut stream(&seed.key("memory references")));
        Self { job, seed: *seed, tree: seed.key("memory tree"), references }
    }

    /// First block of a lane.
    pub fn first(&self, lane: u32) -> Block {
        let mut block = [0; BLOCK_WORDS];
        fill_words(&self.lane_key(lane), &mut block);
        block
    }

    /// What the first block of a lane follows from.
    pub fn lane_key(&self, lane: u32) -> Key {
        self.seed.fresh("memory lane", &lane.to_le_bytes())
    }

    /// What all references follow from.
    pub fn references(&self) -> u64 {
        self.references
    }

    /// The key of the commitment.
    pub fn tree_key(&self) -> &Key {
        &self.tree
    }

    /// Which block of its own lane the block at `place` (from 1) refers to, besides the one before it.
    pub fn reference(&self, lane: u32, place: u32) -> u32 {
        // A number is all it takes: it need not be hard to foresee, only different for each task, lane and place.
        let mixed = mix(self.references ^ (u64::from(lane) << 32 | u64::from(place)));
        below(mixed, u64::from(place.saturating_sub(1).max(1))) as u32
    }

    /// Makes the blocks at `places` of a lane, of which `lane_blocks` has all places; those before are made already.
    pub fn fill(&self, lane: u32, lane_blocks: &mut [Block], places: Range<usize>) {
        Arch::new().dispatch(Fill { order: self, lane, blocks: lane_blocks, places });
    }

    /// The block at `place` (from 1) of a lane, made of the one before it and the one that it refers to.
    #[inline(always)]
    pub(crate) fn make(&self, lane: u32, place: u32, previous: &Block, referred: &Block, made: &mut Block) {
        let mut state: State = [[0; COLUMNS]; BLOCK_WORDS / COLUMNS];
        let words = state.as_flattened_mut();
        for word in 0..BLOCK_WORDS {
            // Turned, because a block may refer to the one before it.
            words[word] = previous[word].wrapping_add(referred[word].rotate_left(7));
        }
        let [first, ..] = &mut state;
        let [low, high, ..] = first;
        *low ^= place;
        *high ^= lane;
        let start = state;
        permute(&mut state, self.job.rounds / 2);
        turn_rows(&mut state);
        permute(&mut state, self.job.rounds / 2);
        let (words, start) = (state.as_flattened(), start.as_flattened());
        for word in 0..BLOCK_WORDS {
            made[word] = words[word].wrapping_add(start[word]);
        }
    }

    /// What pass `pass` needs: its weights follow from the nonce and from the root of the pass before, so passes cannot be merged.
    pub fn pass(&self, nonce: &Nonce, pass: u16, before: Option<&Digest>) -> Pass {
        let mut later = Vec::with_capacity(66);
        later.extend_from_slice(&nonce.0);
        later.extend_from_slice(&pass.to_le_bytes());
        later.extend_from_slice(before.map_or(&[], |root| &root.0));
        let mut weights = [0; BLOCK_WORDS];
        fill_words(&self.seed.fresh("memory weights", &later), &mut weights);
        // Odd weights lose no bit of a word.
        for weight in &mut weights {
            *weight |= 1;
        }
        Pass { tree: self.seed.fresh("memory sums", &later), weights }
    }

    /// Shape of the commitment: a part is a block.
    pub fn shape(&self) -> Shape {
        Shape { bytes: self.job.bytes(), part_bytes: BLOCK_BYTES as u64 }
    }

    /// Shape of one pass's sums, four bytes for each block.
    pub fn sums_shape(&self) -> Shape {
        Shape { bytes: self.job.blocks() * 4, part_bytes: BLOCK_BYTES as u64 }
    }

    /// Lane and place in it of the block with this number.
    pub fn place(&self, block: u64) -> (u32, u32) {
        let long = u64::from(self.job.lane_blocks);
        ((block / long) as u32, (block % long) as u32)
    }

    /// Which blocks are to be opened after `nonce`, and for which pass.
    pub fn opened_blocks(&self, nonce: &Nonce) -> Vec<BlockChoice> {
        let openings = self.job.openings.into();
        let blocks = distinct(&self.seed.fresh("memory openings", &nonce.0), openings, self.job.blocks());
        let mut passes = vec![0u32; blocks.len()];
        fill_words(&self.seed.fresh("memory opened passes", &nonce.0), &mut passes);
        let passes = passes.iter().map(|random| ((u64::from(*random) * u64::from(self.job.passes)) >> 32) as u16);
        blocks.into_iter().zip(passes).map(|(block, pass)| BlockChoice { block, pass }).collect()
    }

    /// Checks one opened block against the roots; `pass` is the one that was chosen for it.
    pub(crate) fn check(
        &self,
        choice: BlockChoice,
        filled: &Digest,
        pass: &Pass,
        sums: &Digest,
        opened: &OpenedBlock,
    ) -> Result<(), WrongBlock> {
        let block = read(opened.block.bytes.as_ref()).ok_or(WrongBlock::Path)?;
        let (lane, place) = self.place(choice.block);
        let lane_start = choice.block - u64::from(place);
        let is_filled =
            |number, opened| if is_part(&self.tree, self.shape(), filled, number, opened) { Ok(()) } else { Err(WrongBlock::Path) };
        is_filled(choice.block, &opened.block)?;
        let made = match (&opened.parents, place) {
            (None, 0) => self.first(lane),
            (Some(parents), 1..) => {
                let [previous, referred] = &**parents;
                is_filled(choice.block - 1, previous)?;
                is_filled(lane_start + u64::from(self.reference(lane, place)), referred)?;
                let parents = read(previous.bytes.as_ref()).zip(read(referred.bytes.as_ref()));
                let (previous, referred) = parents.ok_or(WrongBlock::Path)?;
                let mut made = [0; BLOCK_WORDS];
                self.make(lane, place, &previous, &referred, &mut made);
                made
            }
            _ => return Err(WrongBlock::Path),
        };
        if made != block {
            return Err(WrongBlock::Block);
        }
        if !is_part(&pass.tree, self.sums_shape(), sums, choice.block / SUMS_PER_PART, &opened.scanned) {
            return Err(WrongBlock::Path);
        }
        let (shown, _) = opened.scanned.bytes.as_ref().as_chunks::<4>();
        let shown = shown.get((choice.block % SUMS_PER_PART) as usize).copied().map(u32::from_le_bytes);
        if shown == Some(pass.sum(&block)) { Ok(()) } else { Err(WrongBlock::Sum) }
    }
}

impl Pass {
    /// The key of the commitment to this pass's sums.
    pub fn tree_key(&self) -> &Key {
        &self.tree
    }

    /// One weight for each word of a block.
    pub fn weights(&self) -> &Block {
        &self.weights
    }

    /// The sum of each block; as many as there are of both.
    pub fn sum_each(&self, blocks: &[Block], sums: &mut [u32]) {
        Arch::new().dispatch(SumEach { pass: self, blocks, sums });
    }

    /// The weighted sum of a block's words.
    #[inline(always)]
    pub(crate) fn sum(&self, block: &Block) -> u32 {
        let mut sums = [0u32; COLUMNS];
        for (words, weights) in block.as_chunks::<COLUMNS>().0.iter().zip(self.weights.as_chunks::<COLUMNS>().0) {
            for ((sum, word), weight) in sums.iter_mut().zip(words).zip(weights) {
                *sum = sum.wrapping_add(word.wrapping_mul(*weight));
            }
        }
        sums.iter().fold(0, |total, sum| total.wrapping_add(*sum))
    }
}

// Plain types instead of closures, which cannot be told to be inlined.

struct Fill<'a> {
    order: &'a MemoryOrder,
    lane: u32,
    blocks: &'a mut [Block],
    places: Range<usize>,
}

struct SumEach<'a> {
    pass: &'a Pass,
    blocks: &'a [Block],
    sums: &'a mut [u32],
}

impl NullaryFnOnce for Fill<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for place in self.places {
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

impl NullaryFnOnce for SumEach<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        for (block, sum) in self.blocks.iter().zip(self.sums) {
            *sum = self.pass.sum(block);
        }
    }
}

fn read(bytes: &[u8]) -> Option<Block> {
    let (words, rest) = bytes.as_chunks::<4>();
    let words: &[[u8; 4]; BLOCK_WORDS] = words.try_into().ok()?;
    rest.is_empty().then(|| words.map(u32::from_le_bytes))
}

/// Finaliser of splitmix64.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// Rounds of ChaCha down the sixteen columns at once.
#[inline(always)]
fn permute(state: &mut State, rounds: u16) {
    // Written out, and the rows' numbers constants: so the whole state stays in registers.
    for _ in 0..rounds / 2 {
        quarter::<0, 4, 8, 12>(state);
        quarter::<1, 5, 9, 13>(state);
        quarter::<2, 6, 10, 14>(state);
        quarter::<3, 7, 11, 15>(state);
        quarter::<0, 5, 10, 15>(state);
        quarter::<1, 6, 11, 12>(state);
        quarter::<2, 7, 8, 13>(state);
        quarter::<3, 4, 9, 14>(state);
    }
}

#[inline(always)]
fn quarter<const A: usize, const B: usize, const C: usize, const D: usize>(state: &mut State) {
    let (mut wa, mut wb, mut wc, mut wd) = (state[A], state[B], state[C], state[D]);
    for column in 0..COLUMNS {
        let (a, b, c, d) = (&mut wa[column], &mut wb[column], &mut wc[column], &mut wd[column]);
        *a = a.wrapping_add(*b);
        *d = (*d ^ *a).rotate_left(16);
        *c = c.wrapping_add(*d);
        *b = (*b ^ *c).rotate_left(12);
        *a = a.wrapping_add(*b);
        *d = (*d ^ *a).rotate_left(8);
        *c = c.wrapping_add(*d);
        *b = (*b ^ *c).rotate_left(7);
    }
    (state[A], state[B], state[C], state[D]) = (wa, wb, wc, wd);
}

/// Turns row `i` by `i` places: each column then has one word of every column before, so that after the next rounds every word of the block
/// depends on every other.
#[inline(always)]
fn turn_rows(state: &mut State) {
    for (turn, row) in state.iter_mut().enumerate() {
        let mut twice = [[0; COLUMNS]; 2];
        twice[0] = *row;
        twice[1] = *row;
        row.copy_from_slice(&twice.as_flattened()[turn..turn + COLUMNS]);
    }
}

#[cfg(test)]
mod tests;
