//! What an epoch of the network is closed from, and where what came of it is kept.
//!
//! Inputs are gathered from three truths: the chain (stakes, minted emission, paid work), the store (who was connected when, who was which
//! node) and the parameters. The allocation itself is computed by `ionet-epochs` and kept as a file that anyone can download and replay.

pub(crate) mod archive;
pub(crate) mod gates;
pub(crate) mod inputs;
pub(crate) mod measured;
pub(crate) mod start;
pub(crate) mod uptime;
pub(crate) mod watch;
pub(crate) mod work;

use ionet_rules::epochs::Epochs;
use ionet_rules::supply::SupplyParams;

use crate::Hub;
use crate::error::HubResult;

/// What the chain says of emission at one moment.
pub(crate) struct Chain {
    pub(crate) params: SupplyParams,
    pub(crate) book: Epochs,
    /// Unix seconds on its clock.
    pub(crate) now: i64,
}

impl Chain {
    pub(crate) async fn look(hub: &Hub) -> HubResult<Self> {
        let ledger = hub.ledger();
        let (supply, epochs, now) = futures::try_join!(ledger.supply(), ledger.epochs(), ledger.chain_now_unix_secs())?;
        Ok(Self { params: supply.params, book: epochs.book, now })
    }

    /// Epochs that are over.
    pub(crate) fn over(&self) -> u64 {
        self.params.epochs_over(self.book.first_unix_secs, self.now)
    }

    /// The epoch that runs; 0 before the first.
    pub(crate) fn running(&self) -> u64 {
        if self.now < self.book.first_unix_secs { 0 } else { self.over().saturating_add(1) }
    }
}
