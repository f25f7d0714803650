//! When the hub is there to see. Written down every heartbeat, so that after a crash everybody knows since when nobody looked; and as finely as
//! the table of who is there has noticed it, so that the store blames nobody whom the table does not.

use ionet_store::{Store, StoreResult, Watch};
use tokio::sync::Mutex;

use crate::Hub;
use crate::devices::Lives;
use crate::error::HubResult;

/// A stretch in which the hub was away: since when, and when it was back, unix seconds.
pub(crate) type Absence = (i64, i64);

/// The present watch. Held from noticing an absence until it is written: whoever decides by what is written looks here first.
#[derive(Debug)]
pub(crate) struct Watching {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    id: i64,
    watch: Watch,
    /// Noticed and not written yet.
    unwritten: Option<Absence>,
    /// When the hub was back last, if the devices' lives were not told yet.
    untold: Option<Absence>,
}

/// How a watch goes on at a look: as it is now, and the next one if the hub was away in between.
pub fn watch_on(watch: Watch, noticed: Option<Absence>, now_unix_secs: i64, heartbeat_secs: i64) -> (Watch, Option<Watch>) {
    let until = |to_unix_secs: i64| Watch { to_unix_secs: watch.to_unix_secs.max(to_unix_secs), ..watch };
    match noticed {
        Some((went, came)) if came > watch.from_unix_secs => {
            (until(went), Some(Watch { from_unix_secs: came, to_unix_secs: came.max(now_unix_secs) }))
        }
        _ if now_unix_secs.saturating_sub(watch.to_unix_secs) >= heartbeat_secs => (until(now_unix_secs), None),
        _ => (watch, None),
    }
}

impl Watching {
    /// Begins to watch; what an earlier run left open is closed.
    pub(crate) async fn begin(store: &Store, now_unix_secs: i64) -> StoreResult<Self> {
        let id = store.watch_begin(now_unix_secs).await?;
        let watch = Watch { from_unix_secs: now_unix_secs, to_unix_secs: now_unix_secs };
        Ok(Self { state: Mutex::new(State { id, watch, unwritten: None, untold: None }) })
    }

    async fn look(&self, store: &Store, lives: &Lives, now_unix_secs: i64, heartbeat_secs: u32) -> StoreResult<Option<Absence>> {
        let mut state = self.state.lock().await;
        let noticed = lives.look(now_unix_secs);
        state.untold = noticed.or(state.untold);
        // Two that were not written are one: nobody loses by that.
        state.unwritten = match (state.unwritten, noticed) {
            (Some((went, _)), Some((_, came))) => Some((went, came)),
            (before, noticed) => noticed.or(before),
        };
        let (watch, next) = watch_on(state.watch, state.unwritten, now_unix_secs, heartbeat_secs.into());
        if watch != state.watch {
            store.watch_extend(state.id, watch.to_unix_secs).await?;
            state.watch = watch;
        }
        if let Some(next) = next {
            state.id = store.watch_resume(next.from_unix_secs).await?;
            state.watch = next;
        }
        state.unwritten = None;
        Ok(noticed)
    }
}

impl Hub {
    /// Looks who has fallen silent, and whether the hub itself was away, as it does by itself every second: what it did not see counts against
    /// nobody. Errors of the store.
    pub async fn look(&self) -> HubResult<()> {
        let (lives, now_unix_secs) = (&self.agents().0.lives, self.clock().now_unix_secs());
        let heartbeat_secs = self.options().timing.heartbeat_secs.max(1);
        if let Some((went, came)) = self.0.watching.look(self.store(), lives, now_unix_secs, heartbeat_secs).await? {
            let secs = came.saturating_sub(went);
            tracing::warn!(secs, "the hub itself did not look: what happened meanwhile counts against nobody");
            self.signals().proofs.notify_one();
        }
        Ok(())
    }

    /// An absence of the hub, once, for whoever tells the devices' lives of it.
    pub(crate) async fn absence_to_tell(&self) -> Option<Absence> {
        self.0.watching.state.lock().await.untold.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCH: Watch = Watch { from_unix_secs: 100, to_unix_secs: 200 };

    #[test]
    fn it_is_written_every_heartbeat() {
        assert_eq!(watch_on(WATCH, None, 209, 10), (WATCH, None));
        assert_eq!(watch_on(WATCH, None, 210, 10), (Watch { to_unix_secs: 210, ..WATCH }, None));
        assert_eq!(watch_on(WATCH, None, 50, 10), (WATCH, None), "a clock that goes back is waited for");
    }

    /// A device counts as silent after thirty seconds: an absence of eleven may not look like its own.
    #[test]
    fn a_short_absence_is_written_as_it_was_noticed() {
        let (watch, next) = watch_on(WATCH, Some((205, 216)), 216, 10);
        assert_eq!(watch, Watch { to_unix_secs: 205, ..WATCH });
        let resumed = Watch { from_unix_secs: 216, to_unix_secs: 216 };
        assert_eq!(next, Some(resumed));
        assert_eq!(watch_on(resumed, Some((205, 216)), 217, 10), (resumed, None), "once");
    }
}
