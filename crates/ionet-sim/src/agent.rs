//! A supplier's machine: its clock, its processes, its disk, and the agent's process on it, which may die without the rest.

use std::collections::{BTreeMap, BTreeSet};

use ionet_agent::decisions::{Phase, Timeline};
use ionet_types::DeviceId;
use ionet_types::agent::{DesiredState, ObservedState, ObservedWorkload, WorkloadKey};

use crate::{Millis, unix_secs};

/// How an agent may be broken on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flaws {
    /// It ends its tenant's work when it loses the hub.
    pub(crate) stops_when_disconnected: bool,
    /// It goes by the machine's clock even when that is set.
    pub(crate) believes_set_clock: bool,
}

/// What was begun for a node, on disk.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) attempt: u32,
    pub(crate) phase: Phase,
    pub(crate) since_unix_secs: i64,
    pub(crate) boot: u32,
}

/// A node's processes, taken as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    /// No other has this number.
    pub(crate) number: u64,
    pub(crate) attempt: u32,
    /// Since when it works.
    pub(crate) ready_since: Option<Millis>,
}

/// The agent's process.
#[derive(Debug)]
pub(crate) struct Running {
    /// No other has this number.
    pub(crate) number: u64,
    /// What it counts.
    pub(crate) timeline: Timeline,
    /// When it began, on the machine's steady clock.
    pub(crate) since_steady_secs: i64,
    pub(crate) connection: Option<usize>,
    /// Revision that this connection has brought.
    pub(crate) revision: u64,
    pub(crate) observed: BTreeMap<WorkloadKey, ObservedWorkload>,
    /// What this very process starts.
    pub(crate) ours: BTreeSet<WorkloadKey>,
    pub(crate) backoff: Millis,
    /// Set while a report is due.
    pub(crate) has_news: bool,
}

/// One machine.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) device: DeviceId,
    pub(crate) flaws: Flaws,
    /// Counts the machine's starts.
    pub(crate) boot: u32,
    /// When it was switched on last.
    on_since: Millis,
    /// Whether the machine runs.
    pub(crate) is_on: bool,
    /// The machine's clock less the true time, seconds.
    pub(crate) clock_secs: i64,
    /// Until when the network is cut off.
    pub(crate) cut_until: Millis,
    pub(crate) processes: BTreeMap<WorkloadKey, Process>,
    pub(crate) desired: Option<DesiredState>,
    /// The time as it was written down last.
    pub(crate) kept: Option<Timeline>,
    pub(crate) records: BTreeMap<WorkloadKey, Record>,
    pub(crate) running: Option<Running>,
    /// When hub and agent last heard of each other, by the truth.
    pub(crate) contact: Millis,
}

impl Agent {
    pub(crate) fn new(device: DeviceId, clock_secs: i64, flaws: Flaws) -> Self {
        Self {
            device,
            flaws,
            boot: 0,
            on_since: -3_600_000,
            is_on: true,
            clock_secs,
            cut_until: 0,
            processes: BTreeMap::new(),
            desired: None,
            kept: None,
            records: BTreeMap::new(),
            running: None,
            contact: 0,
        }
    }

    /// A new process of the agent begins, and takes up what the disk says.
    pub(crate) fn begin(&mut self, number: u64, now: Millis) {
        let steady_secs = self.steady_secs(now);
        let mut running = Running {
            number,
            timeline: Timeline::begin(self.kept.clone(), &self.boot.to_string(), steady_secs, unix_secs(now) + self.clock_secs),
            since_steady_secs: steady_secs,
            connection: None,
            revision: 0,
            observed: BTreeMap::new(),
            ours: BTreeSet::new(),
            backoff: 200,
            has_news: false,
        };
        for (key, record) in &self.records {
            running.observed.insert(*key, crate::keeper::observed(*key, record, crate::keeper::state_of(&record.phase)));
        }
        self.running = Some(running);
    }

    /// The machine runs again.
    pub(crate) fn switched_on(&mut self, now: Millis) {
        (self.is_on, self.on_since) = (true, now);
    }

    /// The machine's steady clock: seconds since its start.
    pub(crate) const fn steady_secs(&self, now: Millis) -> i64 {
        (now - self.on_since).div_euclid(1_000)
    }

    /// What the agent takes for the time, unix seconds.
    pub(crate) fn clock_unix_secs(&self, now: Millis) -> i64 {
        match &self.running {
            Some(running) if !self.flaws.believes_set_clock => running.timeline.unix_secs(self.steady_secs(now)),
            _ => unix_secs(now) + self.clock_secs,
        }
    }

    /// For how long its process has been running, seconds.
    pub(crate) fn running_for_secs(&self, now: Millis) -> u64 {
        let since = self.running.as_ref().map_or(0, |running| running.since_steady_secs);
        u64::try_from(self.steady_secs(now) - since).unwrap_or(0)
    }

    pub(crate) const fn is_cut(&self, now: Millis) -> bool {
        now < self.cut_until
    }

    /// What it tells the hub.
    pub(crate) fn report(&self, now: Millis) -> Option<ObservedState> {
        let running = self.running.as_ref()?;
        let workloads = running.observed.values().cloned().collect();
        Some(ObservedState { desired_revision: running.revision, unix_secs: self.clock_unix_secs(now), workloads })
    }
}
