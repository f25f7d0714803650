//! When the hub is there to see. Written down every heartbeat, so that after a crash everybody knows since when nobody looked.

use std::sync::Mutex;
use std::sync::PoisonError;

use ionet_store::{Store, StoreResult};

/// After so many heartbeats without a look the hub itself was away: its machine slept.
const MISSED_HEARTBEATS: i64 = 6;

/// The present watch.
#[derive(Debug)]
pub(crate) struct Watching {
    state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
struct State {
    id: i64,
    seen_at_unix_secs: i64,
}

impl Watching {
    /// Begins to watch; what an earlier run left open is closed.
    pub(crate) async fn begin(store: &Store, now_unix_secs: i64) -> StoreResult<Self> {
        let id = store.watch_begin(now_unix_secs).await?;
        Ok(Self { state: Mutex::new(State { id, seen_at_unix_secs: now_unix_secs }) })
    }

    /// Still there.
    pub(crate) async fn look(&self, store: &Store, now_unix_secs: i64, heartbeat_secs: u32) -> StoreResult<()> {
        let heartbeat = i64::from(heartbeat_secs);
        let State { id, seen_at_unix_secs } = *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let since = now_unix_secs.saturating_sub(seen_at_unix_secs);
        if since < heartbeat {
            return Ok(());
        }
        let id = if since > heartbeat.saturating_mul(MISSED_HEARTBEATS) {
            tracing::warn!(since, "the hub itself was away: what happened meanwhile counts against nobody");
            store.watch_resume(now_unix_secs).await?
        } else {
            store.watch_extend(id, now_unix_secs).await?;
            id
        };
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State { id, seen_at_unix_secs: now_unix_secs };
        Ok(())
    }
}
