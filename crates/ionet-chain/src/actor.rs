//! The chain's thread: takes requests one after the other, lets the state execute them, hands what they left to
//! the journal.

use crate::{
    journal::{Deliver, Message},
    shared::Shared,
    state::State,
};
use std::{
    fs::File,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, mpsc},
    thread,
};
use tokio::sync::mpsc as jobs;

/// One request: what to do with the state. It returns how to answer once the journal is synced.
pub(crate) type Run = Box<dyn FnOnce(&mut State) -> Deliver + Send>;

pub(crate) enum Job {
    Run(Run),
    /// Finish what was sent before, then end.
    Stop,
}

pub(crate) struct Actor {
    pub(crate) state: State,
    pub(crate) jobs: jobs::Receiver<Job>,
    pub(crate) journal: mpsc::SyncSender<Message>,
    pub(crate) writer: thread::JoinHandle<()>,
    pub(crate) snapshot_every_bytes: u64,
    /// Held until the last byte is on disk.
    pub(crate) lock: File,
}

impl Actor {
    pub(crate) fn run(mut self) {
        let _closed = ClosedAtLast(self.state.shared.clone());
        while let Some(Job::Run(run)) = self.jobs.blocking_recv() {
            let shared = self.state.shared.clone();
            if shared.failure().is_some() {
                continue;
            }
            let state = &mut self.state;
            let deliver = catch_unwind(AssertUnwindSafe(|| {
                state.tick();
                run(state)
            }));
            if deliver.is_err() && self.state.is_applying() {
                shared.fail("a write failed half way; nothing of it is on disk, open the chain again".into());
                continue;
            }
            let commit = self.state.take_commit(deliver.ok());
            let mut sent = self.journal.send(Message::Commit(commit)).is_ok();
            if let Some(data) = self.state.due_snapshot(self.snapshot_every_bytes) {
                sent &= self.journal.send(Message::Snapshot(data)).is_ok();
            }
            if !sent {
                shared.fail("the journal's writer has ended".into());
            }
        }
        let shared = self.state.shared.clone();
        shared.fail("it was closed".into());
        drop(self.journal);
        if self.writer.join().is_err() {
            tracing::error!("the journal's writer panicked");
        }
        drop(self.lock);
    }
}

/// Tells that the chain has ended, however its thread ends.
struct ClosedAtLast(Arc<Shared>);

impl Drop for ClosedAtLast {
    fn drop(&mut self) {
        self.0.fail("its thread has ended".into());
        self.0.close();
    }
}
