//! The index of past transactions: where each record is, by signature and by address. It knows only what is on
//! disk. About 150 bytes of memory per transaction and 4 more per account it names.

use crate::{genesis::GENESIS_SLOT, journal::Location};
use solana_address::Address;
use solana_signature::Signature;
use solana_transaction_error::TransactionError;
use std::collections::HashMap;

/// A transaction on its way into the index.
pub(crate) struct HistoryEntry {
    pub(crate) signature: Signature,
    pub(crate) slot: u64,
    pub(crate) unix_secs: i64,
    pub(crate) err: Option<Box<TransactionError>>,
    pub(crate) addresses: Vec<Address>,
    /// Set by the journal's writer.
    pub(crate) location: Location,
}

/// Stepped time became this at that slot.
#[derive(Clone, Copy)]
pub(crate) struct TimeStep {
    pub(crate) slot: u64,
    pub(crate) unix_secs: i64,
}

/// What the index keeps of a transaction.
#[derive(Clone)]
pub(crate) struct Past {
    pub(crate) slot: u64,
    pub(crate) unix_secs: i64,
    pub(crate) err: Option<Box<TransactionError>>,
    pub(crate) location: Location,
}

#[derive(Default)]
pub(crate) struct History {
    entries: Vec<Past>,
    by_signature: HashMap<Signature, u32>,
    by_address: HashMap<Address, Vec<u32>>,
    steps: Vec<TimeStep>,
}

impl History {
    pub(crate) fn push(&mut self, entry: HistoryEntry) {
        let Ok(number) = u32::try_from(self.entries.len()) else {
            return;
        };
        self.by_signature.insert(entry.signature, number);
        for address in entry.addresses {
            let numbers = self.by_address.entry(address).or_default();
            if numbers.last() != Some(&number) {
                numbers.push(number);
            }
        }
        self.entries.push(Past { slot: entry.slot, unix_secs: entry.unix_secs, err: entry.err, location: entry.location });
    }

    pub(crate) fn push_step(&mut self, step: TimeStep) {
        self.steps.push(step);
    }

    /// Number of transactions.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn find(&self, signature: &Signature) -> Option<&Past> {
        let number = *self.by_signature.get(signature)?;
        self.entries.get(number as usize)
    }

    /// Stepped time at a slot; `None` before the first step.
    pub(crate) fn stepped_unix_secs(&self, slot: u64) -> Option<i64> {
        let after = self.steps.partition_point(|step| step.slot <= slot);
        Some(self.steps.get(after.checked_sub(1)?)?.unix_secs)
    }

    /// Transactions that name an address, newest first: those older than `before` and newer than `until`.
    /// An unknown `before` gives none, an unknown `until` is no bound, as with Solana's own nodes.
    pub(crate) fn of_address(&self, address: &Address, before: Option<&Signature>, until: Option<&Signature>, limit: usize) -> Vec<Past> {
        let numbers = self.by_address.get(address).map_or(&[][..], Vec::as_slice);
        let end = match before.map(|before| self.by_signature.get(before)) {
            None => numbers.len(),
            Some(None) => 0,
            Some(Some(before)) => numbers.partition_point(|number| number < before),
        };
        let start =
            until.and_then(|until| self.by_signature.get(until)).map_or(0, |until| numbers.partition_point(|number| number <= until));
        numbers
            .get(start..end)
            .unwrap_or(&[])
            .iter()
            .rev()
            .take(limit)
            .filter_map(|number| self.entries.get(*number as usize).cloned())
            .collect()
    }

    /// The signatures of transactions at or after a slot, for refusing duplicates after a restart.
    pub(crate) fn signatures_since(&self, slot: u64) -> Vec<(u64, Signature)> {
        let first = self.entries.partition_point(|past| past.slot < slot.max(GENESIS_SLOT));
        self.by_signature
            .iter()
            .filter(|(_, number)| **number as usize >= first)
            .filter_map(|(signature, number)| Some((self.entries.get(*number as usize)?.slot, *signature)))
            .collect()
    }
}
