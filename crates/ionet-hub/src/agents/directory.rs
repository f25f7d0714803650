//! Who is connected. One lock, held for moments only and never across an await.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ionet_devices::fleet::Place;
use ionet_types::agent::{Answer, DesiredState, DesiredWorkload, Hardware, HubMessage, ObservedState, ObservedWorkload, WorkloadKey};
use ionet_types::hardware::HardwareModel;
use ionet_types::market::Location;
use ionet_types::{ClusterId, DeviceId};
use tokio::sync::{mpsc, watch};

use super::tunnel::Requests;

/// Messages of tunnels that may wait for a slow agent.
const MESSAGES: usize = 1024;
/// A lease that would change by less than this is left alone, seconds: clocks jitter.
const LEASE_JITTER_SECS: i64 = 60;

/// The connected devices, and since when the others are away.
pub(crate) struct Directory {
    /// Before this moment nobody could connect, unix seconds on the hub's clock.
    opened_at_unix_secs: i64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    sessions: HashMap<DeviceId, Session>,
    left_at_unix_secs: HashMap<DeviceId, i64>,
}

/// One device's connection.
pub(super) struct Session {
    generation: u64,
    /// Number of its presence in the store.
    presence: i64,
    hardware: Arc<Hardware>,
    location: Location,
    shared: bool,
    model: Option<HardwareModel>,
    desired: watch::Sender<Option<DesiredState>>,
    pub(super) messages: mpsc::Sender<HubMessage>,
    observed: Option<Arc<ObservedState>>,
    heard: Instant,
    pub(super) requests: Requests,
    /// Its place in the table of who is there; `None` when that is full.
    pub(super) place: Option<Place>,
    /// Who waits for the answers to a proof.
    pub(super) prover: Option<mpsc::Sender<Answer>>,
}

/// What the outbox reads from.
pub(super) struct Channels {
    pub(super) desired: watch::Receiver<Option<DesiredState>>,
    pub(super) messages: mpsc::Receiver<HubMessage>,
}

/// A connected device at one moment.
#[derive(Clone)]
pub struct Seen {
    /// What it is made of.
    pub hardware: Arc<Hardware>,
    /// Where it is, as it says.
    pub location: Location,
    /// Whether its supplier lets several customers share it.
    pub shared: bool,
    /// Its model in the price list.
    pub model: Option<HardwareModel>,
    /// What it runs, its times on the hub's clock; `None` before its first report.
    pub observed: Option<Arc<ObservedState>>,
    /// Revision of what it is to run; 0 before the hub has said.
    pub desired_revision: u64,
}

impl Seen {
    /// A node that it reports.
    pub fn workload(&self, key: WorkloadKey) -> Option<&ObservedWorkload> {
        self.observed.as_ref()?.workloads.iter().find(|workload| workload.key == key)
    }

    /// Whether its report follows what it was last told.
    pub fn is_up_to_date(&self) -> bool {
        self.desired_revision > 0 && self.observed.as_ref().is_some_and(|observed| observed.desired_revision >= self.desired_revision)
    }
}

impl Directory {
    pub(super) fn new(opened_at_unix_secs: i64) -> Self {
        Self { opened_at_unix_secs, state: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under this lock leaves the state half changed, so a panic elsewhere does not spoil it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn connect(
        &self,
        device: DeviceId,
        (generation, presence): (u64, i64),
        (hardware, location, shared): (Hardware, Location, bool),
        model: Option<HardwareModel>,
        place: Option<Place>,
    ) -> Channels {
        let (desired, desired_rx) = watch::channel(None);
        let (messages, messages_rx) = mpsc::channel(MESSAGES);
        let session = Session {
            generation,
            presence,
            hardware: Arc::new(hardware),
            location,
            shared,
            model,
            desired,
            messages,
            observed: None,
            heard: Instant::now(),
            requests: Requests::default(),
            place,
            prover: None,
        };
        let mut state = self.lock();
        state.left_at_unix_secs.remove(&device);
        // The older session's senders are dropped with it: its connection ends.
        state.sessions.insert(device, session);
        Channels { desired: desired_rx, messages: messages_rx }
    }

    /// Ends a session, unless a newer one has taken its place: then nothing. Returns the number of the presence that is over, and the
    /// session's place in the table of who is there.
    pub(super) fn disconnect(&self, device: DeviceId, generation: u64, now_unix_secs: i64) -> Option<(i64, Option<Place>)> {
        let mut state = self.lock();
        state.sessions.get(&device).filter(|session| session.generation == generation)?;
        let session = state.sessions.remove(&device)?;
        state.left_at_unix_secs.insert(device, now_unix_secs);
        Some((session.presence, session.place))
    }

    /// Runs `act` on a session, if it is still the device's.
    pub(super) fn with<R>(&self, device: DeviceId, generation: Option<u64>, act: impl FnOnce(&mut Session) -> R) -> Option<R> {
        let mut state = self.lock();
        let session = state.sessions.get_mut(&device)?;
        generation.is_none_or(|generation| session.generation == generation).then(|| act(session))
    }

    /// The number of a device's session, while it has one.
    pub(super) fn generation(&self, device: DeviceId) -> Option<u64> {
        self.with(device, None, |session| session.generation)
    }

    /// Begins a proof of a connected device: its answers go to `prover`. `None` when it is not connected or already proves something.
    pub(crate) fn begin_proof(&self, device: DeviceId, prover: mpsc::Sender<Answer>) -> Option<(u64, mpsc::Sender<HubMessage>)> {
        self.with(device, None, |session| {
            if session.prover.as_ref().is_some_and(|prover| !prover.is_closed()) {
                return None;
            }
            session.prover = Some(prover);
            Some((session.generation, session.messages.clone()))
        })?
    }

    /// Whether a device is just proving something.
    pub(crate) fn is_proving(&self, device: DeviceId) -> bool {
        self.with(device, None, |session| session.prover.as_ref().is_some_and(|prover| !prover.is_closed())).unwrap_or(false)
    }

    /// A proof is over.
    pub(crate) fn end_proof(&self, device: DeviceId, generation: u64) {
        self.with(device, Some(generation), |session| session.prover = None);
    }

    /// Whether this session is still the device's.
    pub(crate) fn is_session(&self, device: DeviceId, generation: u64) -> bool {
        self.with(device, Some(generation), |_| ()).is_some()
    }

    /// A device has spoken. `false` when its session is over.
    pub(super) fn heard(&self, device: DeviceId, generation: u64) -> bool {
        self.with(device, Some(generation), |session| session.heard = Instant::now()).is_some()
    }

    /// How long a session has been silent; `None` when it is over.
    pub(super) fn silent_for(&self, device: DeviceId, generation: u64) -> Option<Duration> {
        self.with(device, Some(generation), |session| session.heard.elapsed())
    }

    /// A device has said what it runs. Returns the clusters of which it now says something, or did before; `None` when its session is
    /// over.
    pub(super) fn observe(&self, device: DeviceId, generation: u64, observed: ObservedState) -> Option<BTreeSet<ClusterId>> {
        let clusters = |observed: &ObservedState| -> Vec<ClusterId> {
            observed.workloads.iter().map(|workload| ClusterId(workload.key.cluster_id)).collect()
        };
        let mut touched = BTreeSet::from_iter(clusters(&observed));
        self.with(device, Some(generation), |session| {
            touched.extend(session.observed.replace(Arc::new(observed)).iter().flat_map(|before| clusters(before)));
            touched
        })
    }

    /// All connected devices now.
    pub(crate) fn seen(&self) -> HashMap<DeviceId, Seen> {
        self.lock().sessions.iter().map(|(device, session)| (*device, session.seen())).collect()
    }

    /// One connected device now.
    pub(crate) fn seen_one(&self, device: DeviceId) -> Option<Seen> {
        self.lock().sessions.get(&device).map(Session::seen)
    }

    pub(crate) fn connected(&self) -> usize {
        self.lock().sessions.len()
    }

    /// Since when a device is away, unix seconds on the hub's clock, where the hub has watched since `watching_since_unix_secs`. `None` while it
    /// is connected.
    pub(super) fn away_since_unix_secs(&self, device: DeviceId, watching_since_unix_secs: Option<i64>) -> Option<i64> {
        let state = self.lock();
        if state.sessions.contains_key(&device) {
            return None;
        }
        let left = state.left_at_unix_secs.get(&device).copied().unwrap_or(self.opened_at_unix_secs);
        Some(away_since(left, watching_since_unix_secs))
    }

    /// What a connected device was last told to run for a node.
    pub(crate) fn told(&self, device: DeviceId, key: WorkloadKey) -> Option<DesiredWorkload> {
        self.with(device, None, |session| {
            session.desired.borrow().as_ref()?.workloads.iter().find(|workload| workload.key == key).cloned()
        })?
    }

    /// Tells a connected device what it is to run, if that is news.
    pub(crate) fn desire(&self, device: DeviceId, mut workloads: Vec<DesiredWorkload>) {
        self.with(device, None, |session| {
            session.desired.send_if_modified(|state| {
                if let Some(told) = state {
                    for workload in &mut workloads {
                        keep_lease(workload, &told.workloads);
                    }
                    if told.workloads == workloads {
                        return false;
                    }
                }
                let revision = state.as_ref().map_or(0, |told| told.revision) + 1;
                *state = Some(DesiredState { revision, hub_unix_secs: None, workloads });
                true
            })
        });
    }
}

/// Since when a device that left at this moment has been away for all that the hub knows: not before the hub was there to see that it does not
/// come back.
pub fn away_since(left_unix_secs: i64, watching_since_unix_secs: Option<i64>) -> i64 {
    left_unix_secs.max(watching_since_unix_secs.unwrap_or(left_unix_secs))
}

/// What a device says at this moment of the hub's clock, with its times on that clock: by how long ago they were on the device's own.
#[must_use]
pub fn on_our_clock(mut observed: ObservedState, now_unix_secs: i64) -> ObservedState {
    let device_unix_secs = std::mem::replace(&mut observed.unix_secs, now_unix_secs);
    for workload in &mut observed.workloads {
        let ago_secs = device_unix_secs.saturating_sub(workload.since_unix_secs).max(0);
        workload.since_unix_secs = now_unix_secs.saturating_sub(ago_secs);
    }
    observed
}

/// A lease that hardly changes is left as it was told.
fn keep_lease(workload: &mut DesiredWorkload, told: &[DesiredWorkload]) {
    let told = told.iter().find(|told| told.key == workload.key);
    if let Some(told) = told
        && (told.lease_until_unix_secs - workload.lease_until_unix_secs).abs() < LEASE_JITTER_SECS
    {
        workload.lease_until_unix_secs = told.lease_until_unix_secs;
    }
}

impl Session {
    fn seen(&self) -> Seen {
        Seen {
            location: self.location.clone(),
            shared: self.shared,
            hardware: self.hardware.clone(),
            model: self.model.clone(),
            observed: self.observed.clone(),
            desired_revision: self.desired.borrow().as_ref().map_or(0, |desired| desired.revision),
        }
    }
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::WorkloadState;

    use super::*;

    #[test]
    fn the_hubs_own_absence_is_nobodys() {
        assert_eq!(away_since(1_000, Some(i64::MIN)), 1_000);
        assert_eq!(away_since(1_000, Some(4_600)), 4_600, "the hub stood still meanwhile");
        assert_eq!(away_since(5_000, Some(4_600)), 5_000);
        assert_eq!(away_since(1_000, None), 1_000);
    }

    #[test]
    fn times_are_read_by_how_long_ago_they_were() {
        let workload = |since_unix_secs| ObservedWorkload {
            key: WorkloadKey { cluster_id: uuid::Uuid::nil(), node: 0 },
            attempt: 0,
            state: WorkloadState::Starting,
            since_unix_secs,
            endpoints: None,
            ray_version: None,
        };
        // The device's clock is off by a million seconds; the last of its times lies in what it takes for the future.
        for off in [-1_000_000, 0, 1_000_000, i64::MIN / 2] {
            let workloads = [4_940, 5_000, 9_000].map(|since| workload(since + off)).to_vec();
            let seen = on_our_clock(ObservedState { desired_revision: 3, unix_secs: 5_000 + off, workloads }, 7_000);
            assert_eq!((seen.unix_secs, seen.desired_revision), (7_000, 3));
            assert_eq!(seen.workloads.iter().map(|one| one.since_unix_secs).collect::<Vec<_>>(), [6_940, 7_000, 7_000]);
        }
    }
}
