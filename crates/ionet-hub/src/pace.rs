//! Keeps each of many keys to its pace.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// After so many checks a limiter forgets the keys that have gone quiet.
const CHECKS_BETWEEN_SWEEPS: u32 = 1_024;

/// Keeps each key to a pace. Memory holds only keys that asked lately. Goes by the machine's steady clock, not by the hub's.
pub(crate) struct Paced<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> Paced<K> {
    /// One in each `period`, and so many at once after a pause; 0 counts as 1.
    pub(crate) fn new(period: Duration, burst: u32) -> Self {
        let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
        // Only a period of nothing makes no quota.
        let quota = Quota::with_period(period).unwrap_or(Quota::per_second(NonZeroU32::MAX));
        Self { limiter: RateLimiter::keyed(quota.allow_burst(burst)), checks: AtomicU32::new(0) }
    }

    /// So many an hour, all of them at once if need be; 0 counts as 1.
    pub(crate) fn per_hour(count: u32) -> Self {
        Self::new(Duration::from_hours(1) / count.max(1), count)
    }

    /// Counts one; `false` when it is one too many.
    pub(crate) fn take(&self, key: &K) -> bool {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_BETWEEN_SWEEPS == CHECKS_BETWEEN_SWEEPS - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_holds_so_many_and_no_more() {
        let paced = Paced::per_hour(3);
        assert!((0..3).all(|_| paced.take(&"a")));
        assert!(!paced.take(&"a"));
        assert!(paced.take(&"b"), "each key for itself");
        assert!(Paced::per_hour(0).take(&"a"));
    }

    #[test]
    fn a_pace_is_kept_from_the_first_moment() {
        let paced = Paced::new(Duration::from_hours(1), 1);
        assert!(paced.take(&1) && !paced.take(&1));
    }
}
