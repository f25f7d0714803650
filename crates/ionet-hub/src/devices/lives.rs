//! The life of every device, in memory for quick answers and in the store for good. A change is written before anybody sees it, together
//! with a line of the device's history. Who is there is in the fleet's table, which takes the heartbeats in.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use std::hash::RandomState;

use ionet_devices::fleet::{Beat, Counts, Dropped, Options, Place, Uptime};
use ionet_devices::minutes::hour_of;
use ionet_devices::timelock::Limits;
use ionet_devices::{BlockReason, Change, Event, Grace, Life, Link, Refused, Shards, State as LifeState, View, Watching};
use ionet_rules::reputation::Reputation;
use ionet_store::{DeviceEvent, Store};
use ionet_types::DeviceId;
use ionet_types::agent::{Hardware, Heartbeat, Session};
use ionet_types::audit::AuditAction;
use serde_json::json;

use super::reputation::{PARAMS, counted, kind};
use crate::error::{HubError, HubResult};
use crate::market::Marks;

/// Parts of the fleet's table, each with a lock of its own.
const PARTS: usize = 8;
/// Most devices of one hub.
const MAX_DEVICES: u32 = 4_000_000;

/// The lives of all devices.
pub(crate) struct Lives {
    fleet: Shards<RandomState>,
    state: Mutex<State>,
    /// Who else wants to know of changes.
    marks: Arc<Marks>,
    /// Held from reading a life to having written its change: changes come one after the other.
    writing: tokio::sync::Mutex<()>,
}

struct State {
    lives: HashMap<DeviceId, Life>,
    reputations: HashMap<DeviceId, Reputation>,
    watching: Watching,
    /// An absence of the hub that was noticed and not told yet: from when until when, unix seconds.
    noticed: Option<(i64, i64)>,
}

impl State {
    fn remember(&mut self, device: DeviceId, events: &[DeviceEvent]) {
        for event in events {
            if let Some(counted) = counted(event) {
                self.reputations.entry(device).or_insert(Reputation::NEW).record(event.at_unix_secs, counted, PARAMS);
            }
        }
    }
}

/// What came of an event.
pub(crate) type Applied = Result<Vec<Change>, Refused>;

impl Lives {
    /// Reads all lives. `watches` says when the hub was there before: what it did not see counts against nobody.
    pub(crate) async fn load(
        store: &Store,
        watches: &[ionet_store::Watch],
        grace: Grace,
        marks: Arc<Marks>,
        now_unix_secs: i64,
    ) -> HubResult<Self> {
        let watches = watches.iter().map(|watch| (watch.from_unix_secs, watch.to_unix_secs));
        let watching = Watching::from_watches(watches, grace);
        let silence_secs = u32::try_from(grace.before_secs).unwrap_or(u32::MAX);
        let options = Options { silence_secs, max_devices: MAX_DEVICES };
        let fleet = Shards::new(PARTS, options, &watching, RandomState::new(), now_unix_secs);
        let mut lives = HashMap::new();
        for (device, life) in store.device_lives().await? {
            let life: Life = serde_json::from_str(&life).map_err(HubError::internal)?;
            enter(&fleet, device, &life, Limits::STRICT, now_unix_secs);
            lives.insert(device, life);
        }
        let mut reputations: HashMap<DeviceId, Reputation> = HashMap::new();
        for (device, event) in store.device_events_all().await? {
            if let Some(counted) = counted(&event) {
                reputations.entry(device).or_insert(Reputation::NEW).record(event.at_unix_secs, counted, PARAMS);
            }
        }
        Ok(Self {
            fleet,
            state: Mutex::new(State { lives, reputations, watching, noticed: None }),
            marks,
            writing: tokio::sync::Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A device's life.
    pub(crate) fn life(&self, device: DeviceId) -> Option<Life> {
        self.lock().lives.get(&device).copied()
    }

    /// Whether a device could be hired if nobody had it and its session were there, and how it would be then.
    pub(crate) fn if_free(&self, device: DeviceId, now_unix_secs: i64) -> Option<(bool, View)> {
        let state = self.lock();
        let mut life = *state.lives.get(&device)?;
        // Refused only of a device that was given up, which is not offered.
        let _ = life.apply(Event::Released, now_unix_secs);
        let _ = life.apply(Event::Alive, now_unix_secs);
        Some((life.may_be_hired(now_unix_secs, &state.watching), life.view(now_unix_secs, &state.watching)))
    }

    /// Whether its owner has taken it out of the market, whoever has it now.
    pub(crate) fn is_paused(&self, device: DeviceId, now_unix_secs: i64) -> bool {
        self.if_free(device, now_unix_secs).is_some_and(|(_, view)| view.state == LifeState::Paused)
    }

    /// How a device is now, and why.
    pub(crate) fn view(&self, device: DeviceId, now_unix_secs: i64) -> Option<View> {
        let state = self.lock();
        state.lives.get(&device).map(|life| life.view(now_unix_secs, &state.watching))
    }

    /// The devices for which `wanted` holds, with what it says of them.
    pub(crate) fn select<T>(&self, mut wanted: impl FnMut(DeviceId, &Life, &Watching) -> Option<T>) -> Vec<T> {
        let state = self.lock();
        state.lives.iter().filter_map(|(device, life)| wanted(*device, life, &state.watching)).collect()
    }

    /// Writes down something that happened to a device and that its life does not know of. One that is told with the same kind and detail
    /// again is the same.
    pub(crate) async fn happened(&self, store: &Store, device: DeviceId, event: DeviceEvent) -> HubResult<()> {
        let _writing = self.writing.lock().await;
        if store.device_event_insert_once(device, &event).await? {
            self.lock().remember(device, &[event]);
            self.marks.mark(device);
        }
        Ok(())
    }

    /// What a device's past is worth.
    pub(crate) fn reputation(&self, device: DeviceId) -> Reputation {
        self.lock().reputations.get(&device).copied().unwrap_or(Reputation::NEW)
    }

    /// A device that is back, and how long it was seen to be away.
    fn was_down(&self, before: &Life, after: &Life, now_unix_secs: i64) -> Option<DeviceEvent> {
        let (Link::Away { .. }, Link::Here { .. }) = (before.link(), after.link()) else { return None };
        let state = self.lock();
        let secs = state.watching.away_secs(before.link(), now_unix_secs);
        let away = secs > state.watching.grace().before_secs;
        away.then(|| DeviceEvent { at_unix_secs: now_unix_secs, kind: kind::DOWN.to_owned(), amount: secs, detail: String::new() })
    }

    /// Since when the hub has watched without a break, unix seconds; `i64::MIN` when it never was away.
    pub(crate) fn watching_since_unix_secs(&self) -> Option<i64> {
        self.lock().watching.since_unix_secs()
    }

    /// A device has proved its key on a connection. `running_since_unix_secs`: since when its agent runs, on the hub's clock, as it says. `None`
    /// when the table is full: then its heartbeats are taken and count for nothing.
    pub(crate) fn joined(
        &self,
        device: DeviceId,
        session: Session,
        hardware: &Hardware,
        running_since_unix_secs: Option<i64>,
        now_unix_secs: i64,
    ) -> Option<Place> {
        self.wake(now_unix_secs);
        let life = self.life(device)?;
        let limits = Limits::of_gpu(hardware.gpus.first().map(|gpu| gpu.model.as_str()));
        enter(&self.fleet, device, &life, limits, now_unix_secs);
        self.fleet.with_part_of(&device.0, |fleet| fleet.join_since(&device.0, session, running_since_unix_secs, now_unix_secs)).ok()
    }

    /// A device's connection is over.
    pub(crate) fn left(&self, device: DeviceId, place: Place, now_unix_secs: i64) {
        self.wake(now_unix_secs);
        self.fleet.with_part_of(&device.0, |fleet| fleet.leave(place, now_unix_secs));
    }

    /// Checks a heartbeat and takes it in.
    pub(crate) fn beat(&self, device: DeviceId, place: Place, heartbeat: &Heartbeat, now_unix_secs: i64) -> Result<Beat, Dropped> {
        self.wake(now_unix_secs);
        let mut result = Err(Dropped::NotKnown);
        self.fleet.ingest(self.fleet.part_of(&device.0), &[(place, *heartbeat)], now_unix_secs, |_, beat| result = beat);
        result
    }

    /// Notices who has fallen silent, and when nobody looked. To be called every second or so. Returns from when until when the hub itself was
    /// away, when it has just noticed that: its machine slept, or stood still.
    pub(crate) fn look(&self, now_unix_secs: i64) -> Option<(i64, i64)> {
        self.notice(now_unix_secs);
        self.lock().noticed.take()
    }

    /// Something comes in that may have waited for a hub that stood still: then that is noticed first.
    fn wake(&self, now_unix_secs: i64) {
        if self.fleet.with(0, |fleet| fleet.has_slept(now_unix_secs)).unwrap_or(false) {
            self.notice(now_unix_secs);
        }
    }

    fn notice(&self, now_unix_secs: i64) {
        let mut noticed = None;
        for part in 0..self.fleet.parts() {
            self.fleet.with(part, |fleet| {
                let before = fleet.watching().since_unix_secs();
                fleet.advance(now_unix_secs, |_, _| {});
                if fleet.watching().since_unix_secs() != before {
                    noticed = fleet.watching().absences().last().map(|absence| (absence.from_unix_secs, absence.to_unix_secs));
                }
            });
        }
        let Some((from_unix_secs, to_unix_secs)) = noticed else { return };
        let mut state = self.lock();
        state.watching.away(from_unix_secs);
        state.watching.back(to_unix_secs);
        // Two that were not told are one: nobody loses by that.
        state.noticed = Some((state.noticed.map_or(from_unix_secs, |(from, _)| from), to_unix_secs));
    }

    /// What was seen of a device in the hour that runs, and in the one before.
    pub(crate) fn hours(&self, device: DeviceId, now_unix_secs: i64) -> Option<[Uptime; 2]> {
        let hour = hour_of(now_unix_secs);
        self.fleet.with_part_of(&device.0, |fleet| Some([fleet.uptime(&device.0, hour)?, fleet.uptime(&device.0, hour - 1)?]))
    }

    /// How many devices are in each state.
    pub(crate) fn counts(&self) -> Counts {
        self.fleet.counts()
    }

    /// Tells a device's life what happened, and writes down what it changed.
    pub(crate) async fn apply(&self, store: &Store, device: DeviceId, event: Event, now_unix_secs: i64) -> HubResult<Applied> {
        let _writing = self.writing.lock().await;
        self.wake(now_unix_secs);
        let before = self.life(device);
        let mut life = before.unwrap_or_else(|| Life::new(now_unix_secs));
        let changes = match life.apply(event, now_unix_secs) {
            Ok(changes) => changes,
            Err(refused) => return Ok(Err(refused)),
        };
        if before != Some(life) {
            let text = serde_json::to_string(&life).map_err(HubError::internal)?;
            let mut events: Vec<DeviceEvent> = changes.iter().filter_map(|change| told(change, now_unix_secs)).collect();
            events.extend(before.and_then(|before| self.was_down(&before, &life, now_unix_secs)));
            let audits: Vec<_> = changes.iter().filter_map(|change| audited(change, before.is_some())).collect();
            store.device_life_set(device, &text, &events, &audits, now_unix_secs).await?;
            {
                let mut state = self.lock();
                state.lives.insert(device, life);
                state.remember(device, &events);
                // Before anybody can see the change.
                self.marks.mark(device);
            }
            // Not in the table before its first connection: it is entered then, with what it is up to.
            let _ = self.fleet.with_part_of(&device.0, |fleet| fleet.set_duty(&device.0, life.duty(), now_unix_secs));
        }
        for change in &changes {
            tracing::info!(%device, ?change, "a device's life has changed");
        }
        Ok(Ok(changes))
    }
}

/// Enters a device into the table. One that does not fit any more is missed there, and nowhere else.
fn enter(fleet: &Shards<RandomState>, device: DeviceId, life: &Life, limits: Limits, now_unix_secs: i64) {
    let entered = fleet.with_part_of(&device.0, |fleet| fleet.register(&device.0, life.duty(), limits, life.link(), now_unix_secs));
    if let Err(dropped) = entered {
        tracing::error!(%device, code = dropped.code(), "a device does not fit into the table of who is there");
    }
}

/// A change as an entry of the audit log: what decides about hire and rewards.
fn audited(change: &Change, was_known: bool) -> Option<(AuditAction, serde_json::Value)> {
    Some(match change {
        Change::HardwareSeen { hardware } if was_known => (AuditAction::HardwareChanged, json!({ "fingerprint": hardware.to_string() })),
        Change::Paused => (AuditAction::DevicePaused, json!({})),
        Change::Resumed => (AuditAction::DeviceResumed, json!({})),
        Change::Blocked { reason } => (AuditAction::DeviceBlocked, json!({ "reason": reason.code() })),
        Change::Unblocked { reason } => (AuditAction::DeviceUnblocked, json!({ "reason": reason.code() })),
        Change::Terminated => (AuditAction::DeviceTerminated, json!({})),
        _ => return None,
    })
}

/// A change as a line of the device's history. Connections are told by presences already.
fn told(change: &Change, at_unix_secs: i64) -> Option<DeviceEvent> {
    let (kind, amount, detail) = match change {
        Change::Connected | Change::Disconnected => return None,
        Change::HardwareSeen { hardware } => ("hardware_seen", 0, hardware.to_string()),
        Change::Verified => ("verified", 0, String::new()),
        Change::TestFailed { failures, code } => (kind::PROOF_FAILED, i64::from(*failures), code.to_string()),
        Change::Hired => ("hired", 0, String::new()),
        Change::Released => ("released", 0, String::new()),
        Change::Paused => ("paused", 0, String::new()),
        Change::Resumed => ("resumed", 0, String::new()),
        Change::Blocked { reason } => ("blocked", 0, sentence(*reason).to_owned()),
        Change::Unblocked { reason } => ("unblocked", 0, reason.code().to_owned()),
        Change::Terminated => ("terminated", 0, String::new()),
    };
    Some(DeviceEvent { at_unix_secs, kind: kind.to_owned(), amount, detail })
}

/// Why a device is blocked and what lifts it, for its owner.
pub(crate) const fn sentence(reason: BlockReason) -> &'static str {
    match reason {
        BlockReason::Operator => "the network's operator has taken it out: ask the operator",
        BlockReason::CredentialReused => {
            "its key was used from two places: make sure that only one machine has it, then reset its credential (ionet devices reset)"
        }
        BlockReason::ForeignUse => "others used it while a customer paid for it",
        BlockReason::IdleLoad => "other work keeps it busy while it is offered as idle: an hour without lifts it",
        BlockReason::HardwareChanged => "its hardware is not that which was verified: passing a proof with the new hardware lifts it",
        BlockReason::ProofFailed => "it failed several proofs in a row: passing as many in a row lifts it",
    }
}
