//! Shows the hub what this device can do: one task at a time, on a thread of its own, given up at once when the device is hired.
//!
//! A proof must never take anything from a paid workload: it is stopped before the workload's first process starts.

use std::num::NonZeroUsize;
use std::sync::mpsc as queue;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use ionet_proofs::{Cpu, Limits, Prover, Stop};
use ionet_types::agent::{AgentMessage, Answer, Ask, Task, TaskId};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::agent::Shared;
use crate::probe;

/// Share of the offered memory that a task may take, percent.
const MEMORY_PERCENT: u64 = 75;
const MIB: u64 = 1 << 20;

/// Answers one connection's tasks. Dropping it gives up what runs.
pub(crate) struct Proofs {
    work: queue::Sender<Work>,
    current: Arc<Mutex<Option<(TaskId, Stop)>>>,
}

enum Work {
    Task(Task, Stop),
    Ask(Ask, Stop),
    Forget,
}

impl Proofs {
    /// Begins to answer on this connection; answers go to `outbox`.
    pub(crate) fn begin(shared: &Shared, network: &str, outbox: mpsc::Sender<Message>) -> Self {
        let (work, waiting) = queue::channel();
        let threads = shared.options.cpus.map_or_else(thread::available_parallelism, |cpus| {
            Ok(NonZeroUsize::new(cpus as usize).unwrap_or(NonZeroUsize::MIN).min(thread::available_parallelism()?))
        });
        let engine = Arc::new(Cpu::new(threads.unwrap_or(NonZeroUsize::MIN)));
        let offered_mb = shared.options.memory_mb.unwrap_or_else(probe::machine_memory_mb);
        let limits = Limits { memory_bytes: offered_mb.saturating_mul(MIB) / 100 * MEMORY_PERCENT };
        let prover = Prover::new(engine, shared.key.signing_key().clone(), network, limits);
        let started = thread::Builder::new().name("proofs".to_owned()).spawn(move || answer(prover, &waiting, &outbox));
        if let Err(error) = started {
            // Without it the device fails its proofs, and says why here.
            tracing::error!(%error, "no thread for proofs could be started");
        }
        Self { work, current: Arc::default() }
    }

    /// A task came. `hired` says whether the device works for a tenant: then it declines.
    pub(crate) fn task(&self, task: Task, hired: bool) {
        let stop = self.replace(Some(task.id));
        if hired {
            stop.stop();
        }
        // The thread is gone only when the connection is.
        let _ = self.work.send(Work::Task(task, stop));
    }

    /// The next question of a task came.
    pub(crate) fn ask(&self, ask: Ask) {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, stop)) = current.filter(|(task, _)| *task == ask.task_id) {
            let _ = self.work.send(Work::Ask(ask, stop));
        }
    }

    /// The hub does not want a task any more.
    pub(crate) fn cancel(&self, task: TaskId) {
        let is_current = self.current.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|(current, _)| *current == task);
        if is_current {
            self.stop();
        }
    }

    /// Gives up what runs: the device is hired, or nobody waits for it.
    pub(crate) fn stop(&self) {
        if let Some((_, stop)) = self.current.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            stop.stop();
        }
        let _ = self.work.send(Work::Forget);
    }

    fn replace(&self, task: Option<TaskId>) -> Stop {
        let stop = Stop::default();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, old)) = current.take() {
            old.stop();
        }
        *current = task.map(|task| (task, stop.clone()));
        stop
    }
}

impl Drop for Proofs {
    fn drop(&mut self) {
        self.replace(None);
    }
}

/// The thread: works off what comes until the connection is gone.
fn answer(mut prover: Prover, waiting: &queue::Receiver<Work>, outbox: &mpsc::Sender<Message>) {
    while let Ok(work) = waiting.recv() {
        let answer: Option<Answer> = match work {
            Work::Task(task, stop) => Some(prover.start(&task, &stop)),
            Work::Ask(ask, stop) => prover.ask(&ask, &stop),
            Work::Forget => {
                prover.forget();
                None
            }
        };
        if let Some(answer) = answer
            && outbox.blocking_send(Message::text(AgentMessage::Answer(Box::new(answer)).encode())).is_err()
        {
            return;
        }
    }
}
