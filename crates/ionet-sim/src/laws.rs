//! What must hold in every run, whatever breaks, and the truth that it is held against: which processes worked when, and who heard whom.

mod leases;
mod uptime;

use std::collections::{BTreeMap, BTreeSet};

use ionet_devices::{Duty, State};
use ionet_hub::decisions::{Now, Purpose};
use ionet_rules::booking::{Booking, Status};
use ionet_rules::worklog::EndReason;
use ionet_store::Outage;
use ionet_types::agent::{WorkloadKey, WorkloadState};
use ionet_types::{ClusterId, DeviceId};

use crate::agent::{Agent, Process};
use crate::chain::Chain;
use crate::hub::books::bounds;
use crate::hub::deployments::Deed;
use crate::hub::{Hub, clock};
use crate::{BEGIN_UNIX_SECS, Millis, unix_secs};

/// Milliseconds that may be paid for each run of a node's processes after it has ended: until the agent looks, tells, and the hub decides.
const LATE: Millis = 15_000;
/// Milliseconds that may go unpaid for each outage: it is rounded up to a minute, and its end is noticed as late as its beginning.
const ROUNDED: Millis = 60_000 + LATE;

/// How often one law is told to be broken.
const MOST_OF_A_LAW: usize = 20;

/// The laws.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Laws {
    /// What was begun for a tenant runs as long as the hub said and no longer, whatever a clock shows and whoever is away.
    LeaseLastsItsLength,
    /// A paid tenant's work is ended by its time, its customer, or a real failure; never because hub or network blinked.
    TenantIsLeftAlone,
    /// Once the network is well again, everybody agrees on what runs and how every device is.
    StatesConverge,
    /// No device is down for time in which the hub was away, unless it was seen away before and after.
    HubAbsenceBlamesNobody,
    /// A device that was never out of reach has been up without a break, whatever the hub did.
    ReachableLosesNothing,
    /// What a published epoch says of a device's uptime goes on in the next one where it ended.
    UptimeIsCountedOnce,
    /// Minutes paid are minutes run, as exactly as the hub could see; each work log is in one epoch, and each epoch is closed once.
    PaidOnceAndNotLost,
}

/// A law that was broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which.
    pub law: Laws,
    /// When.
    pub at: Millis,
    /// How.
    pub what: String,
}

/// A stretch of time in which a node's processes worked on a device.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) key: WorkloadKey,
    pub(crate) agent: usize,
    pub(crate) process: u64,
    pub(crate) attempt: u32,
    pub(crate) from: Millis,
    pub(crate) to: Option<Millis>,
}

/// What really happened.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    pub(crate) runs: Vec<Run>,
    /// When each agent's processes began.
    pub(crate) agent_began: BTreeMap<usize, Vec<Millis>>,
    leases: leases::Leases,
    pub(crate) broken: Vec<Broken>,
    /// Work logs whose parts were found in an epoch.
    pub(crate) closings: BTreeMap<u64, u32>,
    /// How often each thing was held against the truth, so that nobody takes an idle test for a passed one.
    pub(crate) checks: BTreeMap<&'static str, u64>,
}

impl Truth {
    pub(crate) fn breaks(&mut self, law: Laws, at: Millis, what: String) {
        // One is enough to fail; thousands of the same are no help.
        if self.broken.iter().filter(|one| one.law == law).count() < MOST_OF_A_LAW {
            self.broken.push(Broken { law, at, what });
        }
    }

    fn checked(&mut self, what: &'static str) {
        *self.checks.entry(what).or_default() += 1;
    }

    pub(crate) fn works(&mut self, key: WorkloadKey, agent: usize, process: &Process, now: Millis) {
        self.runs.push(Run { key, agent, process: process.number, attempt: process.attempt, from: now, to: None });
    }

    pub(crate) fn stops(&mut self, process: &Process, now: Millis) {
        for run in self.runs.iter_mut().rev().filter(|run| run.process == process.number && run.to.is_none()) {
            run.to = Some(now);
        }
    }

    /// Processes that worked were ended on purpose: there must be a reason that the customer would accept.
    pub(crate) fn ended_on_purpose(
        &mut self,
        (key, process): (WorkloadKey, &Process),
        agent: &Agent,
        hub: &Hub,
        chain: &Chain,
        now: Millis,
    ) {
        self.checked("work ended on purpose");
        let cluster = ClusterId(key.cluster_id);
        let moment = Now { chain_unix_secs: unix_secs(now), hub_unix_secs: clock(now) };
        if hub.purpose_of(cluster, chain, moment) != Purpose::Run {
            return;
        }
        let reservation = hub.disk.reservations.get(&agent.device);
        let is_wanted = reservation
            .is_some_and(|one| one.cluster_id == cluster && one.node == key.node && one.attempt == process.attempt && !one.releasing);
        if is_wanted {
            self.breaks(Laws::TenantIsLeftAlone, now, format!("{key} worked on {} and was ended", agent.device));
        }
    }

    /// What the hub did to a tenant must have a real cause.
    pub(crate) fn answered(&mut self, deed: Deed, agents: &[Agent], by_device: &BTreeMap<DeviceId, usize>, hub: &Hub, now: Millis) {
        self.checked("deeds of the hub");
        match deed {
            Deed::GaveUp { device, running } => {
                let Some(agent) = by_device.get(&device).map(|number| &agents[*number]) else { return };
                // Patience is counted from when hub and device last heard of each other, and from when the hub was last there to hear.
                let there = hub.memory.as_ref().map_or(now, |memory| memory.began);
                let resumed = hub.back();
                let patience = if running { hub.timing.lost_after_secs } else { 60 };
                let heard = agent.contact.max(there).max(resumed);
                if now - heard < (patience - 1) * 1_000 {
                    let away = hub.away_since_unix_secs(device).map_or(0, |since| clock(now) - since);
                    let what = format!("a node was taken from {device}, heard of {} ms ago, away for {away} s, {running}", now - heard);
                    self.breaks(Laws::TenantIsLeftAlone, now, what);
                }
            }
            Deed::Restarted { device, key, attempt } => {
                let Some(agent) = by_device.get(&device).map(|number| &agents[*number]) else { return };
                let works = agent.processes.get(&key).is_some_and(|process| process.attempt == attempt && process.ready_since.is_some());
                if works && agent.is_on {
                    self.breaks(Laws::TenantIsLeftAlone, now, format!("{key} works on {device} and is started anew"));
                }
            }
            Deed::Failed { cluster } => {
                let Some(row) = hub.disk.clusters.get(&cluster) else { return };
                let attempt = |node: u16| {
                    let mut all = hub.disk.reservations.values();
                    all.find(|one| one.cluster_id == cluster && one.node == node && !one.releasing).map(|one| one.attempt)
                };
                let works = |node: u16| {
                    let attempt = attempt(node);
                    self.runs.iter().rev().any(|run| {
                        run.key == WorkloadKey { cluster_id: cluster.0, node }
                            && run.to.is_none()
                            && Some(run.attempt) == attempt
                            && agents[run.agent].is_on
                            && now - agents[run.agent].contact < 5_000
                            && now - run.from > 60_000
                    })
                };
                let all = (0..u16::try_from(row.offer.quantity).unwrap_or(0)).all(works);
                if all {
                    let what = format!("cluster {cluster} works and is given up");
                    self.breaks(Laws::TenantIsLeftAlone, now, what);
                }
            }
        }
    }

    /// Nobody whom the fleet calls down was only lost with the hub.
    pub(crate) fn nobody_is_blamed(&mut self, hub: &Hub, agents: &[Agent], by_device: &BTreeMap<DeviceId, usize>, now: Millis) {
        let Some(memory) = hub.memory.as_ref() else { return };
        let back = hub.back();
        for (key, glance) in memory.fleet.silent(clock(now)) {
            let ionet_devices::Presence::Down { since_unix_secs } = glance.presence else { continue };
            let Some(agent) = by_device.get(&DeviceId(*key)).map(|number| &agents[*number]) else { continue };
            self.checked("devices called down");
            let since = (since_unix_secs - clock(0)) * 1_000;
            // It began while the hub watched, give or take what whole seconds hide.
            let (early, late) = (since - 1_000, since + 2_000);
            let is_seen = covered(hub.absences.iter().copied(), early, late) < late - early;
            let is_waited_for = since < back - 1_000 || agent.contact >= back || now - back > hub.timing.return_within_secs * 1_000;
            if !is_seen || !is_waited_for {
                let what = format!("{} is down since {since_unix_secs}, heard {} ms ago", agent.device, now - agent.contact);
                self.breaks(Laws::HubAbsenceBlamesNobody, now, what);
            }
        }
    }

    /// What must hold in the end, after the network has been well for a while.
    pub(crate) fn in_the_end(&mut self, hub: &Hub, agents: &[Agent], chain: &Chain, now: Millis) {
        self.all_agree(hub, agents, chain, now);
        self.uptime_is_right(hub, agents, now);
        for (id, book) in &chain.bookings {
            self.minutes_are_right(*id, book, hub, chain, now);
        }
        self.epochs_are_right(hub, chain);
    }

    fn all_agree(&mut self, hub: &Hub, agents: &[Agent], chain: &Chain, now: Millis) {
        let moment = Now { chain_unix_secs: unix_secs(now), hub_unix_secs: clock(now) };
        let Some(memory) = hub.memory.as_ref() else {
            return self.breaks(Laws::StatesConverge, now, "the hub does not run".to_owned());
        };
        for agent in agents {
            self.checked("devices in the end");
            let state = memory.fleet.glance(&agent.device.0, clock(now)).map(|glance| glance.state);
            let life = hub.disk.lives.get(&agent.device).map(|life| life.view(clock(now), memory.fleet.watching()).state);
            let reservation = hub.disk.reservations.get(&agent.device);
            let expected = if reservation.is_some() { State::Hired } else { State::Ready };
            if state != Some(expected) || life != Some(expected) {
                let what = format!("{} is {state:?} and {life:?} instead of {expected:?}", agent.device);
                self.breaks(Laws::StatesConverge, now, what);
            }
            let runs: BTreeSet<(WorkloadKey, u32)> =
                agent.processes.iter().filter(|(_, process)| process.ready_since.is_some()).map(|(key, one)| (*key, one.attempt)).collect();
            let before = Now { chain_unix_secs: unix_secs(now) - 60, hub_unix_secs: clock(now) - 60 };
            let has_just_ended = |one: &ionet_store::Reservation| {
                let ended = chain.bookings.get(&one.cluster_id).map_or(0, |book| book.ended_at_unix_secs);
                ended > before.chain_unix_secs
                    || hub.purpose_of(one.cluster_id, chain, moment) != hub.purpose_of(one.cluster_id, chain, before)
            };
            if reservation.is_some_and(has_just_ended) {
                continue;
            }
            let wanted: BTreeSet<(WorkloadKey, u32)> = reservation
                .filter(|one| !one.releasing && hub.purpose_of(one.cluster_id, chain, moment) == Purpose::Run)
                .map(|one| (WorkloadKey { cluster_id: one.cluster_id.0, node: one.node }, one.attempt))
                .into_iter()
                .collect();
            if runs != wanted {
                self.breaks(Laws::StatesConverge, now, format!("{} runs {runs:?} instead of {wanted:?}", agent.device));
            }
            let told = memory.sessions.get(&agent.device).and_then(|session| session.observed.as_ref());
            let ready = told.into_iter().flat_map(|told| &told.workloads).filter(|one| one.state == WorkloadState::Ready);
            let told: BTreeSet<(WorkloadKey, u32)> = ready.map(|one| (one.key, one.attempt)).collect();
            if told != runs {
                self.breaks(Laws::StatesConverge, now, format!("{} told {told:?} and runs {runs:?}", agent.device));
            }
        }
        if memory.fleet.counts().of(State::Unknown) + memory.fleet.counts().of(State::Down) > 0 {
            self.breaks(Laws::StatesConverge, now, format!("{:?}", memory.fleet.counts()));
        }
        let hired = hub.disk.lives.values().filter(|life| life.duty() == Duty::Hired).count();
        if hired != hub.disk.reservations.len() {
            self.breaks(Laws::StatesConverge, now, format!("{hired} hired, {} reserved", hub.disk.reservations.len()));
        }
        for (id, book) in chain.bookings.iter().filter(|(_, book)| book.status() == Ok(Status::Running)) {
            let until = book.hired_until_unix_secs().unwrap_or(i64::MAX);
            if unix_secs(now) > until + 60 {
                self.breaks(Laws::StatesConverge, now, format!("cluster {id} should have ended at {until}"));
            }
        }
    }

    /// The minutes of a cluster that the chain paid for are those that its devices ran, as exactly as the hub could see.
    fn minutes_are_right(&mut self, id: ClusterId, book: &Booking, hub: &Hub, chain: &Chain, now: Millis) {
        if book.status() != Ok(Status::Ended) || book.started_at_unix_secs == 0 {
            return;
        }
        self.checked("clusters paid for");
        let begin = (book.started_at_unix_secs - BEGIN_UNIX_SECS) * 1_000;
        let end = (book.ended_at_unix_secs - BEGIN_UNIX_SECS) * 1_000;
        let nobody = Vec::new();
        let assignments = hub.disk.assignments.get(&id).unwrap_or(&nobody);
        let outages = hub.disk.outages.get(&id).map_or(&[][..], Vec::as_slice);
        let (mut ran, mut too_much, mut too_little, mut is_in_sight) = (0, 0, 0, true);
        for node in 0..u16::try_from(book.quantity).unwrap_or(0) {
            let key = WorkloadKey { cluster_id: id.0, node };
            // The same node may run on two devices for a while, when one cannot be told to stop: it is paid once.
            let runs: Vec<_> = self.runs.iter().filter(|run| run.key == key).map(|run| (run.from, run.to.unwrap_or(now))).collect();
            ran += covered(runs.iter().copied(), begin, end);
            let seen = assignments.iter().filter(|one| one.node == node).flat_map(|one| {
                let until = one.to_unix_secs.map_or(end, |to| (to - clock(0)) * 1_000);
                let from = (one.from_unix_secs - clock(0)) * 1_000;
                hub.seen(one.device_id, now).into_iter().map(move |(there, gone)| (there.max(from), gone.min(until)))
            });
            // While the hub does not see the node, or cannot read the chain, the node is taken to be as it was last seen.
            let blind = gaps(seen.collect(), begin, end).into_iter().chain(chain.cuts.iter().copied()).collect();
            for (from, to) in gaps(gaps(blind, begin, end), begin, end) {
                is_in_sight = false;
                let up = covered(runs.iter().copied(), from, to);
                if up < to - from {
                    too_much += to - from - up + LATE;
                }
                let millis = |at: i64| (at - BEGIN_UNIX_SECS) * 1_000;
                let is_out = |outage: &&Outage| outage.node == node && outage.to_unix_secs.is_none_or(|end| millis(end) + 1_000 > from);
                if outages.iter().filter(is_out).any(|outage| millis(outage.from_unix_secs) < to) {
                    too_little += up + LATE;
                }
            }
        }
        let paid = i64::try_from(book.device_minutes_worked).unwrap_or(i64::MAX) * 60_000;
        let ends = self.runs.iter().filter(|run| run.key.cluster_id == id.0 && run.to.is_some_and(|to| to < end)).count();
        // One that ends before its time is charged in whole minutes, the started one too when the customer ends it.
        let cut_short = if book.end_reason() == Ok(Some(EndReason::HiredTimeOver)) { 0 } else { 60_000 * i64::from(book.quantity) };
        let times = |count: usize, each: Millis| each * i64::try_from(count).unwrap_or(i64::MAX / each);
        let most_too_much = too_much + cut_short + times(ends + 1, LATE);
        let most_too_little = too_little + cut_short + times(outages.len(), ROUNDED) + times(1, LATE);
        // A customer who ends early pays the first hour whole; a network that fails inside it earns nothing.
        let is_short = end - begin < 3_600_000;
        if is_in_sight {
            self.checked("clusters paid for that were never out of sight");
        }
        if !is_short && !(-most_too_little..=most_too_much).contains(&(paid - ran)) {
            let what = format!(
                "cluster {id}: {} ms paid too much of {ran} run; between {most_too_much} and -{most_too_little} would do: {ends} ends, {} outages",
                paid - ran,
                outages.len()
            );
            self.breaks(Laws::PaidOnceAndNotLost, now, what);
        }
    }

    /// Each work log's part is in the epoch of its time, whole; each epoch was closed once.
    fn epochs_are_right(&mut self, hub: &Hub, chain: &Chain) {
        for (epoch, lines) in &hub.disk.archive {
            self.checked("epochs closed");
            let (from, to) = bounds(*epoch);
            let due: u64 = chain.paid.iter().filter(|paid| (from..to).contains(&paid.at_unix_secs)).map(|paid| paid.supplier).sum();
            let given: u64 = lines.values().map(|line| line.work).sum();
            if due != given || self.closings.get(epoch) != Some(&1) {
                let what = format!("epoch {epoch}: {given} of {due} given, closed {:?} times", self.closings.get(epoch));
                self.breaks(Laws::PaidOnceAndNotLost, 0, what);
            }
        }
        let logs: BTreeSet<_> = chain.paid.iter().map(|paid| (paid.cluster, paid.sequence)).collect();
        let paid: u64 = chain.paid.iter().map(|paid| paid.supplier).sum();
        let books: u64 = chain.bookings.values().map(|book| book.supplier_paid.0).sum();
        if logs.len() != chain.paid.len() || paid != books {
            self.breaks(Laws::PaidOnceAndNotLost, 0, format!("{} logs, {} of them once; {paid} of {books}", chain.paid.len(), logs.len()));
        }
    }
}

/// The parts of a stretch that none of the others covers.
fn gaps(mut stretches: Vec<(Millis, Millis)>, begin: Millis, end: Millis) -> Vec<(Millis, Millis)> {
    stretches.push((end, end));
    stretches.sort_unstable();
    let (mut gaps, mut until) = (Vec::new(), begin);
    for (from, to) in stretches {
        if from.min(end) > until {
            gaps.push((until, from.min(end)));
        }
        until = until.max(to);
    }
    gaps
}

/// Milliseconds of a stretch that are covered by at least one of the others.
fn covered(stretches: impl Iterator<Item = (Millis, Millis)>, begin: Millis, end: Millis) -> Millis {
    let mut stretches: Vec<_> = stretches.map(|(from, to)| (from.max(begin), to.min(end))).filter(|(from, to)| from < to).collect();
    stretches.sort_unstable();
    let (mut sum, mut until) = (0, begin);
    for (from, to) in stretches {
        sum += (to - from.max(until)).max(0);
        until = until.max(to);
    }
    sum
}
