//! The signatures that a duplicate could still carry.

use solana_signature::Signature;
use std::collections::{HashSet, VecDeque};

/// Signatures that could still be sent again with a valid blockhash.
#[derive(Default)]
pub(crate) struct RecentSignatures {
    known: HashSet<Signature>,
    by_slot: VecDeque<(u64, Vec<Signature>)>,
}

impl RecentSignatures {
    pub(crate) fn insert(&mut self, slot: u64, signature: Signature) {
        self.known.insert(signature);
        match self.by_slot.back_mut() {
            Some((last, signatures)) if *last == slot => signatures.push(signature),
            _ => self.by_slot.push_back((slot, vec![signature])),
        }
    }

    pub(crate) fn contains(&self, signature: &Signature) -> bool {
        self.known.contains(signature)
    }

    /// Forgets what was included before a slot.
    pub(crate) fn forget_before(&mut self, slot: u64) {
        while self.by_slot.front().is_some_and(|(old, _)| *old < slot) {
            for signature in self.by_slot.pop_front().into_iter().flat_map(|(_, signatures)| signatures) {
                self.known.remove(&signature);
            }
        }
    }
}
