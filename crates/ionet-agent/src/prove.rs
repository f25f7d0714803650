//! Shows the hub what this device can do: one task at a time, on a thread of its own, given up at once when the device is hired.
//!
//! A proof must never take anything from a paid workload: it is stopped before the workload's first process starts.

use std::sync::mpsc as queue;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use ionet_proofs::{Prover, Stop};
use ionet_types::agent::{AgentMessage, Answer, Ask, Task, TaskId};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::agent::Shared;
use crate::engine;

/// Answers one connection's tasks. Dropping it gives up what runs.
pub(crate) struct Proofs {
    work: queue::Sender<Work>,
    current: Arc<Mutex<Option<(TaskId, Stop)>>>,
}

enum Work {
    Task(Task, Stop),
    Ask(Ask, Stop),
    Forget,
    /// No tenant is here.
    Prepare,
    /// A tenant comes.
    Rest,
}

impl Proofs {
    /// Begins to answer on this connection; answers go to `outbox`.
    pub(crate) fn begin(shared: &Arc<Shared>, network: &str, outbox: mpsc::Sender<Message>) -> Self {
        let (work, waiting) = queue::channel();
        let (shared, network) = (shared.clone(), network.to_owned());
        let begin = move || {
            // Looking for cards takes a while, and what was found serves all connections.
            let chosen = shared.engine.get_or_init(|| engine::choose(&shared.options)).clone();
            let prover = Prover::new(chosen.engine, shared.key.signing_key().clone(), &network, chosen.limits);
            answer(prover, &waiting, &outbox);
        };
        if let Err(error) = thread::Builder::new().name("proofs".to_owned()).spawn(begin) {
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

    /// The device is free: gets ready for a task, so that a card is not opened in a task's time.
    pub(crate) fn prepare(&self) {
        let _ = self.work.send(Work::Prepare);
    }

    /// The device is hired: gives up what runs, and everything that is kept ready.
    pub(crate) fn rest(&self) {
        self.stop();
        let _ = self.work.send(Work::Rest);
    }

    /// Gives up what runs: nobody waits for it.
    fn stop(&self) {
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
            Work::Prepare => {
                if let Err(error) = prover.prepare() {
                    tracing::warn!(code = error.code(), "nothing is ready for proofs");
                }
                None
            }
            Work::Rest => {
                prover.rest();
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
