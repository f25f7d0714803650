//! The life of every device, in memory for quick answers and in the store for good. A change is written before anybody sees it, together
//! with a line of the device's history.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ionet_devices::{BlockReason, Change, Event, Grace, Life, Refused, View, Watching};
use ionet_store::{DeviceEvent, Store};
use ionet_types::DeviceId;
use ionet_types::audit::AuditAction;
use serde_json::json;

use crate::error::{HubError, HubResult};

/// The lives of all devices.
pub(crate) struct Lives {
    state: Mutex<State>,
    /// Held from reading a life to having written its change: changes come one after the other.
    writing: tokio::sync::Mutex<()>,
}

struct State {
    lives: HashMap<DeviceId, Life>,
    watching: Watching,
}

/// What came of an event.
pub(crate) type Applied = Result<Vec<Change>, Refused>;

impl Lives {
    /// Reads all lives. `watches` says when the hub was there before: what it did not see counts against nobody.
    pub(crate) async fn load(store: &Store, watches: &[ionet_store::Watch], grace: Grace) -> HubResult<Self> {
        let watches = watches.iter().map(|watch| (watch.from_unix_secs, watch.to_unix_secs));
        let watching = Watching::from_watches(watches, grace);
        let mut lives = HashMap::new();
        for (device, life) in store.device_lives().await? {
            lives.insert(device, serde_json::from_str(&life).map_err(HubError::internal)?);
        }
        Ok(Self { state: Mutex::new(State { lives, watching }), writing: tokio::sync::Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The hub itself was away for a while, such as when its machine slept.
    pub(crate) fn hub_was_away(&self, from_unix_secs: i64, to_unix_secs: i64) {
        let mut state = self.lock();
        state.watching.away(from_unix_secs);
        state.watching.back(to_unix_secs);
    }

    /// A device's life.
    pub(crate) fn life(&self, device: DeviceId) -> Option<Life> {
        self.lock().lives.get(&device).copied()
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

    /// Tells a device's life what happened, and writes down what it changed.
    pub(crate) async fn apply(&self, store: &Store, device: DeviceId, event: Event, now_unix_secs: i64) -> HubResult<Applied> {
        let _writing = self.writing.lock().await;
        let before = self.life(device);
        let mut life = before.unwrap_or_else(|| Life::new(now_unix_secs));
        let changes = match life.apply(event, now_unix_secs) {
            Ok(changes) => changes,
            Err(refused) => return Ok(Err(refused)),
        };
        if before != Some(life) {
            let text = serde_json::to_string(&life).map_err(HubError::internal)?;
            let events: Vec<DeviceEvent> = changes.iter().filter_map(|change| told(change, now_unix_secs)).collect();
            let audits: Vec<_> = changes.iter().filter_map(|change| audited(change, before.is_some())).collect();
            store.device_life_set(device, &text, &events, &audits, now_unix_secs).await?;
            self.lock().lives.insert(device, life);
        }
        for change in &changes {
            tracing::info!(%device, ?change, "a device's life has changed");
        }
        Ok(Ok(changes))
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
        Change::TestFailed { failures, code } => ("proof_failed", i64::from(*failures), code.to_string()),
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
        BlockReason::IdleLoad => "other work keeps it busy while it is offered as idle",
        BlockReason::HardwareChanged => "its hardware is not that which was verified: passing a proof with the new hardware lifts it",
        BlockReason::ProofFailed => "it failed several proofs in a row: passing as many in a row lifts it",
    }
}
