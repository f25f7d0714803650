//! The chain: bookings, as the rules of the program keep them, and the records of what was paid. A step may land although its answer is
//! lost; a second one for the same thing is refused by the books.

use std::collections::BTreeMap;

use ionet_rules::booking::{Booking, WorkLog};
use ionet_rules::params::Params;
use ionet_types::ClusterId;

use crate::Millis;

/// A work log that landed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paid {
    pub(crate) cluster: ClusterId,
    pub(crate) sequence: u32,
    pub(crate) at_unix_secs: i64,
    /// What it moved to the suppliers, base units.
    pub(crate) supplier: u64,
}

/// All of it.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    pub(crate) bookings: BTreeMap<ClusterId, Booking>,
    pub(crate) paid: Vec<Paid>,
    /// When nobody reached it; the last stretch may reach into the future.
    pub(crate) cuts: Vec<(Millis, Millis)>,
}

impl Chain {
    pub(crate) fn is_cut(&self, now: Millis) -> bool {
        self.cuts.iter().any(|(from, to)| (*from..*to).contains(&now))
    }

    /// Begins the hired time; refused the second time.
    pub(crate) fn start(&mut self, cluster: ClusterId, now_unix_secs: i64) {
        if let Some(book) = self.bookings.get_mut(&cluster) {
            // Whoever comes second is refused, and that is all there is to it.
            let _ = book.start(now_unix_secs);
        }
    }

    /// Writes a work log; refused unless it is the next one.
    pub(crate) fn worked(&mut self, cluster: ClusterId, log: &WorkLog, now_unix_secs: i64) -> bool {
        let Some(book) = self.bookings.get_mut(&cluster) else { return false };
        let before = book.supplier_paid.0;
        let is_taken = book.work(log, &Params::DEFAULT, now_unix_secs).is_ok();
        if is_taken {
            let supplier = book.supplier_paid.0 - before;
            self.paid.push(Paid { cluster, sequence: log.sequence, at_unix_secs: now_unix_secs, supplier });
        }
        is_taken
    }
}
