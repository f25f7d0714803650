//! How much one address or caller may ask for: rates, and things held open at once.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    num::NonZeroU32,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use governor::{Quota, clock::Clock as _, clock::DefaultClock};

use ionet_types::problem::Code;

use crate::problem::Problem;

/// A steady rate with room for a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Requests per second in the long run; 0 counts as 1.
    pub per_second: u32,
    /// Requests at once after a pause; 0 counts as 1.
    pub burst: u32,
}

/// After so many checks the limiter forgets the keys that have gone quiet.
const CHECKS_BETWEEN_SWEEPS: u32 = 4096;

/// Keeps each key to a rate. Memory holds only keys that asked lately.
pub struct RateLimiter<K: Hash + Eq + Clone> {
    limiter: governor::DefaultKeyedRateLimiter<K>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> RateLimiter<K> {
    /// A limiter in which nobody has asked yet.
    pub fn new(rate: Rate) -> Self {
        let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(rate.per_second)).allow_burst(at_least_one(rate.burst));
        Self { limiter: governor::RateLimiter::keyed(quota), clock: DefaultClock::default(), checks: AtomicU32::new(0) }
    }

    /// Counts one request of `key`; `Err` says when the next one will be taken.
    pub fn check(&self, key: &K) -> Result<(), Problem> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % CHECKS_BETWEEN_SWEEPS == CHECKS_BETWEEN_SWEEPS - 1 {
            self.limiter.retain_recent();
        }
        self.limiter.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            Problem::new(Code::RateLimited).retry_after(wait)
        })
    }
}

/// Keeps how many things each key holds open at once.
pub struct OpenLimiter<K: Hash + Eq + Clone>(Arc<Open<K>>);

struct Open<K> {
    max: u32,
    held: Mutex<HashMap<K, u32>>,
}

/// One thing held open; dropping it gives the place back.
pub struct Held<K: Hash + Eq + Clone> {
    open: Arc<Open<K>>,
    key: K,
}

impl<K: Hash + Eq + Clone> Clone for OpenLimiter<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K: Hash + Eq + Clone> OpenLimiter<K> {
    /// A limiter in which nothing is held.
    pub fn new(max: u32) -> Self {
        Self(Arc::new(Open { max, held: Mutex::new(HashMap::new()) }))
    }

    /// Takes a place for `key`.
    pub fn hold(&self, key: K) -> Result<Held<K>, Problem> {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(key.clone()).or_insert(0);
        if *count >= self.0.max {
            return Err(Problem::new(Code::TooManyStreams).retry_after(Duration::from_secs(1)));
        }
        *count += 1;
        Ok(Held { open: self.0.clone(), key })
    }

    /// How many places are taken, over all keys.
    pub fn len(&self) -> usize {
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner).values().map(|&n| n as usize).sum()
    }

    /// Whether no place is taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<K: Hash + Eq + Clone> Drop for Held<K> {
    fn drop(&mut self) {
        let mut held = self.open.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.key);
            }
        }
    }
}

/// Whom an address stands for: itself, or for IPv6 its /64 network, which one subscriber owns in whole.
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => {
            let s = v6.segments();
            IpAddr::V6([s[0], s[1], s[2], s[3], 0, 0, 0, 0].into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_taken_and_then_refused_with_a_time_to_wait() {
        let limiter = RateLimiter::new(Rate { per_second: 1, burst: 3 });
        assert!((0..3).all(|_| limiter.check(&"a").is_ok()));
        let problem = limiter.check(&"a").expect_err("the fourth at once is one too many");
        assert_eq!(problem.code(), "rate_limited");
        assert!(problem.retry_after_secs().is_some_and(|secs| secs >= 1));
        assert!(limiter.check(&"b").is_ok(), "another key has its own bucket");
    }

    #[test]
    fn places_are_given_back() {
        let limiter = OpenLimiter::new(2);
        let first = limiter.hold(1).expect("free");
        let _second = limiter.hold(1).expect("free");
        assert!(limiter.hold(1).is_err());
        assert!(limiter.hold(2).is_ok(), "another key has its own places");
        drop(first);
        assert!(limiter.hold(1).is_ok());
        assert_eq!(limiter.len(), 1);
    }

    #[test]
    fn addresses_of_one_subscriber_count_together() {
        let network = |text: &str| network_of(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::9"));
        assert_ne!(network("2001:db8:1:2::"), network("2001:db8:1:3::"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
