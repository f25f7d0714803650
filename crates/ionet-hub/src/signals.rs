//! Who wakes whom. Signals carry no data: a woken reconciler looks at the state.

use ionet_types::ClusterId;
use tokio::sync::{Notify, broadcast};

/// Changes that a slow watcher may fall behind before it looks at everything again.
const CHANGES_KEPT: usize = 1024;

/// One signal for each reconciler, and the news for those who watch clusters.
#[derive(Debug)]
pub(crate) struct Signals {
    pub(crate) watching: Notify,
    pub(crate) bookings: Notify,
    pub(crate) deployments: Notify,
    pub(crate) metering: Notify,
    pub(crate) settlement: Notify,
    pub(crate) expiry: Notify,
    pub(crate) prices: Notify,
    pub(crate) records: Notify,
    pub(crate) epochs: Notify,
    pub(crate) proofs: Notify,
    changes: broadcast::Sender<ClusterId>,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Self {
            watching: Notify::new(),
            bookings: Notify::new(),
            deployments: Notify::new(),
            metering: Notify::new(),
            settlement: Notify::new(),
            expiry: Notify::new(),
            prices: Notify::new(),
            records: Notify::new(),
            epochs: Notify::new(),
            proofs: Notify::new(),
            changes: broadcast::Sender::new(CHANGES_KEPT),
        }
    }

    /// Wakes every reconciler: something happened on chain.
    pub(crate) fn wake_all(&self) {
        let Self { watching, bookings, deployments, metering, settlement, expiry, prices, records, epochs, proofs, changes: _ } = self;
        for signal in [watching, deployments, bookings, metering, settlement, expiry, prices, records, epochs, proofs] {
            signal.notify_one();
        }
    }

    /// A cluster may look different now.
    pub(crate) fn changed(&self, id: ClusterId) {
        // Nobody watching is fine.
        let _ = self.changes.send(id);
    }

    /// News of all clusters from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<ClusterId> {
        self.changes.subscribe()
    }
}
