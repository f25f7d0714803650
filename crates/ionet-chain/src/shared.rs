//! What the chain's threads and its clients' tasks both see. All of it is on disk already.

use crate::{
    genesis::Genesis,
    history::History,
    journal::Segments,
    server::subscriptions::Subscriptions,
    timeline::{Moment, machine_unix_ms},
};
use std::sync::{
    OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard,
    atomic::{AtomicI64, AtomicU64, Ordering},
};
use tokio::sync::watch;

pub(crate) struct Shared {
    pub(crate) genesis: Genesis,
    pub(crate) segments: Segments,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) airdrop_cap_lamports: u64,
    history: RwLock<History>,
    slot: AtomicU64,
    unix_secs: AtomicI64,
    failure: OnceLock<String>,
    closed: watch::Sender<bool>,
}

impl Shared {
    pub(crate) fn new(genesis: Genesis, segments: Segments, history: History, now: Moment, airdrop_cap_lamports: u64) -> Self {
        Self {
            genesis,
            segments,
            subscriptions: Subscriptions::default(),
            airdrop_cap_lamports,
            history: RwLock::new(history),
            slot: AtomicU64::new(now.slot),
            unix_secs: AtomicI64::new(now.unix_secs),
            failure: OnceLock::new(),
            closed: watch::Sender::new(false),
        }
    }

    /// The present: (slot, seconds since the Unix epoch).
    pub(crate) fn now(&self) -> (u64, i64) {
        let slot = self.slot.load(Ordering::Acquire);
        if self.genesis.real_clock {
            let slot = slot.max(self.genesis.real_slot(machine_unix_ms()));
            (slot, self.genesis.real_unix_secs(slot))
        } else {
            (slot, self.unix_secs.load(Ordering::Acquire))
        }
    }

    /// Lets clients see a moment whose writes are on disk.
    pub(crate) fn publish(&self, now: Moment) {
        self.unix_secs.fetch_max(now.unix_secs, Ordering::AcqRel);
        self.slot.fetch_max(now.slot, Ordering::AcqRel);
    }

    pub(crate) fn history(&self) -> RwLockReadGuard<'_, History> {
        self.history.read().expect("nothing panics while it holds this lock")
    }

    pub(crate) fn history_mut(&self) -> RwLockWriteGuard<'_, History> {
        self.history.write().expect("nothing panics while it holds this lock")
    }

    /// Why the chain has stopped, if it has.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.failure.get().map(String::as_str)
    }

    /// Stops the chain; the first reason stays.
    pub(crate) fn fail(&self, reason: String) {
        self.failure.set(reason).ok();
    }

    /// Says that the last byte is on disk and the directory is free.
    pub(crate) fn close(&self) {
        self.closed.send_replace(true);
    }

    /// Waits for [`Shared::close`].
    pub(crate) async fn closed(&self) {
        // The sender lives in `self`, so the wait can only end with the value.
        self.closed.subscribe().wait_for(|closed| *closed).await.ok();
    }
}
