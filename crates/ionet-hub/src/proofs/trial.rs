//! The cluster-formation test: before a device may earn, it starts what its first customer will want, a Ray head on its own, and gives it up
//! again. Whoever has worked in a cluster already has passed.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use ionet_devices::Duty;
use ionet_store::DeviceEvent;
use ionet_types::DeviceId;
use ionet_types::agent::{DesiredWorkload, RayNode, RayRole, Token, WorkloadKey, WorkloadSpec, WorkloadState};
use uuid::Uuid;

use crate::Hub;
use crate::agents::Seen;
use crate::error::HubResult;

/// How long a trial may take, seconds: the first one makes Ray's environment.
const TRIAL_SECS: i64 = 10 * 60;
/// How long after a failed trial the next one begins, at first, seconds; it doubles with each failure.
const RETRY_SECS: i64 = 10 * 60;
/// How often it doubles.
const DOUBLINGS: u32 = 6;

/// The trials that run, and when those that failed begin anew. In memory: after a restart of the hub they begin anew.
#[derive(Default)]
pub(crate) struct Trials(Mutex<HashMap<DeviceId, Trial>>);

struct Trial {
    /// Until when it runs, unix seconds; in the past it waits.
    until_unix_secs: i64,
    /// When the next one may begin.
    next_unix_secs: i64,
    failures: u32,
    token: Token,
}

impl Trials {
    /// Whether a device is busy with one.
    pub(crate) fn runs(&self, device: DeviceId, now_unix_secs: i64) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&device).is_some_and(|trial| now_unix_secs < trial.until_unix_secs)
    }

    /// What a device is to run for its trial; begins it when it is due.
    fn workload(&self, device: DeviceId, now_unix_secs: i64) -> Option<DesiredWorkload> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let trial = all.entry(device).or_insert_with(|| Trial { until_unix_secs: 0, next_unix_secs: 0, failures: 0, token: secret() });
        if now_unix_secs >= trial.until_unix_secs {
            if trial.until_unix_secs > 0 {
                // Its time is over, and it was not ready.
                trial.fail(now_unix_secs);
            }
            if now_unix_secs < trial.next_unix_secs {
                return None;
            }
            (trial.until_unix_secs, trial.token) = (now_unix_secs.saturating_add(TRIAL_SECS), secret());
        }
        let spec = RayNode {
            role: RayRole::Head,
            nodes: 1,
            token: trial.token.clone(),
            cpus: 1,
            gpus: 0,
            memory_mb: None,
            object_store_mb: None,
            head: None,
            share: None,
        };
        Some(DesiredWorkload {
            key: key(device),
            lease_until_unix_secs: trial.until_unix_secs,
            attempt: trial.failures,
            spec: WorkloadSpec::Ray(spec),
        })
    }

    fn failed(&self, device: DeviceId, now_unix_secs: i64) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trial) = all.get_mut(&device).filter(|trial| now_unix_secs < trial.until_unix_secs) {
            trial.fail(now_unix_secs);
        }
    }

    /// A device may not go on: what it has begun counts for nothing, and keeps it from nothing else.
    fn broken_off(&self, device: DeviceId) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(trial) = all.get_mut(&device) {
            trial.until_unix_secs = 0;
        }
    }

    fn passed(&self, device: DeviceId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&device);
    }
}

impl Trial {
    fn fail(&mut self, now_unix_secs: i64) {
        let wait_secs = RETRY_SECS.saturating_mul(1 << self.failures.min(DOUBLINGS));
        self.failures = self.failures.saturating_add(1);
        (self.until_unix_secs, self.next_unix_secs) = (0, now_unix_secs.saturating_add(wait_secs));
    }
}

/// The trials of the connected devices that nobody has reserved: what each is to run now.
pub(crate) async fn workloads(
    hub: &Hub,
    seen: &HashMap<DeviceId, Seen>,
    reserved: &HashSet<DeviceId>,
) -> HubResult<HashMap<DeviceId, DesiredWorkload>> {
    if hub.options().measuring.is_none_or(|measuring| measuring.vouched) {
        return Ok(HashMap::new());
    }
    let formed = hub.store().devices_formed().await?;
    let now_unix_secs = hub.clock().now_unix_secs();
    let trials = &hub.0.trials;
    let mut wanted = HashMap::new();
    for (device, seen) in seen.iter().filter(|(device, _)| !formed.contains(device) && !reserved.contains(device)) {
        // Only who has proved what it is, and is not just proving it.
        let ready = hub.agents().0.lives.life(*device).is_some_and(|life| life.duty() == Duty::Ready);
        if !ready {
            trials.broken_off(*device);
        }
        if !ready || (!trials.runs(*device, now_unix_secs) && hub.agents().0.directory.is_proving(*device)) {
            continue;
        }
        match seen.workload(key(*device)).map(|workload| &workload.state) {
            Some(WorkloadState::Ready) if trials.runs(*device, now_unix_secs) => {
                tracing::info!(%device, "a device has passed the cluster-formation test");
                hub.store().devices_have_formed(&[*device], now_unix_secs).await?;
                trials.passed(*device);
            }
            Some(WorkloadState::Failed { code, message, .. }) if trials.runs(*device, now_unix_secs) => {
                tracing::warn!(%device, code, message, "a device failed the cluster-formation test");
                let event = DeviceEvent {
                    at_unix_secs: now_unix_secs,
                    kind: "formation_failed".to_owned(),
                    amount: 0,
                    detail: format!("{code}: {message}"),
                };
                hub.agents().0.lives.happened(hub.store(), *device, event).await?;
                trials.failed(*device, now_unix_secs);
            }
            _ => {
                if let Some(workload) = trials.workload(*device, now_unix_secs) {
                    wanted.insert(*device, workload);
                }
            }
        }
    }
    Ok(wanted)
}

/// The name of a device's trial. No cluster has it: clusters' ids are of another version.
fn key(device: DeviceId) -> WorkloadKey {
    let bytes: [u8; 16] = std::array::from_fn(|place| device.0[place]);
    WorkloadKey { cluster_id: uuid::Builder::from_custom_bytes(bytes).into_uuid(), node: 0 }
}

/// A secret for a cluster that nobody is to use.
fn secret() -> Token {
    Token::new(Uuid::from_bytes(rand::random()).simple().to_string())
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn a_trial_ends_by_itself_and_waits_longer_each_time() {
        let (trials, device) = (Trials::default(), DeviceId([7; 32]));
        let first = trials.workload(device, 1_000).unwrap();
        assert_eq!(trials.workload(device, 1_100).unwrap(), first, "the same trial is the same wish");
        assert!(trials.runs(device, 1_000 + TRIAL_SECS - 1));
        let over = 1_000 + TRIAL_SECS;
        assert!(trials.workload(device, over).is_none());
        let second = trials.workload(device, over + RETRY_SECS).unwrap();
        assert_ne!(second, first);
        trials.failed(device, over + RETRY_SECS + 1);
        assert!(!trials.runs(device, over + RETRY_SECS + 1));
        assert!(trials.workload(device, over + 3 * RETRY_SECS).is_none());
        assert!(trials.workload(device, over + 3 * RETRY_SECS + 1).is_some());
        trials.passed(device);
        assert!(!trials.runs(device, over + 3 * RETRY_SECS + 1));
    }
}
