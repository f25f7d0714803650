//! What the tests ask for.

use std::num::NonZeroUsize;

use ed25519_dalek::SigningKey;
use ionet_proofs::{Cpu, Engine, Examiner, Limits, Nonces, Prover, Seed, Step, Stop, Terms, Verdict};
use ionet_rules::rewards::Measurement;
use ionet_types::agent::challenge::{Fixed, Job, MemoryJob, ProductJob, Task};
use std::sync::Arc;

pub(super) const NETWORK: &str = "Netw0rk1111111111111111111111111111111111111";

pub(super) fn task(number: u8, job: Job) -> Task {
    Task { id: Fixed([number; 16]), epoch: 7, nonce: Fixed([number ^ 0x55; 32]), job }
}

pub(super) fn seed(number: u8, job: Job) -> Seed {
    Seed::new(NETWORK, &[3; 32], &task(number, job))
}

pub(super) fn product(side: u32, rows: u32, openings: u16) -> Job {
    Job::Product(ProductJob { side, rows, openings })
}

pub(super) fn memory(lanes: u32, lane_blocks: u32, rounds: u16, passes: u16, openings: u16) -> Job {
    Job::Memory(MemoryJob { lanes, lane_blocks, rounds, passes, openings })
}

pub(super) fn cpu() -> Cpu {
    Cpu::new(NonZeroUsize::new(2).unwrap())
}

/// What the examiner finds when this engine's device takes no time at all.
pub(super) fn examine(engine: Arc<dyn Engine>, number: u8, job: Job) -> Verdict {
    let key = SigningKey::from_bytes(&[number; 32]);
    let terms = Terms::new(Measurement { bandwidth_mbps: 100, memory_mb_per_sec: 100, cpu_mhz: 100, gflops: 1 }, 20);
    let nonces = Nonces { scan: Fixed([number ^ 0xaa; 32]), open: Fixed([number ^ 0x33; 32]) };
    let mut examiner = Examiner::new(NETWORK, key.verifying_key().to_bytes(), task(number, job), terms, nonces, 0).unwrap();
    let mut prover = Prover::new(engine, key, NETWORK, Limits { memory_bytes: u64::MAX });
    let mut answer = prover.start(&examiner.task().clone(), &Stop::default());
    for now_ms in [21, 42, 63] {
        match examiner.receive(answer, now_ms) {
            Step::Ask(ask) => answer = prover.ask(&ask, &Stop::default()).unwrap(),
            Step::Verdict(verdict) => return verdict,
        }
    }
    panic!("no verdict")
}
