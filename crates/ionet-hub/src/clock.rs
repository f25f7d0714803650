//! The hub's own clock, for sessions, keys and leases. Money goes by the chain's clock, never by this one.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where the hub's time comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    Real,
    /// Stands still until [`Clock::advance_secs`].
    Stepped(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at this moment.
    pub fn stepped(unix_secs: i64) -> Self {
        Self::Stepped(Arc::new(AtomicI64::new(unix_secs)))
    }

    /// The time, unix seconds.
    pub fn now_unix_secs(&self) -> i64 {
        match self {
            Self::Real => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            }
            Self::Stepped(now) => now.load(Ordering::SeqCst),
        }
    }

    /// Moves a stepped clock; a real one moves by itself.
    pub fn advance_secs(&self, secs: i64) {
        if let Self::Stepped(now) = self {
            now.fetch_add(secs, Ordering::SeqCst);
        }
    }
}
