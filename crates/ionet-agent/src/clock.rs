//! The device's clock as the wire speaks of it: read once, when the agent begins, and carried on by the machine's steady clock. A clock that
//! is set while the agent runs ends no tenant's lease and begins none.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Seconds since 1970.
pub(crate) fn unix_secs() -> i64 {
    static BEGAN: OnceLock<(i64, Instant)> = OnceLock::new();
    let (began_unix_secs, began) = *BEGAN.get_or_init(|| (read_unix_secs(), Instant::now()));
    began_unix_secs.saturating_add(i64::try_from(began.elapsed().as_secs()).unwrap_or(i64::MAX))
}

fn read_unix_secs() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}
