//! What the examinations of these tests have in common.

use std::num::NonZeroUsize;
use std::sync::Arc;

use crate::{Cpu, Engine, Examiner, Limits, Nonces, Prover, Step, Stop, Terms, Verdict};
use ed25519_dalek::SigningKey;
use ionet_rules::rewards::Measurement;
use ionet_types::agent::challenge::{Answer, Ask, ClockJob, Fixed, Job, MemoryJob, ProductJob, Task};

pub(super) const NETWORK: &str = "Netw0rk1111111111111111111111111111111111111";

pub(super) const PRODUCT: ProductJob = ProductJob { side: 256, rows: 1024, openings: 16 };
pub(super) const MEMORY: MemoryJob = MemoryJob { lanes: 4, lane_blocks: 256, rounds: 8, passes: 3, openings: 16 };
pub(super) const CLOCK: ClockJob = ClockJob { steps: 3_000 };
pub(super) const JOBS: [Job; 3] = [Job::Product(PRODUCT), Job::Memory(MEMORY), Job::Clock(CLOCK)];

pub(super) fn key(number: u8) -> SigningKey {
    SigningKey::from_bytes(&[number; 32])
}

pub(super) fn task(number: u8, job: Job) -> Task {
    Task { id: Fixed([number; 16]), epoch: 7, nonce: Fixed([number ^ 0x55; 32]), job }
}

pub(super) fn nonces(number: u8) -> Nonces {
    Nonces { scan: Fixed([number ^ 0xaa; 32]), open: Fixed([number ^ 0x33; 32]) }
}

/// Terms that a machine of these tests meets however busy it is: simulated time counts.
pub(super) fn terms() -> Terms {
    Terms::new(Measurement { bandwidth_mbps: 100, memory_mb_per_sec: 100, cpu_mhz: 100, gflops: 1 }, 20)
}

pub(super) fn cpu() -> Arc<dyn Engine> {
    Arc::new(Cpu::new(NonZeroUsize::new(2).unwrap()))
}

pub(super) fn prover(engine: Arc<dyn Engine>, key: &SigningKey) -> Prover {
    Prover::new(engine, key.clone(), NETWORK, Limits { memory_bytes: 1 << 30 })
}

pub(super) fn examiner(key: &SigningKey, task: &Task, terms: Terms) -> Examiner {
    let number = task.id.0[0];
    Examiner::new(NETWORK, key.verifying_key().to_bytes(), task.clone(), terms, nonces(number), 1_000).unwrap()
}

/// Something that answers as a device does.
pub(super) trait Device {
    fn start(&mut self, task: &Task) -> Answer;
    fn ask(&mut self, ask: &Ask) -> Answer;
}

impl Device for Prover {
    fn start(&mut self, task: &Task) -> Answer {
        Prover::start(self, task, &Stop::default())
    }

    fn ask(&mut self, ask: &Ask) -> Answer {
        Prover::ask(self, ask, &Stop::default()).unwrap()
    }
}

/// Drives an examination; each answer comes `took_ms` after it was asked for.
pub(super) fn examine(examiner: &mut Examiner, device: &mut impl Device, took_ms: impl Fn(&Examiner) -> u64) -> Verdict {
    let mut now_ms = 1_000;
    let mut answer = device.start(&examiner.task().clone());
    loop {
        now_ms += took_ms(examiner);
        match examiner.receive(answer, now_ms) {
            Step::Ask(ask) => answer = device.ask(&ask),
            Step::Verdict(verdict) => return verdict,
        }
    }
}
