//! The device's side: does one task at a time and signs what it answers. It works on the thread that calls it, which is not one that serves
//! connections; a [`Stop`] ends it from any other.

use std::sync::Arc;

use ed25519_dalek::SigningKey;
use ionet_types::agent::challenge::{Answer, AnswerBody, Ask, DeclineReason, Fixed, Job, Nonce, Stage, Task};

use crate::binding::Seed;
use crate::clock;
use crate::engine::{Engine, EngineError, MemoryWork, ProductWork, Stop};
use crate::memory::MemoryOrder;
use crate::product::{ProductOrder, opened_rows};

/// What a device's agent agrees to do for a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most memory that a task may take, in bytes, all that it needs included.
    pub memory_bytes: u64,
}

/// Answers the tasks of one device.
pub struct Prover {
    engine: Arc<dyn Engine>,
    key: SigningKey,
    network: String,
    limits: Limits,
    open: Option<Open>,
}

/// A task of which more may be asked.
struct Open {
    task: Task,
    seed: Seed,
    work: Work,
}

enum Work {
    Product(Box<dyn ProductWork>),
    Filled(Box<dyn MemoryWork>),
    Scanned(Box<dyn MemoryWork>),
}

impl Prover {
    /// A prover for the device with this key, in this network (the program's id).
    pub fn new(engine: Arc<dyn Engine>, key: SigningKey, network: &str, limits: Limits) -> Self {
        Self { engine, key, network: network.to_owned(), limits, open: None }
    }

    /// Does a task's work and answers its first stage. What was left of an earlier task is given up.
    pub fn start(&mut self, task: &Task, stop: &Stop) -> Answer {
        self.open = None;
        let seed = Seed::new(&self.network, self.key.verifying_key().as_bytes(), task);
        let body = self.work(&seed, task, stop).unwrap_or_else(|reason| AnswerBody::Declined { reason });
        seed.sign(&self.key, task, Stage::Commit, &task.nonce, body)
    }

    /// Answers the next stage of the task that was started. A question of another task or out of turn ends what was begun and is declined;
    /// nothing is said about a task that is not known, since there is nothing to sign.
    pub fn ask(&mut self, ask: &Ask, stop: &Stop) -> Option<Answer> {
        let Open { task, seed, work } = self.open.take().filter(|open| open.task.id == ask.task_id)?;
        let (body, left) = match go_on(&task, &seed, work, ask.stage, &ask.nonce, stop) {
            Ok((body, left)) => (body, left),
            Err(reason) => (AnswerBody::Declined { reason }, None),
        };
        let answer = seed.sign(&self.key, &task, ask.stage, &ask.nonce, body);
        self.open = left.map(|work| Open { task, seed, work });
        Some(answer)
    }

    /// Gives up what was begun and its memory.
    pub fn forget(&mut self) {
        self.open = None;
    }

    /// Gets the engine ready for the next task.
    pub fn prepare(&self) -> Result<(), EngineError> {
        self.engine.prepare()
    }

    /// Gives up what was begun, and everything that the engine keeps: the device is hired.
    pub fn rest(&mut self) {
        self.open = None;
        self.engine.rest();
    }

    fn work(&mut self, seed: &Seed, task: &Task, stop: &Stop) -> Result<AnswerBody, DeclineReason> {
        task.check().map_err(|_| DeclineReason::Unsupported)?;
        if self.engine.memory_bytes(&task.job) > self.limits.memory_bytes {
            return Err(DeclineReason::TooLarge);
        }
        let (root, work) = match task.job {
            Job::Product(job) => {
                let work = self.engine.product(&ProductOrder::new(seed, job), stop).map_err(reason)?;
                (work.root(), Work::Product(work))
            }
            Job::Memory(job) => {
                let work = self.engine.memory(&MemoryOrder::new(seed, job), stop).map_err(reason)?;
                (work.root(), Work::Filled(work))
            }
            Job::Clock(job) => {
                let end = self.engine.clock(clock::start(seed), job.steps, stop).map_err(reason)?;
                return Ok(AnswerBody::Ended { state: Fixed(end.to_le_bytes()) });
            }
            Job::Unknown => return Err(DeclineReason::Unsupported),
        };
        self.open = Some(Open { task: task.clone(), seed: *seed, work });
        Ok(AnswerBody::Committed { root })
    }
}

fn go_on(
    task: &Task,
    seed: &Seed,
    work: Work,
    stage: Stage,
    nonce: &Nonce,
    stop: &Stop,
) -> Result<(AnswerBody, Option<Work>), DeclineReason> {
    if stop.is_stopped() {
        return Err(DeclineReason::Stopped);
    }
    match (work, stage, task.job) {
        (Work::Product(work), Stage::Open, Job::Product(job)) => {
            Ok((AnswerBody::Rows { rows: work.open(&opened_rows(seed, &job, nonce)).map_err(reason)? }, None))
        }
        (Work::Filled(mut work), Stage::Scan, _) => {
            let roots = work.scan(nonce, stop).map_err(reason)?;
            Ok((AnswerBody::Scanned { roots }, Some(Work::Scanned(work))))
        }
        (Work::Scanned(work), Stage::Open, Job::Memory(job)) => {
            let blocks = work.open(&MemoryOrder::new(seed, job).opened_blocks(nonce)).map_err(reason)?;
            Ok((AnswerBody::Blocks { blocks }, None))
        }
        _ => Err(DeclineReason::OutOfTurn),
    }
}

fn reason(error: EngineError) -> DeclineReason {
    match error {
        EngineError::Stopped => DeclineReason::Stopped,
        EngineError::OutOfMemory => DeclineReason::TooLarge,
        EngineError::Failed => DeclineReason::Failed,
    }
}
