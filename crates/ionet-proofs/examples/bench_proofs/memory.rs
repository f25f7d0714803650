//! Memory: fill, scan, and what a device that has only half of it needs.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use ed25519_dalek::SigningKey;
use ionet_proofs::memory::{BLOCK_WORDS, Block, MemoryOrder};
use ionet_proofs::plan::ROUNDS as FILL_ROUNDS;
use ionet_proofs::terms::SCAN_PERCENT;
use ionet_proofs::{Cpu, Engine as _, Examiner, Limits, Nonces, Prover, Step, Stop, Terms, Verdict};
use ionet_rules::rewards::Measurement;
use ionet_types::agent::challenge::{Fixed, Job, MemoryJob};
use serde_json::{Value, json};

use crate::{ROUNDS, median, on_threads, rounded, seed, task, timed};

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
    let verifier = verifier(threads)?;
    Ok(json!({
        "mib": JOB.bytes() >> 20,
        "rounds_of_the_fill": FILL_ROUNDS,
        "fill_gb_per_sec": rounded(gb / fill, 2),
        "scan_gb_per_sec": rounded(gb / scan, 2),
        "plain_read_gb_per_sec": rounded(gb / plain, 2),
        "scan_percent_of_fill": rounded(scan / fill * 100.0, 1),
        "allowed_percent_of_fill": SCAN_PERCENT,
        "verifier_millis": rounded(verifier * 1e3, 2),
        "prover_to_verifier": rounded((fill + scan) * threads.get() as f64 / verifier, 0),
        "half_the_memory_percent_of_fill": rounded(half / fill * 100.0, 1),
        "half_the_memory_to_honest_scan": rounded(half / scan, 1),
    }))
}

/// Seconds in which the hub checks the opened blocks of an honest device.
fn verifier(threads: NonZeroUsize) -> anyhow::Result<f64> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let task = task(Job::Memory(JOB), 0)?;
    let terms = Terms::new(Measurement::default(), 0);
    let nonces = Nonces { scan: Fixed([4; 32]), open: Fixed([5; 32]) };
    let mut examiner = Examiner::new("benchmark", key.verifying_key().to_bytes(), task.clone(), terms, nonces, 0)?;
    let mut prover = Prover::new(Arc::new(Cpu::new(threads)), key, "benchmark", Limits { memory_bytes: u64::MAX });
    let mut answer = prover.start(&task, &Stop::default());
    // The times of a machine of some past: only the checks are timed here.
    for now_ms in [10_000, 10_010, 10_020] {
        let (took, step) = timed(|| examiner.receive(answer, now_ms));
        match step {
            Step::Ask(ask) => answer = prover.ask(&ask, &Stop::default()).context("the prover forgot the task")?,
            Step::Verdict(Verdict::Passed(_)) => return Ok(took.as_secs_f64()),
            Step::Verdict(verdict) => bail!("an honest device: {}", verdict.code()),
        }
    }
    bail!("no verdict")
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
