//! Slots, seconds and blockhashes: which slot it is, and which blockhashes a transaction may name.

use crate::genesis::{GENESIS_SLOT, Genesis, SLOT_MS};
use sha2::{Digest, Sha256};
use solana_hash::Hash;
use std::{
    collections::{HashMap, VecDeque},
    time::{SystemTime, UNIX_EPOCH},
};

/// A blockhash may be named for this many slots.
pub(crate) const BLOCKHASH_WINDOW_SLOTS: u64 = 150;
/// Blockhashes handed out within one slot, so that two equal transfers a moment apart differ. With stepped time
/// this is also the number of transactions after which the slot moves by one.
pub(crate) const WRITES_PER_SLOT: u32 = 64;

/// A moment of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) slot: u64,
    pub(crate) unix_secs: i64,
    /// Writes so far in this slot, at most [`WRITES_PER_SLOT`].
    pub(crate) writes: u32,
}

/// The machine's clock in milliseconds since the Unix epoch.
pub(crate) fn machine_unix_ms() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

impl Genesis {
    /// The first moment.
    pub(crate) fn start(&self) -> Moment {
        Moment { slot: GENESIS_SLOT, unix_secs: self.start_unix_ms.div_euclid(1000), writes: 0 }
    }

    /// The slot that the machine's clock stands for; only for chains with real time.
    pub(crate) fn real_slot(&self, unix_ms: i64) -> u64 {
        let since_ms = unix_ms.saturating_sub(self.start_unix_ms).max(0);
        GENESIS_SLOT + u64::try_from(since_ms / SLOT_MS).unwrap_or(0)
    }

    /// When a slot begins, in seconds; only for chains with real time.
    pub(crate) fn real_unix_secs(&self, slot: u64) -> i64 {
        let slots = i64::try_from(slot.saturating_sub(GENESIS_SLOT)).unwrap_or(i64::MAX);
        self.start_unix_ms.saturating_add(slots.saturating_mul(SLOT_MS)).div_euclid(1000)
    }

    /// The `n`-th blockhash of a slot. Nobody without the genesis file can foresee it, and it needs no journal.
    pub(crate) fn blockhash(&self, slot: u64, n: u32) -> Hash {
        let mut hasher = Sha256::new();
        hasher.update(b"ionet-chain blockhash");
        hasher.update(self.blockhash_seed);
        hasher.update(slot.to_le_bytes());
        hasher.update(n.to_le_bytes());
        Hash::new_from_array(hasher.finalize().into())
    }
}

/// The chain's present, and the blockhashes of its recent past.
pub(crate) struct Timeline {
    now: Moment,
    latest: Hash,
    valid: HashMap<Hash, u64>,
    window: VecDeque<(u64, Hash)>,
}

impl Timeline {
    /// A timeline that stands at `now`. Every blockhash that may have been handed out before is known again.
    pub(crate) fn at(genesis: &Genesis, now: Moment) -> Self {
        let mut timeline = Self { now, latest: Hash::default(), valid: HashMap::new(), window: VecDeque::new() };
        let first = now.slot.saturating_sub(BLOCKHASH_WINDOW_SLOTS).max(GENESIS_SLOT);
        for slot in first..now.slot {
            for n in 0..WRITES_PER_SLOT {
                timeline.admit(slot, genesis.blockhash(slot, n));
            }
        }
        for n in 0..=now.writes.min(WRITES_PER_SLOT - 1) {
            timeline.admit(now.slot, genesis.blockhash(now.slot, n));
        }
        timeline
    }

    pub(crate) fn now(&self) -> Moment {
        self.now
    }

    /// The blockhash to build the next transaction on.
    pub(crate) fn latest(&self) -> Hash {
        self.latest
    }

    /// The slot a blockhash was handed out in, if it may still be named.
    pub(crate) fn slot_of(&self, hash: &Hash) -> Option<u64> {
        self.valid.get(hash).copied().filter(|slot| slot + BLOCKHASH_WINDOW_SLOTS >= self.now.slot)
    }

    /// Moves to a later slot. Returns whether the slot changed.
    pub(crate) fn move_to(&mut self, genesis: &Genesis, slot: u64, unix_secs: i64) -> bool {
        if slot <= self.now.slot {
            return false;
        }
        self.now = Moment { slot, unix_secs: unix_secs.max(self.now.unix_secs), writes: 0 };
        self.admit(slot, genesis.blockhash(slot, 0));
        true
    }

    /// Counts one journalled write.
    pub(crate) fn count_write(&mut self, genesis: &Genesis) {
        self.now = self.now.after_write();
        if self.now.writes < WRITES_PER_SLOT {
            self.admit(self.now.slot, genesis.blockhash(self.now.slot, self.now.writes));
        }
    }

    fn admit(&mut self, slot: u64, hash: Hash) {
        while let Some((old, expired)) = self.window.front().copied() {
            if old + BLOCKHASH_WINDOW_SLOTS >= slot {
                break;
            }
            self.valid.remove(&expired);
            self.window.pop_front();
        }
        self.window.push_back((slot, hash));
        self.valid.insert(hash, slot);
        self.latest = hash;
    }
}

impl Moment {
    /// The moment once one more write is counted.
    pub(crate) fn after_write(self) -> Self {
        Self { writes: (self.writes + 1).min(WRITES_PER_SLOT), ..self }
    }

    /// With stepped time a slot is full after [`WRITES_PER_SLOT`] writes.
    pub(crate) fn slot_is_full(self) -> bool {
        self.writes >= WRITES_PER_SLOT
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ChainClock;
    use proptest::prelude::*;

    fn genesis() -> Genesis {
        Genesis::generate(ChainClock::Stepped { start_unix_secs: 1_000 }).0
    }

    #[derive(Clone, Debug)]
    enum Op {
        Write,
        Move { slots: u64, secs: i64 },
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let op = prop_oneof![
            4 => Just(Op::Write),
            1 => (0..40u64, 0..100i64).prop_map(|(slots, secs)| Op::Move { slots, secs }),
        ];
        proptest::collection::vec(op, 0..300)
    }

    proptest! {
        /// A timeline that was restored at any moment takes exactly the blockhashes that the old one took, as far
        /// as they were ever handed out, and names the same latest one.
        #[test]
        fn a_restored_timeline_goes_on_as_before(ops in ops()) {
            let genesis = genesis();
            let mut timeline = Timeline::at(&genesis, genesis.start());
            let mut handed_out = vec![(timeline.now().slot, timeline.latest())];
            for op in ops {
                let before = timeline.now();
                match op {
                    Op::Write => timeline.count_write(&genesis),
                    Op::Move { slots, secs } => {
                        timeline.move_to(&genesis, before.slot + slots, before.unix_secs + secs);
                    }
                }
                prop_assert!(timeline.now().slot >= before.slot);
                prop_assert!(timeline.now().unix_secs >= before.unix_secs);
                handed_out.push((timeline.now().slot, timeline.latest()));
            }
            let now = timeline.now();
            let restored = Timeline::at(&genesis, now);
            prop_assert_eq!(restored.latest(), timeline.latest());
            for (slot, hash) in handed_out {
                let expected = (slot + BLOCKHASH_WINDOW_SLOTS >= now.slot).then_some(slot);
                prop_assert_eq!(timeline.slot_of(&hash), expected);
                prop_assert_eq!(restored.slot_of(&hash), expected);
            }
        }
    }

    #[test]
    fn real_time_is_400_ms_a_slot() {
        let mut genesis = genesis();
        genesis.start_unix_ms = 10_500;
        assert_eq!(genesis.real_slot(10_500), GENESIS_SLOT);
        assert_eq!(genesis.real_slot(10_899), GENESIS_SLOT);
        assert_eq!(genesis.real_slot(10_900), GENESIS_SLOT + 1);
        assert_eq!(genesis.real_slot(0), GENESIS_SLOT, "before genesis");
        assert_eq!(genesis.real_unix_secs(GENESIS_SLOT), 10);
        assert_eq!(genesis.real_unix_secs(GENESIS_SLOT + 2), 11);
        assert_eq!(genesis.real_slot(i64::MAX), GENESIS_SLOT + (i64::MAX as u64 - 10_500) / 400);
    }
}
