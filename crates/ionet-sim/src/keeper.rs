//! The agent's loop over its nodes: asks the real `decide` what is due and does it to the machine, as the agent's keepers do.

use std::collections::BTreeSet;

use ionet_agent::decisions::{Due, KEEP_EVERY_SECS, Phase, Want, decide};
use ionet_types::agent::{DesiredWorkload, ObservedWorkload, RayEndpoints, RayRole, StopReason, WorkloadKey, WorkloadSpec, WorkloadState};

use crate::Millis;
use crate::agent::{Agent, Process, Record, Running};
use crate::random::Random;

/// How long the report of an ended node is repeated, seconds.
const REPORT_ENDED_SECS: u64 = 60;

/// What comes of a round.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// Processes that start, by number, and when they are up.
    pub(crate) starting: Vec<(WorkloadKey, u64, Millis)>,
    /// Processes that were ended on purpose, and whether because their lease was over.
    pub(crate) ended: Vec<(WorkloadKey, Process, bool)>,
    /// Processes that worked and are gone by themselves or with the machine.
    pub(crate) lost: Vec<(WorkloadKey, Process)>,
}

/// A report of a node from its record.
pub(crate) fn observed(key: WorkloadKey, record: &Record, state: WorkloadState) -> ObservedWorkload {
    let answers = matches!(state, WorkloadState::Starting | WorkloadState::Ready) && key.node == 0;
    let gcs_port = u16::try_from(10_000 + record.attempt % 50_000).unwrap_or(u16::MAX);
    let endpoints = answers.then(|| RayEndpoints { host: "10.0.0.1".to_owned(), gcs_port, dashboard_port: 8_265 });
    ObservedWorkload { key, attempt: record.attempt, state, since_unix_secs: record.since_unix_secs, endpoints, ray_version: None }
}

/// What a record's phase is on the wire.
pub(crate) fn state_of(phase: &Phase) -> WorkloadState {
    match phase {
        Phase::Starting => WorkloadState::Starting,
        Phase::Ready => WorkloadState::Ready,
        Phase::Failed { code, message, retryable } => {
            WorkloadState::Failed { code: code.clone(), message: message.clone(), retryable: *retryable }
        }
        Phase::Stopped { reason } => WorkloadState::Stopped { reason: *reason },
    }
}

impl Running {
    fn publish(&mut self, mut new: ObservedWorkload) {
        if let Some(old) = self.observed.get(&new.key) {
            if (&old.state, old.attempt) == (&new.state, new.attempt) {
                new.since_unix_secs = old.since_unix_secs;
            }
            if *old == new {
                return;
            }
        }
        self.observed.insert(new.key, new);
        self.has_news = true;
    }
}

impl Agent {
    /// Does what is due for every node, until nothing more is.
    pub(crate) fn keep(&mut self, now: Millis, numbers: &mut u64, random: &mut Random) -> Round {
        let mut round = Round::default();
        if self.running.is_none() {
            return round;
        }
        let wanted = self.desired.iter().flat_map(|desired| desired.workloads.iter().map(|workload| workload.key));
        let keys: BTreeSet<WorkloadKey> = wanted.chain(self.records.keys().copied()).chain(self.processes.keys().copied()).collect();
        for key in keys {
            // Each step leads on to rest; `decide` has a test of its own that it does.
            for _ in 0..8 {
                if !self.step(key, now, numbers, random, &mut round) {
                    break;
                }
            }
        }
        self.forget_ended(now);
        self.keep_time(now);
        round
    }

    /// Does one thing for a node; `false` when nothing more is due for now.
    fn step(&mut self, key: WorkloadKey, now: Millis, numbers: &mut u64, random: &mut Random, round: &mut Round) -> bool {
        let clock = self.clock_unix_secs(now);
        let want = self.want(key).cloned();
        let Some(running) = self.running.as_mut() else { return false };
        let begun = self.records.get(&key).map(|record| (record.attempt, &record.phase));
        let wanted = want.as_ref().map(|want| Want { attempt: want.attempt, lease_until_unix_secs: want.lease_until_unix_secs });
        match decide(wanted, begun, self.desired.is_some(), running.ours.contains(&key), clock) {
            Due::Forget => {
                round.ended.extend(self.processes.remove(&key).map(|process| (key, process, false)));
                false
            }
            Due::Begin => {
                let Some(want) = want else { return false };
                let mut record = Record { attempt: want.attempt, phase: Phase::Starting, since_unix_secs: clock, boot: self.boot };
                if waits_for_head(&want) {
                    let waits = WorkloadState::Preparing { percent: 100, detail: "waits for its head".to_owned() };
                    running.publish(observed(key, &record, waits));
                    return false;
                }
                record.since_unix_secs = clock;
                running.publish(observed(key, &record, WorkloadState::Starting));
                running.ours.insert(key);
                self.records.insert(key, record);
                *numbers += 1;
                let process = Process { number: *numbers, attempt: want.attempt, ready_since: None };
                // Left from a record that was lost: it cannot be adopted.
                round.lost.extend(self.processes.insert(key, process).map(|process| (key, process)));
                round.starting.push((key, *numbers, now + random.between(2_000, 12_000)));
                true
            }
            Due::Watch => {
                let Some(record) = self.records.get_mut(&key) else { return false };
                if record.phase != Phase::Ready {
                    return false;
                }
                let is_alive = record.boot == self.boot && self.processes.contains_key(&key);
                if !is_alive {
                    record.phase = Phase::Failed { code: "process_ended".to_owned(), message: String::new(), retryable: true };
                    record.since_unix_secs = clock;
                }
                running.publish(observed(key, record, state_of(&record.phase)));
                !is_alive
            }
            Due::Rest => {
                let record = match self.records.get(&key) {
                    Some(record) => record.clone(),
                    None => Record {
                        attempt: wanted.map_or(0, |want| want.attempt),
                        phase: Phase::Stopped { reason: StopReason::LeaseOver },
                        since_unix_secs: clock,
                        boot: self.boot,
                    },
                };
                running.publish(observed(key, &record, state_of(&record.phase)));
                false
            }
            Due::End { remember } => {
                let reason = remember.unwrap_or(StopReason::NotDesired);
                running.ours.remove(&key);
                let is_over = remember == Some(StopReason::LeaseOver);
                round.ended.extend(self.processes.remove(&key).map(|process| (key, process, is_over)));
                if let Some(mut record) = self.records.remove(&key) {
                    record.phase = Phase::Stopped { reason };
                    record.since_unix_secs = clock;
                    running.publish(observed(key, &record, state_of(&record.phase)));
                    if remember.is_some() {
                        self.records.insert(key, record);
                    }
                }
                true
            }
        }
    }

    /// A start is through. Returns the process if it works now.
    pub(crate) fn started(&mut self, key: WorkloadKey, number: u64, fails: bool, now: Millis) -> Option<Process> {
        let clock = self.clock_unix_secs(now);
        let running = self.running.as_mut().filter(|running| running.ours.contains(&key))?;
        let process = self.processes.get_mut(&key).filter(|process| process.number == number)?;
        let record = self.records.get_mut(&key)?;
        running.ours.remove(&key);
        record.since_unix_secs = clock;
        let is_up = if fails {
            self.processes.remove(&key);
            record.phase = Phase::Failed { code: "start_failed".to_owned(), message: String::new(), retryable: true };
            None
        } else {
            record.phase = Phase::Ready;
            process.ready_since = Some(now);
            Some(*process)
        };
        running.publish(observed(key, record, state_of(&record.phase)));
        is_up
    }

    /// Ends all work, as no agent should.
    pub(crate) fn stop_all(&mut self) -> Round {
        let ended = std::mem::take(&mut self.processes).into_iter().map(|(key, process)| (key, process, false)).collect();
        Round { ended, ..Round::default() }
    }

    /// The hub wants this: to disk, then to the reports, as the agent does.
    pub(crate) fn take_over(&mut self, desired: ionet_types::agent::DesiredState, now: Millis) {
        let clock = self.clock_unix_secs(now);
        let (steady_secs, believes_set_clock) = (self.steady_secs(now), self.flaws.believes_set_clock);
        let Some(running) = self.running.as_mut() else { return };
        if running.revision > desired.revision {
            return;
        }
        let desired = if believes_set_clock { desired } else { running.timeline.hear(desired, steady_secs) };
        self.kept = Some(running.timeline.at(steady_secs));
        for want in &desired.workloads {
            if !running.observed.contains_key(&want.key) {
                let record = Record { attempt: want.attempt, phase: Phase::Starting, since_unix_secs: clock, boot: self.boot };
                running.publish(observed(want.key, &record, WorkloadState::Preparing { percent: 0, detail: "begins".to_owned() }));
            }
        }
        running.revision = desired.revision;
        running.has_news = true;
        self.desired = Some(desired);
    }

    fn want(&self, key: WorkloadKey) -> Option<&DesiredWorkload> {
        self.desired.as_ref()?.workloads.iter().find(|workload| workload.key == key)
    }

    /// Writes down how far the time has come, now and then.
    fn keep_time(&mut self, now: Millis) {
        let steady_secs = self.steady_secs(now);
        let Some(running) = self.running.as_ref().filter(|_| self.desired.is_some()) else { return };
        let present = running.timeline.at(steady_secs);
        if self.kept.as_ref().is_none_or(|kept| kept.boot_id != present.boot_id || steady_secs - kept.steady_secs >= KEEP_EVERY_SECS) {
            self.kept = Some(present);
        }
    }

    fn forget_ended(&mut self, now: Millis) {
        let clock = self.clock_unix_secs(now);
        let desired = self.desired.clone();
        let is_desired = |key: &WorkloadKey| desired.iter().any(|desired| desired.workloads.iter().any(|want| want.key == *key));
        let Some(running) = self.running.as_mut() else { return };
        let before = running.observed.len();
        let records = &self.records;
        running.observed.retain(|key, observed| {
            let is_stopped = matches!(observed.state, WorkloadState::Stopped { .. });
            let is_told = is_stopped && clock.abs_diff(observed.since_unix_secs) > REPORT_ENDED_SECS;
            records.contains_key(key) || is_desired(key) || (is_stopped && !is_told)
        });
        running.has_news |= running.observed.len() != before;
    }
}

/// Whether a worker has not been told where its head is.
fn waits_for_head(want: &DesiredWorkload) -> bool {
    matches!(&want.spec, WorkloadSpec::Ray(node) if node.role == RayRole::Worker && node.head.is_none())
}
