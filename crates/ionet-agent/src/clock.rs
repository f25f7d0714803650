//! What time it is, as an agent may believe it, so that no clock that is set ever ends a tenant's lease.
//!
//! The machine's clock is believed once, by the first process that ever runs in the agent's directory. From then on the agent counts: the
//! machine's steady clock goes on through the agent's own restarts and while the machine sleeps, and a [`Timeline`] on disk says what time it
//! stood for. A lease that the hub tells is taken as a length of time, from what the hub's clock shows when it speaks.
//!
//! A steady clock begins anew with the machine. What ran before is gone then, and the agent counts on from the last time that it wrote down:
//! the time off is not counted, so a lease ends late rather than early. If the hub is never reached again, what was begun ends after the
//! lease's length of time with the machine on, and at most [`KEEP_EVERY_SECS`] more for each start of the machine.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use ionet_types::agent::DesiredState;
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use crate::processes;

/// How often an agent writes down how far its time has come, seconds.
pub const KEEP_EVERY_SECS: i64 = 300;

/// The steady clock: time since the machine's start, time asleep included.
#[cfg(any(target_os = "linux", target_os = "android"))]
const STEADY: ClockId = ClockId::CLOCK_BOOTTIME;
/// The steady clock: where there is none by that name, this one goes on while the machine sleeps.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STEADY: ClockId = ClockId::CLOCK_MONOTONIC;

/// What time it was at one moment of the machine's steady clock, and with that what time it is at every other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// Names the start of the machine that the steady clock counts from; empty where the machine has no name for it.
    pub boot_id: String,
    /// The moment on the steady clock, seconds.
    pub steady_secs: i64,
    /// The time then, unix seconds.
    pub unix_secs: i64,
}

impl Timeline {
    /// The time for a process that begins now: goes on as it was kept. `machine_unix_secs`, the machine's own clock, is believed where nothing
    /// was kept.
    pub fn begin(kept: Option<Self>, boot_id: &str, steady_secs: i64, machine_unix_secs: i64) -> Self {
        let boot_id = boot_id.to_owned();
        match kept {
            Some(kept) if kept.boot_id == boot_id && !boot_id.is_empty() => kept,
            Some(Self { unix_secs, .. }) => Self { boot_id, steady_secs, unix_secs },
            None => Self { boot_id, steady_secs, unix_secs: machine_unix_secs },
        }
    }

    /// What time it is at this moment of the steady clock, unix seconds.
    pub const fn unix_secs(&self, steady_secs: i64) -> i64 {
        self.unix_secs.saturating_add(steady_secs.saturating_sub(self.steady_secs))
    }

    /// The same time, told by this moment of the steady clock: what is to be kept.
    #[must_use]
    pub fn at(&self, steady_secs: i64) -> Self {
        Self { boot_id: self.boot_id.clone(), steady_secs, unix_secs: self.unix_secs(steady_secs) }
    }

    /// What the hub wants, heard at this moment, with its leases by this time. Where nothing is to run no lease depends on what time it is: the
    /// hub's is taken over.
    #[must_use]
    pub fn hear(&mut self, desired: DesiredState, steady_secs: i64) -> DesiredState {
        let Some(hub_unix_secs) = desired.hub_unix_secs else { return desired };
        if desired.workloads.is_empty() {
            (self.steady_secs, self.unix_secs) = (steady_secs, hub_unix_secs);
        }
        let now_unix_secs = self.unix_secs(steady_secs);
        let mut ours = DesiredState { hub_unix_secs: Some(now_unix_secs), ..desired };
        for workload in &mut ours.workloads {
            let lease_secs = workload.lease_until_unix_secs.saturating_sub(hub_unix_secs);
            workload.lease_until_unix_secs = now_unix_secs.saturating_add(lease_secs);
        }
        ours
    }
}

/// An agent's clock.
#[derive(Debug)]
pub(crate) struct Clock {
    timeline: Mutex<Timeline>,
    /// When the process began, on the steady clock.
    began_steady_secs: i64,
}

impl Clock {
    pub(crate) fn begin(kept: Option<Timeline>) -> Self {
        let began_steady_secs = steady_secs();
        let timeline = Timeline::begin(kept, &processes::boot_id(), began_steady_secs, machine_unix_secs());
        Self { timeline: Mutex::new(timeline), began_steady_secs }
    }

    fn lock(&self) -> MutexGuard<'_, Timeline> {
        // Two numbers that are set one after the other: no panic comes between.
        self.timeline.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds since 1970, as the agent counts them.
    pub(crate) fn unix_secs(&self) -> i64 {
        self.lock().unix_secs(steady_secs())
    }

    /// For how long the agent's process has been running, seconds.
    pub(crate) fn running_for_secs(&self) -> u64 {
        u64::try_from(steady_secs().saturating_sub(self.began_steady_secs)).unwrap_or(0)
    }

    /// See [`Timeline::hear`]; also what is to be kept with it.
    pub(crate) fn hear(&self, desired: DesiredState) -> (DesiredState, Timeline) {
        let mut timeline = self.lock();
        let ours = timeline.hear(desired, steady_secs());
        (ours, timeline.clone())
    }

    /// The time now, to be kept.
    pub(crate) fn timeline(&self) -> Timeline {
        self.lock().at(steady_secs())
    }
}

fn steady_secs() -> i64 {
    #[expect(clippy::useless_conversion, reason = "seconds are shorter on some machines")]
    clock_gettime(STEADY).map_or(0, |time| i64::from(time.tv_sec()))
}

/// What the machine's clock shows, seconds since 1970.
pub(crate) fn machine_unix_secs() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::{DesiredWorkload, WorkloadKey, WorkloadSpec};
    use proptest::prelude::*;

    use super::*;

    fn desired(hub_unix_secs: Option<i64>, leases: &[i64]) -> DesiredState {
        let workload = |lease: &i64| DesiredWorkload {
            key: WorkloadKey { cluster_id: uuid::Uuid::nil(), node: 0 },
            lease_until_unix_secs: *lease,
            attempt: 0,
            spec: WorkloadSpec::Unknown,
        };
        DesiredState { revision: 1, hub_unix_secs, workloads: leases.iter().map(workload).collect() }
    }

    #[test]
    fn the_machines_clock_is_believed_once() {
        let first = Timeline::begin(None, "a", 100, 5_000);
        assert_eq!(first.unix_secs(160), 5_060);
        let again = Timeline::begin(Some(first.at(160)), "a", 200, 99_999_999);
        assert_eq!(again.unix_secs(200), 5_100, "the same start of the machine: the steady clock has gone on");
        let rebooted = Timeline::begin(Some(first.at(160)), "b", 7, 99_999_999);
        assert_eq!(rebooted.unix_secs(8), 5_061, "the time off is not counted");
        let nameless = Timeline::begin(Some(Timeline { boot_id: String::new(), ..first.at(160) }), "", 900, 1);
        assert_eq!(nameless.unix_secs(900), 5_060, "a start without a name is another one");
    }

    #[test]
    fn a_hub_that_does_not_say_its_time_is_taken_at_its_word() {
        let mut timeline = Timeline::begin(None, "a", 0, 1_000);
        assert_eq!(timeline.hear(desired(None, &[1_500]), 10).workloads[0].lease_until_unix_secs, 1_500);
        assert_eq!(timeline.unix_secs(10), 1_010);
    }

    #[test]
    fn the_clock_is_the_hubs_where_no_lease_depends_on_it() {
        let mut timeline = Timeline::begin(None, "a", 0, 1_000);
        let _ = timeline.hear(desired(Some(70_000), &[80_000]), 10);
        assert_eq!(timeline.unix_secs(20), 1_020);
        let _ = timeline.hear(desired(Some(70_100), &[]), 20);
        assert_eq!(timeline.unix_secs(30), 70_110);
    }

    #[test]
    fn the_steady_clock_runs() {
        let clock = Clock::begin(None);
        let (time, machine) = (clock.unix_secs(), machine_unix_secs());
        assert!((time - machine).abs() <= 1, "{time} {machine}");
        assert!(steady_secs() > 0);
        assert!(clock.running_for_secs() < 60);
    }

    proptest! {
        /// Whatever the machine's and the hub's clocks show, and however often the agent or the machine is started anew, a lease never ends
        /// before its length of time has passed, and within one start of the machine exactly then.
        #[test]
        fn a_lease_lasts_its_length(
            lease_secs in 0_i64..100_000,
            hub: i32,
            machine in prop::collection::vec((any::<i32>(), 0_i64..5_000, any::<bool>()), 0..12),
        ) {
            let (mut boot, mut steady, mut passed, mut on) = (0, 50, 0, true);
            let mut timeline = Timeline::begin(None, "0", steady, 77);
            let told = timeline.hear(desired(Some(hub.into()), &[i64::from(hub) + lease_secs]), steady);
            let lease = told.workloads[0].lease_until_unix_secs;
            for (shows, secs, reboots) in machine {
                let kept = timeline.at(steady);
                steady += secs;
                passed += secs;
                if reboots {
                    (boot, steady, on) = (boot + 1, 3, false);
                }
                timeline = Timeline::begin(Some(kept), &boot.to_string(), steady, shows.into());
                let is_over = timeline.unix_secs(steady) >= lease;
                prop_assert!(!is_over || passed >= lease_secs, "ended early");
                prop_assert!(!on || is_over == (passed >= lease_secs), "not ended in time");
            }
        }
    }
}
