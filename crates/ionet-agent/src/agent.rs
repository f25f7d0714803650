//! The agent as a whole: opens its directory, keeps one keeper for each node, and holds the connection to the hub.

use std::{
    collections::{BTreeMap, HashMap},
    fs,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use fs2::FileExt;
use ionet_types::agent::{DesiredState, ObservedWorkload, WorkloadKey, WorkloadState};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::{
    AgentError, AgentOptions, DeviceKey, Link,
    clock::{Clock, KEEP_EVERY_SECS},
    connection,
    engine::Chosen,
    keeper::keep,
    node::Reaper,
    processes,
    ray::RayRuntime,
    runtime::Runtime,
    store::{Phase, Store, parse_key},
};

/// How long the report of an ended node is repeated.
const REPORT_ENDED_SECS: u64 = 60;

/// What the parts of an agent share.
pub(crate) struct Shared {
    pub(crate) options: AgentOptions,
    pub(crate) key: DeviceKey,
    pub(crate) device_id: String,
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) reaper: Reaper,
    /// Held while a node takes its share of the machine: two that begin at once see each other.
    pub(crate) granting: tokio::sync::Mutex<()>,
    pub(crate) runtime: Box<dyn Runtime>,
    /// What answers challenges, once it was looked for.
    pub(crate) engine: OnceLock<Chosen>,
    /// What the hub wants, as it is on disk; `None` before it ever said.
    pub(crate) desired: watch::Sender<Option<Arc<DesiredState>>>,
    /// What runs.
    pub(crate) observed: watch::Sender<BTreeMap<WorkloadKey, ObservedWorkload>>,
    /// Held while what the hub wants is written down.
    pub(crate) writing: Mutex<()>,
}

impl Shared {
    /// Tells how the connection is.
    pub(crate) fn tell(&self, link: Link) {
        if let Some(told) = &self.options.link {
            told.send_replace(link);
        }
    }

    /// Takes over what the hub wants: to disk first, then to the keepers.
    pub(crate) fn set_desired(&self, desired: DesiredState) -> Result<(), AgentError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let (desired, timeline) = self.clock.hear(desired);
        self.store.set_desired(&desired, &timeline)?;
        // A report that follows this revision must not look as if the node had vanished.
        let unknown = |key: &WorkloadKey| !self.observed.borrow().contains_key(key);
        for want in desired.workloads.iter().filter(|want| unknown(&want.key)) {
            let state = WorkloadState::Preparing { percent: 0, detail: "begins".to_owned() };
            self.publish(self.observed(want.key, want.attempt, state));
        }
        self.desired.send_replace(Some(Arc::new(desired)));
        Ok(())
    }

    /// Writes down how far the time has come: over a restart of the machine nothing else tells.
    fn keep_time(&self) -> Result<(), AgentError> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(desired) = self.desired.borrow().clone() else { return Ok(()) };
        self.store.set_desired(&desired, &self.clock.timeline())
    }

    fn observed(&self, key: WorkloadKey, attempt: u32, state: WorkloadState) -> ObservedWorkload {
        let since_unix_secs = self.clock.unix_secs();
        ObservedWorkload { key, attempt, state, since_unix_secs, endpoints: None, ray_version: None }
    }

    /// Whether the hub wants anything to run here.
    pub(crate) fn is_hired(&self) -> bool {
        self.desired.borrow().as_ref().is_some_and(|desired| !desired.workloads.is_empty())
    }

    /// Tells how a node is; the time of a state is when it began.
    pub(crate) fn publish(&self, mut new: ObservedWorkload) {
        self.observed.send_if_modified(|all| {
            if let Some(old) = all.get(&new.key) {
                if (&old.state, old.attempt) == (&new.state, new.attempt) {
                    new.since_unix_secs = old.since_unix_secs;
                }
                if *old == new {
                    return false;
                }
            }
            all.insert(new.key, new);
            true
        });
    }
}

/// Runs an agent until `shutdown`. The nodes go on running after it: the next agent in the same directory finds them again.
///
/// The device's key and state lie in `options.dir`; nobody else may use it at the same time. What the hub or the network does wrong is
/// retried for ever and is no error.
pub async fn run(options: AgentOptions, shutdown: CancellationToken) -> Result<(), AgentError> {
    let runtime = Box::new(RayRuntime::new(&options));
    run_with(options, runtime, shutdown).await
}

pub(crate) async fn run_with(options: AgentOptions, runtime: Box<dyn Runtime>, shutdown: CancellationToken) -> Result<(), AgentError> {
    options.check()?;
    let hub_url = connection::websocket_url(&options.hub_url)?;
    let store = Store::open(&options.dir)?;
    let _lock = lock(&options)?;
    let key = DeviceKey::load_or_create(&options.dir)?;
    let (desired, timeline) = store.desired()?.unzip();
    let shared = Arc::new(Shared {
        device_id: key.device_id(),
        clock: Clock::begin(timeline.flatten()),
        key,
        store,
        reaper: Reaper::default(),
        granting: tokio::sync::Mutex::default(),
        runtime,
        engine: OnceLock::new(),
        desired: watch::Sender::new(desired.map(Arc::new)),
        observed: watch::Sender::new(BTreeMap::new()),
        writing: Mutex::default(),
        options,
    });
    publish_recorded(&shared)?;
    tracing::info!(device_id = shared.device_id, hub = hub_url.as_str(), "agent runs; nodes are not isolated: for trusted use only");
    tokio::select! {
        () = shutdown.cancelled() => Ok(()),
        result = keep_all(shared.clone()) => result,
        () = connection::hold(shared.clone(), hub_url) => Ok(()),
    }
}

/// Tells what an earlier agent left running, before the hub can ask.
fn publish_recorded(shared: &Shared) -> Result<(), AgentError> {
    for key in shared.store.recorded_keys()? {
        let Some(record) = shared.store.record(key)? else { continue };
        let state = match record.phase {
            Phase::Starting => WorkloadState::Starting,
            Phase::Ready => WorkloadState::Ready,
            Phase::Failed { code, message, retryable } => WorkloadState::Failed { code, message, retryable },
            Phase::Stopped { reason } => WorkloadState::Stopped { reason },
        };
        shared.publish(ObservedWorkload {
            since_unix_secs: record.since_unix_secs,
            endpoints: record.plan.endpoints,
            ray_version: record.plan.version,
            ..shared.observed(key, record.attempt, state)
        });
    }
    Ok(())
}

/// Whether the device of the agent in this directory was let in by a hub before, so that it needs no join token.
pub fn has_joined(dir: &Path) -> bool {
    Store::at(dir).credential().is_ok_and(|credential| credential.is_some())
}

/// Whether an agent runs in this directory.
pub(crate) fn is_running(options: &AgentOptions) -> bool {
    options.dir.is_dir() && matches!(lock(options), Err(AgentError::DirInUse { .. }))
}

fn lock(options: &AgentOptions) -> Result<fs::File, AgentError> {
    let path = options.dir.join("agent.lock");
    let file =
        fs::OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(AgentError::file("cannot open", &path))?;
    file.try_lock_exclusive().map_err(|_| AgentError::DirInUse { dir: options.dir.clone() })?;
    Ok(file)
}

/// Sees to it that each node that is wanted or was begun has a keeper.
async fn keep_all(shared: Arc<Shared>) -> Result<(), AgentError> {
    let mut keepers = Keepers::default();
    let mut changes = shared.desired.subscribe();
    // Of nodes whose records were lost, only their processes tell.
    let prefix = format!("{}/", shared.device_id);
    let mut kept_at_unix_secs = shared.clock.unix_secs();
    let mut lost: Vec<WorkloadKey> = processes::marks(&prefix).iter().filter_map(|mark| parse_key(&mark[prefix.len()..])).collect();
    loop {
        let mut keys = shared.store.recorded_keys()?;
        let desired = changes.borrow_and_update().clone();
        if let Some(desired) = desired {
            keys.extend(desired.workloads.iter().map(|workload| workload.key));
            keys.append(&mut lost);
        }
        keepers.0.retain(|_, keeper| !keeper.is_finished());
        for key in keys {
            keepers.0.entry(key).or_insert_with(|| tokio::spawn(keep(shared.clone(), key)));
        }
        shared.reaper.reap();
        forget_ended(&shared, &keepers);
        if shared.clock.unix_secs().abs_diff(kept_at_unix_secs) >= KEEP_EVERY_SECS.unsigned_abs() {
            shared.keep_time()?;
            kept_at_unix_secs = shared.clock.unix_secs();
        }
        let _ = tokio::time::timeout(Duration::from_secs(1), changes.changed()).await;
    }
}

/// Stops repeating that a node has ended when the hub has had time to hear it.
fn forget_ended(shared: &Shared, keepers: &Keepers) {
    let desired = shared.desired.borrow().clone();
    let is_desired = |key: &WorkloadKey| desired.iter().any(|desired| desired.workloads.iter().any(|want| want.key == *key));
    let now_unix_secs = shared.clock.unix_secs();
    shared.observed.send_if_modified(|all| {
        let before = all.len();
        all.retain(|key, observed| {
            let ago_secs = now_unix_secs.abs_diff(observed.since_unix_secs);
            let is_told = matches!(observed.state, WorkloadState::Stopped { .. }) && ago_secs > REPORT_ENDED_SECS;
            keepers.0.contains_key(key) || is_desired(key) || (matches!(observed.state, WorkloadState::Stopped { .. }) && !is_told)
        });
        all.len() != before
    });
}

/// The keepers' tasks, which end with the agent.
#[derive(Default)]
struct Keepers(HashMap<WorkloadKey, JoinHandle<()>>);

impl Drop for Keepers {
    fn drop(&mut self) {
        for keeper in self.0.values() {
            keeper.abort();
        }
    }
}
