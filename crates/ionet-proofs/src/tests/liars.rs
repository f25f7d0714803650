//! Devices that do not do their work: each is a real prover with a lie in its engine.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ionet_types::agent::challenge::{Digest, Fixed, Job, MemoryJob, Nonce, Opened, OpenedBlock, ProductJob, Stage};

use super::common::*;
use crate::clock::step;
use crate::engine::{Engine, EngineError, MemoryWork, ProductWork, Stop};
use crate::memory::{BLOCK_WORDS, Block, BlockChoice, MemoryOrder, Pass, SUMS_PER_PART};
use crate::product::ProductOrder;
use crate::random::{below, fill_words, next_u64, stream};
use crate::terms::{clock_ms, product_ms, scan_ms};
use crate::tree::{GROUP_BYTES, Shape, Tree, group_node};
use crate::verdict::{Failed, Failure, Verdict};
use crate::{Cpu, Examiner};

fn failed(stage: Stage, reason: Failure) -> Verdict {
    Verdict::Failed(Failed { stage, reason })
}

fn tree(key: &[u8; 32], shape: Shape, bytes: &[u8]) -> Tree {
    let nodes = (0..).zip(bytes.chunks(GROUP_BYTES)).map(|(group, bytes)| group_node(key, shape, group, bytes));
    Tree::new(*key, shape, nodes.collect())
}

fn in_group<T>(values: &[T], place: usize, bytes_each: usize) -> &[T] {
    let each = GROUP_BYTES / bytes_each;
    let start = place / each * each;
    &values[start..(start + each).min(values.len())]
}

/// What a liar does; whatever it does not lie about, the honest engine does.
#[derive(Clone, Default)]
struct Liar {
    /// Computes this many of 1000 rows and guesses the others.
    rows_permille: Option<u64>,
    /// Commits to anything, and computes only what is asked for later.
    commits_blindly: bool,
    /// Fills with random blocks that are cheaper to make.
    cheap_blocks: bool,
    /// Keeps this many of 100 lanes and makes the others again in each pass.
    lanes_percent: Option<u64>,
    /// Reads its memory in the first pass only and guesses the sums of the others.
    scans_once: bool,
    /// Goes the chain in as many pieces as it has processors, each from a guessed start.
    clock_pieces: Option<u32>,
    /// Blocks made, and blocks read in scans.
    made: Arc<AtomicU64>,
    read: Arc<AtomicU64>,
}

fn honest() -> Cpu {
    Cpu::new(NonZeroUsize::MIN)
}

impl Engine for Liar {
    fn memory_bytes(&self, job: &Job) -> u64 {
        honest().memory_bytes(job)
    }

    fn product(&self, order: &ProductOrder, stop: &Stop) -> Result<Box<dyn ProductWork>, EngineError> {
        let (rows, side) = (u64::from(order.job.rows), order.job.side as usize);
        let truth = honest().product(order, stop)?;
        let mut random = stream(&order.tree);
        let mut values: Vec<u8> = Vec::new();
        for opened in truth.open(&(0..rows).collect::<Vec<_>>())? {
            let is_right = below(next_u64(&mut random), 1_000) < self.rows_permille.unwrap_or(1_000);
            let guess = |_| (below(next_u64(&mut random), 201) as i32 - 100).to_le_bytes();
            let guessed: Vec<[u8; 4]> = (0..side).map(guess).collect();
            values.extend_from_slice(if is_right { opened.bytes.as_ref() } else { guessed.as_flattened() });
        }
        let tree = tree(&order.tree, order.shape(), &values);
        let root = if self.commits_blindly { Fixed([7; 32]) } else { tree.root() };
        Ok(Box::new(LyingProduct { values, tree, root, row_bytes: side * 4 }))
    }

    fn memory(&self, order: &MemoryOrder, _: &Stop) -> Result<Box<dyn MemoryWork>, EngineError> {
        let mut blocks = Vec::new();
        for lane in 0..order.job.lanes {
            blocks.extend(self.lane(order, lane));
        }
        let tree = tree(&order.tree, order.shape(), bytemuck::cast_slice(&blocks));
        // What it does not keep is gone.
        let keeps = |lane: u64| lane * 100 < self.lanes_percent.unwrap_or(100) * u64::from(order.job.lanes);
        let lanes = blocks.chunks(order.job.lane_blocks as usize).zip(0..).map(|(lane, number)| keeps(number).then(|| lane.to_vec()));
        Ok(Box::new(LyingMemory { liar: self.clone(), order: *order, tree, lanes: lanes.collect(), passes: Vec::new() }))
    }

    fn clock(&self, start: u128, steps: u32, stop: &Stop) -> Result<u128, EngineError> {
        match self.clock_pieces {
            // The last piece is what it shows.
            Some(pieces) => Ok((0..steps / pieces).fold(start ^ 1, |state, _| step(state))),
            None => honest().clock(start, steps, stop),
        }
    }
}

impl Liar {
    fn lane(&self, order: &MemoryOrder, lane: u32) -> Vec<Block> {
        let mut blocks = vec![order.first(lane)];
        for place in 1..order.job.lane_blocks {
            let mut made = [0; BLOCK_WORDS];
            if self.cheap_blocks {
                fill_words(&[place as u8; 32], &mut made);
            } else {
                order.make(lane, place, &blocks[place as usize - 1], &blocks[order.reference(lane, place) as usize], &mut made);
                self.made.fetch_add(1, Ordering::Relaxed);
            }
            blocks.push(made);
        }
        blocks
    }
}

struct LyingProduct {
    values: Vec<u8>,
    tree: Tree,
    root: Digest,
    row_bytes: usize,
}

impl ProductWork for LyingProduct {
    fn root(&self) -> Digest {
        self.root
    }

    fn open(&self, rows: &[u64]) -> Result<Vec<Opened>, EngineError> {
        Ok(rows.iter().map(|row| self.tree.open(*row, in_group(&self.values, *row as usize * self.row_bytes, 1))).collect())
    }
}

struct LyingMemory {
    liar: Liar,
    order: MemoryOrder,
    tree: Tree,
    lanes: Vec<Option<Vec<Block>>>,
    passes: Vec<(Vec<u32>, Tree)>,
}

impl LyingMemory {
    /// All blocks again, made where they were not kept.
    fn blocks(&self) -> Vec<Block> {
        let lane = |(lane, kept): (u32, &Option<Vec<Block>>)| kept.clone().unwrap_or_else(|| self.liar.lane(&self.order, lane));
        (0..).zip(&self.lanes).flat_map(lane).collect()
    }
}

impl MemoryWork for LyingMemory {
    fn root(&self) -> Digest {
        self.tree.root()
    }

    fn scan(&mut self, nonce: &Nonce, _: &Stop) -> Result<Vec<Digest>, EngineError> {
        let mut roots: Vec<Digest> = Vec::new();
        for number in 0..self.order.job.passes {
            let pass: Pass = self.order.pass(nonce, number, roots.last());
            let sums: Vec<u32> = if number > 0 && self.liar.scans_once {
                vec![42; self.order.job.blocks() as usize]
            } else {
                self.liar.read.fetch_add(self.order.job.blocks(), Ordering::Relaxed);
                self.blocks().iter().map(|block| pass.sum(block)).collect()
            };
            let tree = tree(&pass.tree, self.order.sums_shape(), bytemuck::cast_slice(&sums));
            roots.push(tree.root());
            self.passes.push((sums, tree));
        }
        Ok(roots)
    }

    fn open(&self, choices: &[BlockChoice]) -> Result<Vec<OpenedBlock>, EngineError> {
        let blocks = self.blocks();
        let opened = |block: u64| self.tree.open(block, bytemuck::cast_slice(in_group(&blocks, block as usize, 1_024)));
        let open = |choice: &BlockChoice| {
            let (lane, place) = self.order.place(choice.block);
            let referred = || choice.block - u64::from(place) + u64::from(self.order.reference(lane, place));
            let parents = (place > 0).then(|| Box::new([opened(choice.block - 1), opened(referred())]));
            let (sums, tree) = &self.passes[usize::from(choice.pass)];
            let scanned = tree.open(choice.block / SUMS_PER_PART, bytemuck::cast_slice(in_group(sums, choice.block as usize, 4)));
            OpenedBlock { block: opened(choice.block), parents, scanned }
        };
        Ok(choices.iter().map(open).collect())
    }
}

/// Examines a liar that answers at once.
fn verdict(liar: &Liar, number: u8, job: Job) -> Verdict {
    let key = key(9);
    let mut examiner = examiner(&key, &task(number, job), terms());
    let verdict = examine(&mut examiner, &mut prover(Arc::new(liar.clone()), &key), |_| 21);
    assert_eq!(examiner.finish().unwrap().replay().unwrap(), verdict, "the evidence shows the same");
    verdict
}

#[test]
fn without_a_lie_the_liar_passes() {
    for (number, job) in (1..).zip(JOBS) {
        let verdict = verdict(&Liar::default(), number, job);
        assert!(matches!(verdict, Verdict::Passed(_)), "{verdict:?}");
    }
}

#[test]
fn a_share_of_the_rows_passes_as_seldom_as_it_should() {
    // Two rows of which half are right: a quarter of 160 tests, with a deviation of 5.5.
    let job = Job::Product(ProductJob { side: 256, rows: 256, openings: 2 });
    let half = Liar { rows_permille: Some(500), ..Liar::default() };
    let verdicts: Vec<Verdict> = (0..160).map(|number| verdict(&half, number, job)).collect();
    let passed = verdicts.iter().filter(|verdict| matches!(verdict, Verdict::Passed(_))).count();
    assert!((15..=65).contains(&passed), "{passed}");
    let caught = verdicts.iter().filter(|verdict| **verdict == failed(Stage::Open, Failure::WrongRow)).count();
    assert_eq!(caught + passed, verdicts.len());
    // At the openings of a real test (0.9^64 = 0.1 %) a tenth less work does not pay.
    let job = Job::Product(ProductJob { openings: 64, ..PRODUCT });
    let most = Liar { rows_permille: Some(900), ..Liar::default() };
    let passed = (0..20).filter(|number| matches!(verdict(&most, *number, job), Verdict::Passed(_))).count();
    assert!(passed <= 1, "{passed}");
}

#[test]
fn a_commitment_to_nothing_does_not_hold() {
    let blind = Liar { commits_blindly: true, ..Liar::default() };
    assert_eq!(verdict(&blind, 1, JOBS[0]), failed(Stage::Open, Failure::WrongPath));
}

#[test]
fn cheaper_blocks_are_no_blocks() {
    let cheap = Liar { cheap_blocks: true, ..Liar::default() };
    assert_eq!(verdict(&cheap, 1, JOBS[1]), failed(Stage::Open, Failure::WrongBlock));
}

#[test]
fn a_pass_that_was_not_made_is_missed() {
    let lazy = Liar { scans_once: true, ..Liar::default() };
    assert_eq!(verdict(&lazy, 1, JOBS[1]), failed(Stage::Open, Failure::WrongSum));
}

#[test]
fn a_chain_cut_into_pieces_does_not_arrive() {
    for pieces in [1, 2, 16] {
        let parallel = Liar { clock_pieces: Some(pieces), ..Liar::default() };
        assert_eq!(verdict(&parallel, 1, JOBS[2]), failed(Stage::Commit, Failure::WrongChain));
    }
}

/// What becomes of a device with this share of the memory, on a machine that makes a block in a millisecond and reads one in a tenth of it,
/// which is what was measured, but for the unit; and how many blocks it made.
fn scan_verdict(lanes_percent: u64) -> (Verdict, u64) {
    let job = MemoryJob { lanes: 16, lane_blocks: 256, rounds: 8, passes: 2, openings: 16 };
    let liar = Liar { lanes_percent: Some(lanes_percent), ..Liar::default() };
    let (key, made, read) = (key(9), liar.made.clone(), liar.read.clone());
    // A reference that would allow anything: what its own fill took is what counts.
    let mut terms = terms();
    (terms.rtt_ms, terms.reference.memory_mb_per_sec, terms.reference.gflops) = (0, 0, 0);
    let mut examiner = examiner(&key, &task(1, Job::Memory(job)), terms);
    let mut device = prover(Arc::new(liar), &key);
    let (mut seen_made, mut now_ms) = (0, 1_000);
    let mut answer = device.start(&examiner.task().clone(), &Stop::default());
    loop {
        let makes = made.load(Ordering::Relaxed) - seen_made;
        seen_made += makes;
        now_ms += makes + read.swap(0, Ordering::Relaxed) / 10;
        match examiner.receive(answer, now_ms) {
            crate::Step::Ask(ask) => answer = device.ask(&ask, &Stop::default()).unwrap(),
            crate::Step::Verdict(verdict) => return (verdict, seen_made),
        }
    }
}

#[test]
fn half_the_memory_is_too_slow_in_the_scan() {
    let blocks = 16 * 255;
    let (verdict, made) = scan_verdict(100);
    assert!(matches!(verdict, Verdict::Passed(_)), "{verdict:?}");
    assert_eq!(made, blocks, "an honest device makes each block once");
    let (verdict, made) = scan_verdict(50);
    assert_eq!(verdict, failed(Stage::Scan, Failure::Late));
    assert_eq!(made, blocks * 2, "it made half of them again in each of two passes");
}

#[test]
fn a_device_that_claims_four_times_its_speed_is_late() {
    let key = key(9);
    let product = Job::Product(ProductJob { rows: 8_192, ..PRODUCT });
    for (number, job, slow) in [(1, product, Stage::Commit), (2, JOBS[1], Stage::Scan), (3, JOBS[2], Stage::Commit)] {
        // A machine of 1 GFLOPS, 1 MB/s and 1 MHz, and what it claims to be.
        let terms_of = |claimed: u32| {
            let mut terms = terms();
            (terms.rtt_ms, terms.scan_percent) = (0, 1_000_000);
            (terms.reference.gflops, terms.reference.memory_mb_per_sec, terms.reference.cpu_mhz) = (claimed, claimed, claimed);
            terms
        };
        let real_ms = match job {
            Job::Product(job) => product_ms(&job, &terms_of(1).reference),
            Job::Memory(job) => scan_ms(&job, &terms_of(1).reference),
            _ => clock_ms(&CLOCK, &terms_of(1).reference),
        };
        assert!(real_ms > 1_000, "long against the grace");
        for claimed in [1, 4] {
            let mut examiner = examiner(&key, &task(number, job), terms_of(claimed));
            let took = |examiner: &Examiner| if examiner.stage() == slow { real_ms } else { 10 };
            let verdict = examine(&mut examiner, &mut prover(cpu(), &key), took);
            if claimed == 1 {
                assert!(matches!(verdict, Verdict::Passed(_)), "{job:?} {verdict:?}");
            } else {
                assert_eq!(verdict, failed(slow, Failure::Late), "{job:?}");
            }
        }
    }
}
