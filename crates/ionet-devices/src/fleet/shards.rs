//! The fleet cut into parts, so that several threads take heartbeats in at once. A part is held for moments only: signatures are checked
//! while nobody holds it.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ionet_types::agent::Heartbeat;

use super::{Arrived, Beat, Counts, Dropped, Fleet, Glance, Options, Place, prove};
use crate::watching::Watching;

/// Heartbeats checked together after a false one was found: a false one makes its whole batch be checked again one by one.
const WARY_BATCH: usize = 16;
/// For how many calls.
const WARY_FOR: u32 = 64;

/// One part, and how wary it is of false signatures: whoever sends them cannot make checking cost more than about twice what checking one
/// by one costs.
#[derive(Debug)]
struct Part<S> {
    fleet: Mutex<Fleet<S>>,
    wary: AtomicU32,
}

/// A fleet in parts. A device belongs to one part for good, by its key.
#[derive(Debug)]
pub struct Shards<S> {
    hasher: S,
    parts: Box<[Part<S>]>,
}

impl<S: BuildHasher + Clone> Shards<S> {
    /// An empty fleet in `parts` parts, at least one. The bound on devices is for all parts together.
    pub fn new(parts: usize, options: Options, watching: &Watching, hasher: S, now_unix_secs: i64) -> Self {
        let parts = parts.max(1);
        let share = options.max_devices.div_ceil(u32::try_from(parts).unwrap_or(u32::MAX));
        // Keys spread evenly but not exactly.
        let options = Options { max_devices: share.saturating_add(share / 8).saturating_add(64), ..options };
        let fleet = || Mutex::new(Fleet::new(options, watching.clone(), hasher.clone(), now_unix_secs));
        let part = || Part { fleet: fleet(), wary: AtomicU32::new(0) };
        Self { parts: (0..parts).map(|_| part()).collect(), hasher }
    }
}

impl<S: BuildHasher> Shards<S> {
    /// How many parts there are.
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The part that a device belongs to.
    pub fn part_of(&self, key: &[u8; 32]) -> usize {
        // The middle of the hash: its ends place the device within the part.
        let middle = self.hasher.hash_one(key) >> 24;
        usize::try_from(middle % self.parts.len() as u64).expect("less than the number of parts")
    }

    /// Does something with a part, which is held meanwhile. `None` when there is no such part.
    pub fn with<R>(&self, part: usize, act: impl FnOnce(&mut Fleet<S>) -> R) -> Option<R> {
        self.parts.get(part).map(|part| act(&mut lock(part)))
    }

    /// Does something with the part of a device, which is held meanwhile.
    pub fn with_part_of<R>(&self, key: &[u8; 32], act: impl FnOnce(&mut Fleet<S>) -> R) -> R {
        act(&mut lock(&self.parts[self.part_of(key)]))
    }

    /// What is known of a device.
    pub fn glance(&self, key: &[u8; 32], now_unix_secs: i64) -> Option<Glance> {
        lock(&self.parts[self.part_of(key)]).glance(key, now_unix_secs)
    }

    /// Takes heartbeats of devices of one part in, and tells for each, by its number, what came of it. Signatures are checked together:
    /// some hundred at once are cheapest.
    pub fn ingest(
        &self,
        part: usize,
        heartbeats: &[(Place, Heartbeat)],
        now_unix_secs: i64,
        mut each: impl FnMut(usize, Result<Beat, Dropped>),
    ) {
        let Some(part) = self.parts.get(part) else {
            (0..heartbeats.len()).for_each(|number| each(number, Err(Dropped::SessionOver)));
            return;
        };
        let mut numbers = Vec::with_capacity(heartbeats.len());
        let mut arrived: Vec<Arrived> = Vec::with_capacity(heartbeats.len());
        let fleet = lock(part);
        for (number, (place, heartbeat)) in heartbeats.iter().enumerate() {
            match fleet.arrived(*place, heartbeat) {
                Ok(one) => {
                    numbers.push(number);
                    arrived.push(one);
                }
                Err(dropped) => each(number, Err(dropped)),
            }
        }
        drop(fleet);
        let wary = part.wary.load(Ordering::Relaxed);
        let batch = if wary > 0 { WARY_BATCH } else { arrived.len().max(1) };
        let proven: Vec<_> = arrived.chunks(batch).flat_map(prove).collect();
        let is_bad = proven.iter().any(Result::is_err);
        part.wary.store(if is_bad { WARY_FOR } else { wary.saturating_sub(1) }, Ordering::Relaxed);
        let mut fleet = lock(part);
        for (number, proven) in numbers.into_iter().zip(proven) {
            each(number, proven.map_err(Dropped::from).and_then(|proven| fleet.take(&proven, now_unix_secs)));
        }
    }

    /// How many devices are in each state.
    pub fn counts(&self) -> Counts {
        self.parts.iter().map(|part| lock(part).counts()).fold(Counts::default(), Counts::plus)
    }
}

fn lock<S>(part: &Part<S>) -> MutexGuard<'_, Fleet<S>> {
    // No code under this lock leaves a part half changed, so a panic elsewhere does not spoil it.
    part.fleet.lock().unwrap_or_else(PoisonError::into_inner)
}
