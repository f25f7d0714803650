//! Proofs: at random times of an epoch each device that is not hired shows what it can do. What is asked is in [`plan`], how one proof runs
//! in [`round`], timed transfers in [`transfers`], the cluster-formation test in [`trial`]; who is due is looked up by the reconciler of the same name. The challenges themselves,
//! and how their answers are checked, are in crate `ionet-proofs`.

pub(crate) mod plan;
pub(crate) mod reference;
pub(crate) mod round;
pub(crate) mod transfers;
pub(crate) mod trial;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ionet_store::Store;
use ionet_types::DeviceId;
use ionet_types::proofs::{Proof, ProofOutcome};
use tokio::sync::Semaphore;

use crate::error::HubResult;

/// How the network measures its devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measuring {
    /// Whether a device may be hired before its first proof: the operator vouches for what connects. For networks whose devices are all the
    /// operator's own.
    pub vouched: bool,
    /// Whether load that is neither the tenant's nor the agent's blocks a device. Not where devices share a machine with everything else.
    pub time_lock: bool,
    /// How long each job takes at the reference speed of the model that the device claims to be, milliseconds.
    pub work_ms: u32,
    /// How much longer than that a device may take, percent: 100 is none.
    pub slack_percent: u32,
    /// How much of its own fill time a device may take for one pass of a scan, percent: less, and one with half the memory is caught.
    pub scan_percent: u32,
    /// How much of its offered memory a device fills in its first proof, and in the first of each day, percent.
    pub memory_percent: u32,
    /// Most memory that is filled in any other proof, MiB.
    pub memory_mb: u32,
    /// Bytes of a timed transfer, each way.
    pub transfer_bytes: u64,
    /// Proofs that run at once.
    pub at_once: usize,
    /// How long a device that failed waits for its next proof, at first; it doubles with each failure.
    pub retry_after: Duration,
}

impl Measuring {
    /// For a network of strangers.
    pub const DEFAULT: Self = Self {
        vouched: false,
        time_lock: true,
        work_ms: 1_500,
        slack_percent: ionet_proofs::terms::SLACK_PERCENT,
        scan_percent: ionet_proofs::terms::SCAN_PERCENT,
        memory_percent: 50,
        memory_mb: 1_024,
        transfer_bytes: 32 << 20,
        at_once: 64,
        retry_after: Duration::from_mins(1),
    };

    /// For a network on one machine, whose devices share it with everything else: short jobs, and much patience.
    pub const LOCAL: Self = Self {
        vouched: true,
        time_lock: false,
        work_ms: 50,
        slack_percent: 4_000,
        scan_percent: 10_000,
        memory_percent: 0,
        memory_mb: 32,
        transfer_bytes: 4 << 20,
        at_once: 1,
        retry_after: Duration::from_secs(2),
    };
}

impl Default for Measuring {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// What the hub keeps in memory of its devices' proofs.
pub(crate) struct Proving {
    /// Nobody else knows it, so nobody can tell when a device is asked. A new one at every start does no harm.
    pub(crate) secret: [u8; 32],
    /// Bounds how many proofs run at once.
    pub(crate) places: Arc<Semaphore>,
    last: Mutex<HashMap<DeviceId, Last>>,
    /// Of which epoch, and when each device is asked in it, unix seconds.
    moments: Mutex<(u64, HashMap<DeviceId, i64>)>,
}

/// The last proof of a device that counted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Last {
    /// For which epoch.
    pub(crate) epoch: u64,
    /// When it was over, unix seconds on the hub's clock.
    pub(crate) ended_at_unix_secs: i64,
    /// How many failed in a row, at the end.
    pub(crate) failures: u32,
    /// When the last one was passed that filled as much memory as the network wants to see; long ago when nobody knows.
    pub(crate) whole_at_unix_secs: i64,
}

impl Proving {
    /// Reads when each device was last asked.
    pub(crate) async fn load(store: &Store, measuring: Option<Measuring>) -> HubResult<Self> {
        let places = measuring.map_or(0, |measuring| measuring.at_once.max(1));
        let this =
            Self { secret: rand::random(), places: Arc::new(Semaphore::new(places)), last: Mutex::default(), moments: Mutex::default() };
        for proof in store.proofs_last_before(u64::MAX >> 1).await?.values() {
            this.remember(proof, false);
        }
        Ok(this)
    }

    /// When this device is asked in the epoch; `None` when that was not drawn yet.
    pub(crate) fn moment(&self, device: DeviceId, epoch: u64) -> Option<i64> {
        let moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        (moments.0 == epoch).then(|| moments.1.get(&device).copied())?
    }

    /// Keeps what was drawn for an epoch.
    pub(crate) fn set_moments(&self, epoch: u64, moments: HashMap<DeviceId, i64>) {
        *self.moments.lock().unwrap_or_else(PoisonError::into_inner) = (epoch, moments);
    }

    pub(crate) fn last(&self, device: DeviceId) -> Option<Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).get(&device).copied()
    }

    /// A proof is over. One that was broken off counts for nothing: the device is asked again when it is free.
    pub(crate) fn remember(&self, proof: &Proof, whole: bool) {
        if proof.outcome == ProofOutcome::Stopped {
            return;
        }
        let mut all = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.get(&proof.device).copied();
        let passed = proof.outcome == ProofOutcome::Passed;
        let whole_at_unix_secs = before.map_or(i64::MIN, |before| before.whole_at_unix_secs);
        let last = Last {
            epoch: proof.epoch,
            ended_at_unix_secs: proof.ended_at_unix_secs,
            failures: if passed { 0 } else { before.map_or(0, |before| before.failures).saturating_add(1) },
            whole_at_unix_secs: if passed && whole { proof.ended_at_unix_secs } else { whole_at_unix_secs },
        };
        all.insert(proof.device, last);
    }
}
