//! Memory: fill, scan, and what a device that has only half of it needs.

use std::hint::black_box;
use std::num::NonZeroUsize;

use ionet_proofs::memory::{BLOCK_WORDS, Block, MemoryOrder};
use ionet_proofs::plan::ROUNDS as FILL_ROUNDS;
use ionet_proofs::terms::SCAN_PERCENT;
use ionet_proofs::{Cpu, Engine as _, Stop};
use ionet_types::agent::challenge::{Fixed, Job, MemoryJob};
use serde_json::{Value, json};

use crate::{ROUNDS, median, on_threads, rounded, seed, timed};

/// 2 GiB in lanes of 16 MiB.
const JOB: MemoryJob = MemoryJob { lanes: 128, lane_blocks: 16_384, rounds: FILL_ROUNDS, passes: 1, openings: 64 };

pub(crate) fn measure(threads: NonZeroUsize) -> anyhow::Result<Value> {
    let (mut fill, mut scan, mut plain, mut half) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let nonce = Fixed([3; 32]);
    for round in 0..ROUNDS.min(5) {
        let order = MemoryOrder::new(&seed(Job::Memory(JOB), round)?, JOB);
        let (took, work) = timed(|| Cpu::new(threads).memory(&order, &Stop::default()));
        fill.push(took);
        let mut work = work?;
        let (took, roots) = timed(|| work.scan(&nonce, &Stop::default()));
        scan.push(took);
        roots?;
        drop(work);
        half.push(liar(&order, threads));
        let words = vec![1u64; usize::try_from(JOB.bytes() / 8)?];
        let add = |part: &[u64]| {
            black_box(part.iter().fold(0u64, |sum, word| sum.wrapping_add(*word)));
        };
        plain.push(timed(|| on_threads(threads, words.chunks(1 << 19), add)).0);
    }
    let gb = JOB.bytes() as f64 / 1e9;
    let (fill, scan, plain, half) = (median(fill), median(scan), median(plain), median(half));
    Ok(json!({
        "mib": JOB.bytes() >> 20,
        "rounds_of_the_fill": FILL_ROUNDS,
        "fill_gb_per_sec": rounded(gb / fill, 2),
        "scan_gb_per_sec": rounded(gb / scan, 2),
        "plain_read_gb_per_sec": rounded(gb / plain, 2),
        "scan_percent_of_fill": rounded(scan / fill * 100.0, 1),
        "allowed_percent_of_fill": SCAN_PERCENT,
        "half_the_memory_percent_of_fill": rounded(half / fill * 100.0, 1),
        "half_the_memory_to_honest_scan": rounded(half / scan, 1),
    }))
}

/// One pass of a device that kept every other lane.
fn liar(order: &MemoryOrder, threads: NonZeroUsize) -> std::time::Duration {
    let lane_blocks = JOB.lane_blocks as usize;
    let kept: Vec<Block> = vec![[1; BLOCK_WORDS]; lane_blocks * (JOB.lanes as usize / 2)];
    let pass = order.pass(&Fixed([3; 32]), 0, None);
    // Its buffers are there already, as they would be in a second pass.
    let buffers: Vec<Vec<Block>> = (0..threads.get()).map(|_| vec![[1; BLOCK_WORDS]; lane_blocks]).collect();
    let buffers = std::sync::Mutex::new(buffers);
    let lanes = (0..).zip(kept.chunks(lane_blocks));
    timed(|| {
        on_threads(threads, lanes, |(lane, kept)| {
            let mut sums = vec![0; lane_blocks];
            pass.sum_each(kept, &mut sums);
            let buffer = buffers.lock().ok().and_then(|mut buffers| buffers.pop());
            let mut buffer = buffer.unwrap_or_else(|| vec![[1; BLOCK_WORDS]; lane_blocks]);
            order.fill(lane, &mut buffer, 0..lane_blocks);
            pass.sum_each(&buffer, &mut sums);
            black_box(&sums);
            buffers.lock().into_iter().for_each(|mut buffers| buffers.push(std::mem::take(&mut buffer)));
        });
    })
    .0
}
