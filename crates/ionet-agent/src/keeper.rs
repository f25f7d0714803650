//! The reconciler of one node: looks at what is wanted, what was begun and what runs, and does what is due, until nothing is left of it.
//!
//! It takes no input but a wake-up, repeats itself safely, and may be killed between any two lines: the record on disk is written
//! before anything is started and removed after everything is gone.

use std::{sync::Arc, time::Duration};

use ionet_types::agent::{
    DesiredState, DesiredWorkload, NodeShare, ObservedWorkload, RayEndpoints, StopReason, WorkloadKey, WorkloadSpec, WorkloadState,
};
use tokio::time::Instant;

use crate::{
    AgentError, NodeFailure,
    agent::Shared,
    cores,
    decide::{Due, Want, decide},
    gpus,
    node::{Node, new_temp_dir},
    processes,
    store::{Phase, Plan, Record},
};

/// How often the processes of a node are looked at. A death is noticed within this time.
const WATCH_EVERY: Duration = Duration::from_millis(200);
/// How often a node is started with other ports before it counts as failed.
const STARTS: u32 = 3;
/// Least time between two restarts of a process that the node can live without.
const REVIVE_EVERY: Duration = Duration::from_secs(5);
/// How long to wait before trying again after the agent's own files could not be used.
const RETRY_AFTER: Duration = Duration::from_secs(5);

/// Keeps one node. Ends when the node is not wanted and nothing of it is left.
pub(crate) async fn keep(shared: Arc<Shared>, key: WorkloadKey) {
    let mut keeper = Keeper { shared, key };
    loop {
        match keeper.step().await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::error!(node = %key, %error, code = error.code(), "the node's files cannot be used");
                tokio::time::sleep(RETRY_AFTER).await;
            }
        }
    }
}

struct Keeper {
    shared: Arc<Shared>,
    key: WorkloadKey,
}

impl Keeper {
    /// Does what is due; `false` when the node can be forgotten.
    async fn step(&mut self) -> Result<bool, AgentError> {
        let mut changes = self.shared.desired.subscribe();
        let want = self.want();
        let record = self.shared.store.record(self.key)?;
        match self.due(record.as_ref(), false) {
            Due::Forget => {
                self.clear_marked().await;
                return Ok(false);
            }
            Due::Begin => {
                if let Some(want) = want {
                    self.begin(&want).await?;
                }
            }
            Due::Watch => {
                if let Some(record) = record {
                    self.watch(record).await?;
                }
            }
            Due::Rest => {
                match record.as_ref().map(|record| &record.phase) {
                    Some(Phase::Starting) => self.publish(WorkloadState::Starting, record.as_ref()),
                    Some(Phase::Ready) => self.publish(WorkloadState::Ready, record.as_ref()),
                    Some(Phase::Failed { code, message, retryable }) => {
                        let (code, message) = (code.clone(), message.clone());
                        self.publish(WorkloadState::Failed { code, message, retryable: *retryable }, record.as_ref());
                    }
                    Some(Phase::Stopped { reason }) => self.publish(WorkloadState::Stopped { reason: *reason }, record.as_ref()),
                    None => self.publish(WorkloadState::Stopped { reason: StopReason::LeaseOver }, None),
                }
                // A change, or the timer: a lease may have ended meanwhile.
                let _ = tokio::time::timeout(Duration::from_secs(1), changes.changed()).await;
            }
            Due::End { remember } => {
                if let Some(record) = record {
                    self.end(record, remember).await?;
                }
            }
        }
        Ok(true)
    }

    fn want(&self) -> Option<DesiredWorkload> {
        find(self.shared.desired.borrow().as_deref(), self.key).cloned()
    }

    fn due(&self, record: Option<&Record>, is_ours: bool) -> Due {
        let desired = self.shared.desired.borrow();
        let want = find(desired.as_deref(), self.key)
            .map(|want| Want { attempt: want.attempt, lease_until_unix_secs: want.lease_until_unix_secs });
        decide(want, record.map(|record| (record.attempt, &record.phase)), desired.is_some(), is_ours, self.shared.clock.unix_secs())
    }

    fn node(&self, record: Record) -> Node {
        Node::new(self.shared.store.clone(), self.shared.reaper.clone(), &self.shared.device_id, record)
    }

    /// Prepares and starts the node, unless it stops being wanted meanwhile.
    async fn begin(&self, want: &DesiredWorkload) -> Result<(), AgentError> {
        self.publish_as(want.attempt, WorkloadState::Preparing { percent: 0, detail: "begins".to_owned() }, None, None);
        // Left from a record that was lost: they cannot be adopted.
        self.clear_marked().await;
        let attempt = want.attempt;
        let progress = |percent: u8, detail: String| {
            self.publish_as(attempt, WorkloadState::Preparing { percent: percent.min(100), detail }, None, None);
        };
        let prepared = tokio::select! {
            prepared = self.shared.runtime.prepare(&want.spec, &progress) => prepared,
            () = self.until_unwanted(attempt) => return Ok(()),
        };
        if let Err(failure) = prepared {
            return self.fail(&self.node(self.new_record(attempt, Plan::default())), failure).await;
        }
        let mut changes = self.shared.desired.subscribe();
        let want = loop {
            let Some(want) = self.want().filter(|want| want.attempt == attempt) else { return Ok(()) };
            let Some(what) = self.shared.runtime.waits_for(&want.spec) else { break want };
            progress(100, format!("waits for {what}"));
            tokio::select! {
                _ = changes.changed() => {}
                () = self.until_unwanted(attempt) => return Ok(()),
            }
        };
        for start in 1..=STARTS {
            let plan = match self.shared.runtime.plan(&want.spec).await {
                Ok(plan) => Plan { temp_dir: new_temp_dir(), share: share(&want.spec), ..plan },
                Err(failure) => return self.fail(&self.node(self.new_record(attempt, Plan::default())), failure).await,
            };
            let record = match self.take(self.new_record(attempt, plan)).await? {
                Ok(record) => record,
                Err(failure) => return self.fail(&self.node(self.new_record(attempt, Plan::default())), failure).await,
            };
            let node = self.node(record.clone());
            self.publish(WorkloadState::Starting, Some(&record));
            let started = tokio::select! {
                started = async {
                    node.make_dirs()?;
                    self.shared.runtime.start(&node, &want.spec).await
                } => started,
                // The record stays: the next step ends what was begun.
                () = self.until_unwanted(attempt) => return Ok(()),
            };
            match started {
                Ok(()) => {
                    node.update(true, |record| (record.phase, record.since_unix_secs) = (Phase::Ready, self.shared.clock.unix_secs()))?;
                    self.publish(WorkloadState::Ready, Some(&node.record()));
                    return Ok(());
                }
                Err(failure) if failure.retryable && start < STARTS => {
                    tracing::warn!(node = %self.key, code = failure.code, message = failure.message, start, "start failed, again");
                    self.clear(&node, Duration::ZERO).await;
                }
                Err(failure) => return self.fail(&node, failure).await,
            }
        }
        Ok(())
    }

    /// Watches a node that is up until something else is due or it dies.
    async fn watch(&self, record: Record) -> Result<(), AgentError> {
        let is_of_this_boot = record.boot_id == processes::boot_id();
        let node = self.node(record);
        if !is_of_this_boot {
            return self.fail(&node, NodeFailure::retryable("machine_restarted", "the machine was restarted")).await;
        }
        if node.check_alive().is_ok() {
            self.publish(WorkloadState::Ready, Some(&node.record()));
        }
        let mut changes = self.shared.desired.subscribe();
        let mut revived_at: Option<Instant> = None;
        loop {
            self.shared.reaper.reap();
            if let Err(failure) = node.check_alive() {
                return self.fail(&node, failure).await;
            }
            let may_revive = revived_at.is_none_or(|at| at.elapsed() >= REVIVE_EVERY);
            if let (true, Some(want), Some(process)) = (may_revive, self.want(), node.ended().first()) {
                tracing::warn!(node = %self.key, process = process.name, "process ended, is started again");
                revived_at = Some(Instant::now());
                if let Err(failure) = self.shared.runtime.revive(&node, &want.spec, process).await {
                    tracing::warn!(node = %self.key, code = failure.code, message = failure.message, "not started again");
                }
            }
            if self.due(Some(&node.record()), true) != Due::Watch {
                return Ok(());
            }
            let _ = tokio::time::timeout(WATCH_EVERY, changes.changed()).await;
        }
    }

    /// Tells that the node failed, after nothing of it runs any more. Nobody is served by waiting: its processes are killed.
    async fn fail(&self, node: &Node, failure: NodeFailure) -> Result<(), AgentError> {
        tracing::warn!(node = %self.key, code = failure.code, message = failure.message, "node failed");
        self.clear(node, Duration::ZERO).await;
        let phase = Phase::Failed { code: failure.code.to_owned(), message: bounded(failure.message), retryable: failure.retryable };
        node.update(true, |record| {
            (record.phase, record.since_unix_secs) = (phase, self.shared.clock.unix_secs());
            forget_all_but_the_end(record);
        })
    }

    /// Writes down that the node begins with its share of the machine, or says who has it.
    async fn take(&self, mut record: Record) -> Result<Result<Record, NodeFailure>, AgentError> {
        let _granting = self.shared.granting.lock().await;
        if let Some(share) = &record.plan.share {
            let others = self.shared.store.other_records(self.key)?;
            if let Some(gpu) = gpus::taken(share, &others) {
                return Ok(Err(NodeFailure::retryable("gpu_taken", format!("another node runs on GPU {gpu}"))));
            }
            record.plan.cores = cores::choose(share.cpu_milli, &cores::allowed(), &others);
        }
        self.shared.store.set_record(&record, true)?;
        Ok(Ok(record))
    }

    /// Ends all of the node's processes, and gives back what was made for them.
    async fn clear(&self, node: &Node, grace: Duration) {
        node.clear(grace).await;
        self.shared.runtime.give_back(node).await;
    }

    /// Ends the node and leaves nothing behind but, perhaps, the memory of why.
    async fn end(&self, record: Record, remember: Option<StopReason>) -> Result<(), AgentError> {
        let runs = matches!(record.phase, Phase::Starting | Phase::Ready);
        if runs {
            self.publish(WorkloadState::Stopping, Some(&record));
        }
        let node = self.node(record);
        self.clear(&node, self.shared.options.stop_grace).await;
        match remember {
            Some(reason) => node.update(true, |record| {
                (record.phase, record.since_unix_secs) = (Phase::Stopped { reason }, self.shared.clock.unix_secs());
                forget_all_but_the_end(record);
            })?,
            None => self.shared.store.remove_record(self.key)?,
        }
        let reason = remember.unwrap_or(StopReason::NotDesired);
        if runs {
            self.publish_as(node.record().attempt, WorkloadState::Stopped { reason }, None, None);
            tracing::info!(node = %self.key, ?reason, "node ended");
        }
        Ok(())
    }

    /// Ends processes that carry the node's mark though no record tells of them.
    async fn clear_marked(&self) {
        let mark = crate::node::mark(&self.shared.device_id, self.key);
        processes::end_all(self.shared.options.stop_grace, || processes::belonging_to(&mark, &[])).await;
    }

    /// Returns when this attempt should not be begun any more.
    async fn until_unwanted(&self, attempt: u32) {
        let mut changes = self.shared.desired.subscribe();
        loop {
            let wanted =
                self.want().is_some_and(|want| want.attempt == attempt && self.shared.clock.unix_secs() < want.lease_until_unix_secs);
            if !wanted {
                return;
            }
            let _ = tokio::time::timeout(Duration::from_secs(1), changes.changed()).await;
        }
    }

    fn new_record(&self, attempt: u32, plan: Plan) -> Record {
        Record {
            key: self.key,
            attempt,
            phase: Phase::Starting,
            since_unix_secs: self.shared.clock.unix_secs(),
            boot_id: processes::boot_id(),
            plan,
            processes: Vec::new(),
        }
    }

    fn publish(&self, state: WorkloadState, record: Option<&Record>) {
        let attempt = record.map_or_else(|| self.want().map_or(0, |want| want.attempt), |record| record.attempt);
        let plan = record.map(|record| &record.plan);
        self.publish_as(attempt, state, plan.and_then(|plan| plan.endpoints.clone()), plan.and_then(|plan| plan.version.clone()));
    }

    fn publish_as(&self, attempt: u32, state: WorkloadState, endpoints: Option<RayEndpoints>, ray_version: Option<String>) {
        let since_unix_secs = self.shared.clock.unix_secs();
        let observed = ObservedWorkload { key: self.key, attempt, state, since_unix_secs, endpoints, ray_version };
        self.shared.publish(observed);
    }
}

/// What a workload may use of the machine, where others use the rest.
fn share(spec: &WorkloadSpec) -> Option<NodeShare> {
    match spec {
        WorkloadSpec::Ray(ray) => ray.share.clone(),
        WorkloadSpec::Unknown => None,
    }
}

/// Nothing of the node runs: what it had may be another's from now on, and is not to be given back twice.
fn forget_all_but_the_end(record: &mut Record) {
    (record.plan.endpoints, record.plan.share, record.plan.instance) = (None, None, None);
    record.processes.clear();
}

fn find(desired: Option<&DesiredState>, key: WorkloadKey) -> Option<&DesiredWorkload> {
    desired?.workloads.iter().find(|workload| workload.key == key)
}

/// Cuts a text to what the wire takes.
fn bounded(mut text: String) -> String {
    let end = text.floor_char_boundary(ionet_types::agent::MAX_TEXT_BYTES);
    text.truncate(end);
    text
}
