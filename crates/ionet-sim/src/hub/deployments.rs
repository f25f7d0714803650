//! The hub's loop over its clusters: asks the real `purpose` and `plan` what is to be done and does it to the disk, as the deployments'
//! reconciler does; then tells every agent what to run, and frees what is clear.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use ionet_devices::{Event, State};
use ionet_hub::decisions::{Action, Node, NodeState, Now, Purpose, Seen, plan, purpose};
use ionet_market::index::Options;
use ionet_market::machine::{Machine, Prices, State as Standing};
use ionet_market::names::ModelId;
use ionet_market::request::Request;
use ionet_market::scan;
use ionet_market::shape::{Demand, Room};
use ionet_market::waste::BestFit;
use ionet_rules::booking::Booking;
use ionet_rules::params::Params;
use ionet_store::{Assignment, Outage, Reservation};
use ionet_types::agent::{DesiredState, DesiredWorkload, Hardware, RayNode, RayRole, Token, WorkloadKey, WorkloadSpec, WorkloadState};
use ionet_types::hardware::HardwareModel;
use ionet_types::market::{Security, Tier};
use ionet_types::{ClusterId, DeviceId};

use super::{Hub, OpenSession, clock};
use crate::chain::Chain;
use crate::random::Random;
use crate::{Millis, unix_secs};

/// Rounds of decisions in one run.
const ROUNDS: usize = 4;
/// A lease that would change by less than this is left alone, seconds.
const LEASE_JITTER_SECS: i64 = 60;

/// All devices are of one model, at one price.
const MODEL: ModelId = ModelId(0);
const REFERENCE_MICRO_USD: u32 = 115_000;

/// A device as the market sees it.
fn machine(device: DeviceId, failed_at_unix_secs: i64) -> Machine {
    Machine {
        device,
        model: MODEL,
        whole: Room::new(1_000, 1_024, 1_024, 0, false).expect("no GPUs are not too many"),
        divisible: false,
        vram_mb: 0,
        tier: Tier::Low,
        country: None,
        site: None,
        supplier: None,
        compliance: 0,
        security: Security::Process,
        renewable: false,
        prices: Prices { on_demand_micro_usd: REFERENCE_MICRO_USD, interruptible_micro_usd: 0 },
        min_hire_minutes: 0,
        reputation: u16::try_from(ionet_rules::reputation::NEUTRAL).unwrap_or(u16::MAX),
        survival_bps: [10_000; 4],
        failed_at_unix_secs,
    }
}

/// Something that the hub did and has to answer for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Deed {
    /// It took a node from a device that it could not reach.
    GaveUp { device: DeviceId, running: bool },
    /// It took a node from a device, or had it started anew there, because it had failed.
    Restarted { device: DeviceId, key: WorkloadKey, attempt: u32 },
    /// It gave a cluster up.
    Failed { cluster: ClusterId },
}

/// Everything that is decided from, at one moment.
struct Look {
    now: Now,
    clusters: Vec<ClusterId>,
    seen: BTreeMap<DeviceId, Seen>,
}

/// What every device says it is made of.
static HARDWARE: LazyLock<Arc<Hardware>> =
    LazyLock::new(|| Arc::new(Hardware { cpus: 1, machine_cpus: 1, memory_mb: 1, machine_memory_mb: 1, ..Hardware::default() }));

impl OpenSession {
    fn seen(&self) -> Seen {
        Seen {
            location: ionet_types::market::Location::UNKNOWN,
            shared: false,
            hardware: HARDWARE.clone(),
            model: Some(HardwareModel::cpu()),
            observed: self.observed.clone(),
            desired_revision: self.desired.as_ref().map_or(0, |desired| desired.revision),
        }
    }
}

impl Hub {
    /// One run of the reconciler. Returns what it has to answer for.
    pub(crate) fn deploy(&mut self, chain: &mut Chain, now: Millis, random: &mut Random) -> Vec<Deed> {
        let mut deeds = Vec::new();
        for _ in 0..ROUNDS {
            let look = self.look_around(chain, now);
            let mut changed = false;
            for cluster in &look.clusters {
                changed |= self.decide(*cluster, chain, &look, now, random, &mut deeds);
            }
            if !changed {
                break;
            }
        }
        let look = self.look_around(chain, now);
        self.tell(chain, &look);
        self.free(&look, now);
        deeds
    }

    fn look_around(&self, chain: &Chain, now: Millis) -> Look {
        let sessions = self.memory.iter().flat_map(|memory| &memory.sessions);
        let open = self.disk.clusters.iter().filter(|(id, row)| !row.settled && chain.bookings.contains_key(*id));
        Look {
            now: Now { chain_unix_secs: unix_secs(now), hub_unix_secs: clock(now) },
            clusters: open.map(|(id, _)| *id).collect(),
            seen: sessions.map(|(device, session)| (*device, session.seen())).collect(),
        }
    }

    /// What a cluster's devices are for now.
    pub(crate) fn purpose_of(&self, cluster: ClusterId, chain: &Chain, now: Now) -> Purpose {
        match (self.disk.clusters.get(&cluster), chain.bookings.get(&cluster)) {
            (Some(row), Some(book)) => book.status().map_or(Purpose::Wait, |status| purpose(row, status, book, now)),
            _ => Purpose::Wait,
        }
    }

    fn nodes<'a>(&self, reservations: &'a [Reservation], book: &Booking, look: &Look) -> Vec<Node<'a>> {
        let count = u16::try_from(book.quantity).unwrap_or(u16::MAX);
        let node = |number| {
            let reservation = reservations.iter().find(|reservation| reservation.node == number);
            let device = reservation.map(|reservation| reservation.device_id);
            let seen = device.and_then(|device| look.seen.get(&device));
            Node::new(number, reservation, seen, device.and_then(|device| self.away_since_unix_secs(device)))
        };
        (0..count).map(node).collect()
    }

    /// Decides for one cluster and does it; whether the disk is another one now.
    fn decide(&mut self, id: ClusterId, chain: &mut Chain, look: &Look, now: Millis, random: &mut Random, deeds: &mut Vec<Deed>) -> bool {
        let reserved = |this: &Self| -> Vec<Reservation> {
            this.disk.reservations.values().filter(|one| one.cluster_id == id && !one.releasing).copied().collect()
        };
        match self.purpose_of(id, chain, look.now) {
            Purpose::Wait => false,
            Purpose::Release => {
                let reservations = reserved(self);
                for one in &reservations {
                    self.release(one.device_id);
                }
                !reservations.is_empty()
            }
            Purpose::Run => {
                let (Some(row), Some(book)) = (self.disk.clusters.get(&id).cloned(), chain.bookings.get(&id).copied()) else {
                    return false;
                };
                let reservations = reserved(self);
                let nodes = self.nodes(&reservations, &book, look);
                let open = self.disk.outages.get(&id).into_iter().flatten().filter(|outage| outage.to_unix_secs.is_none());
                let outages: BTreeMap<u16, i64> = open.map(|outage| (outage.node, outage.from_unix_secs)).collect();
                let window = i64::from(Params::DEFAULT.payment_window_secs);
                let actions = plan(&row, &book, &nodes, &outages, window, &self.timing, look.now);
                let mut changed = false;
                for action in actions {
                    changed |= self.act(id, chain, &nodes, &action, look, now, random, deeds);
                }
                changed
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what the reconciler's loop has at hand")]
    fn act(
        &mut self,
        id: ClusterId,
        chain: &mut Chain,
        nodes: &[Node<'_>],
        action: &Action,
        look: &Look,
        now: Millis,
        random: &mut Random,
        deeds: &mut Vec<Deed>,
    ) -> bool {
        let started = chain.bookings.get(&id).is_some_and(|book| book.started_at_unix_secs != 0);
        let device_of = |node: u16| nodes.get(usize::from(node)).and_then(|node| node.reservation).map(|one| one.device_id);
        match action {
            Action::Head(head) => {
                if let Some(row) = self.disk.clusters.get_mut(&id) {
                    row.head = Some(head.clone());
                }
            }
            Action::Retry { node, attempt } => self.retry(id, nodes, *node, *attempt, started, look.now, deeds),
            Action::Replace { node, attempt, or_retry } => {
                let chosen = self.choose(1, &BTreeSet::new(), look.now.hub_unix_secs, random);
                if let Some(device) = chosen.first().copied() {
                    deeds.extend(answer_for(nodes, *node, started));
                    if *node == 0 {
                        self.restart_others(id, nodes, started, look.now);
                    }
                    if let Some(old) = device_of(*node) {
                        self.release(old);
                    }
                    self.reserve(id, *node, device, *attempt, now);
                } else if *or_retry {
                    self.retry(id, nodes, *node, attempt.saturating_sub(1), started, look.now, deeds);
                    return true;
                } else {
                    return false;
                }
            }
            Action::Blame { node } => {
                if let Some(device) = device_of(*node) {
                    self.disk.failed_at.insert(device, look.now.hub_unix_secs);
                }
                return false;
            }
            Action::OutageBegin { node, from_unix_secs } => self.outage_begin(id, *node, *from_unix_secs),
            Action::OutageEnd { node } => {
                let open = self.disk.outages.entry(id).or_default().iter_mut();
                for outage in open.filter(|outage| outage.node == *node && outage.to_unix_secs.is_none()) {
                    outage.to_unix_secs = Some(look.now.chain_unix_secs.max(outage.from_unix_secs));
                }
            }
            Action::Fail => {
                deeds.push(Deed::Failed { cluster: id });
                if let Some(row) = self.disk.clusters.get_mut(&id) {
                    row.failed_at_unix_secs.get_or_insert(look.now.chain_unix_secs);
                }
            }
            Action::Start => chain.start(id, look.now.chain_unix_secs),
        }
        true
    }

    #[expect(clippy::too_many_arguments, reason = "what the reconciler's loop has at hand")]
    fn retry(&mut self, id: ClusterId, nodes: &[Node<'_>], node: u16, attempt: u32, started: bool, now: Now, deeds: &mut Vec<Deed>) {
        deeds.extend(answer_for(nodes, node, started));
        if node == 0 {
            self.restart_others(id, nodes, started, now);
        }
        self.node_retry(id, node, attempt);
    }

    fn restart_others(&mut self, id: ClusterId, nodes: &[Node<'_>], running: bool, now: Now) {
        let has_head = self.disk.clusters.get(&id).is_some_and(|row| row.head.is_some());
        for node in nodes.iter().filter(|node| node.number != 0 && node.reservation.is_some()) {
            match node.state {
                NodeState::Missing | NodeState::Failed { .. } => continue,
                NodeState::Working if !has_head => continue,
                NodeState::Working | NodeState::Ready | NodeState::Unknown { .. } => {}
            }
            if running {
                self.outage_begin(id, node.number, now.chain_unix_secs);
            }
            self.node_retry(id, node.number, node.attempt());
        }
        if let Some(row) = self.disk.clusters.get_mut(&id) {
            row.head = None;
        }
    }

    fn node_retry(&mut self, id: ClusterId, node: u16, attempt: u32) {
        let mine = |one: &&mut Reservation| one.cluster_id == id && one.node == node && one.attempt == attempt && !one.releasing;
        for one in self.disk.reservations.values_mut().filter(mine) {
            one.attempt += 1;
        }
    }

    fn outage_begin(&mut self, id: ClusterId, node: u16, from_unix_secs: i64) {
        let outages = self.disk.outages.entry(id).or_default();
        if !outages.iter().any(|outage| outage.node == node && outage.to_unix_secs.is_none()) {
            outages.push(Outage { node, from_unix_secs, to_unix_secs: None });
        }
    }

    fn release(&mut self, device: DeviceId) {
        if let Some(reservation) = self.disk.reservations.get_mut(&device) {
            reservation.releasing = true;
        }
    }

    /// Gives a device a node: the reservation, who is the node from now on, and the device's life.
    pub(crate) fn reserve(&mut self, id: ClusterId, node: u16, device: DeviceId, attempt: u32, now: Millis) {
        let at = clock(now);
        let reservation =
            Reservation { device_id: device, cluster_id: id, node, attempt, reserved_at_unix_secs: at, releasing: false, share: None };
        self.disk.reservations.insert(device, reservation);
        let assignments = self.disk.assignments.entry(id).or_default();
        for one in assignments.iter_mut().filter(|one| one.node == node && one.to_unix_secs.is_none()) {
            one.to_unix_secs = Some(at.max(one.from_unix_secs));
        }
        assignments.push(Assignment { node, device_id: device, from_unix_secs: at, to_unix_secs: None });
        self.happened(device, Event::Hired, now);
    }

    /// Chooses free devices that may be hired, as the market does; none when there are too few.
    pub(crate) fn choose(&self, quantity: u32, exclude: &BTreeSet<DeviceId>, at: i64, random: &mut Random) -> Vec<DeviceId> {
        let Some(memory) = self.memory.as_ref() else { return Vec::new() };
        let is_free = |device: &DeviceId| {
            let is_ready = memory.fleet.glance(&device.0, at).is_some_and(|glance| glance.state == State::Ready);
            is_ready && !self.disk.reservations.contains_key(device)
        };
        let machine = |device: &DeviceId| machine(*device, self.disk.failed_at.get(device).copied().unwrap_or(0));
        let machines: Vec<Machine> = memory.sessions.keys().filter(|device| is_free(device)).map(machine).collect();
        let devices: Vec<_> = machines.iter().map(|machine| (machine, machine.whole, Standing::Hireable)).collect();
        let mut request = Request::plain(vec![MODEL], Demand::default(), quantity, 60);
        request.exclude.clone_from(exclude);
        let reference = |_| Some(REFERENCE_MICRO_USD);
        scan::place(&devices, reference, Options::default(), &mut BestFit, at, &request, random.next())
            .map(|placement| placement.nodes.iter().map(|node| node.device).collect())
            .unwrap_or_default()
    }

    /// Writes down for every connected device what it is to run.
    fn tell(&mut self, chain: &Chain, look: &Look) {
        for device in look.seen.keys() {
            let workloads = match self.disk.reservations.get(device) {
                Some(one) if !one.releasing && self.purpose_of(one.cluster_id, chain, look.now) == Purpose::Run => {
                    self.workload(one, chain, look.now).into_iter().collect()
                }
                _ => Vec::new(),
            };
            let session = self.memory.as_mut().and_then(|memory| memory.sessions.get_mut(device));
            if let Some(session) = session {
                session.desire(workloads);
            }
        }
    }

    fn workload(&self, reservation: &Reservation, chain: &Chain, now: Now) -> Option<DesiredWorkload> {
        let (row, book) = (self.disk.clusters.get(&reservation.cluster_id)?, chain.bookings.get(&reservation.cluster_id)?);
        let until = book.hired_until_unix_secs().unwrap_or_else(|| {
            let paid_at = book.pay_by_unix_secs - i64::from(Params::DEFAULT.payment_window_secs);
            paid_at + self.timing.start_within_secs + i64::from(book.minutes_hired) * 60
        });
        let is_head = reservation.node == 0;
        Some(DesiredWorkload {
            key: WorkloadKey { cluster_id: reservation.cluster_id.0, node: reservation.node },
            lease_until_unix_secs: now.hub_unix_secs + (until - now.chain_unix_secs) + self.timing.lease_margin_secs,
            attempt: reservation.attempt,
            spec: WorkloadSpec::Ray(RayNode {
                role: if is_head { RayRole::Head } else { RayRole::Worker },
                nodes: u16::try_from(book.quantity).unwrap_or(u16::MAX),
                token: Token::new("0123456789abcdef"),
                cpus: 1,
                gpus: 0,
                memory_mb: None,
                object_store_mb: None,
                head: if is_head { None } else { row.head.clone() },
                share: None,
            }),
        })
    }

    /// Frees the devices that were let go and are clear.
    fn free(&mut self, look: &Look, now: Millis) {
        let leaving: Vec<Reservation> = self.disk.reservations.values().filter(|one| one.releasing).copied().collect();
        for reservation in leaving {
            let Some(seen) = look.seen.get(&reservation.device_id) else { continue };
            let key = WorkloadKey { cluster_id: reservation.cluster_id.0, node: reservation.node };
            let is_clear = match seen.workload(key).map(|workload| &workload.state) {
                None | Some(WorkloadState::Stopped { .. } | WorkloadState::Failed { .. }) => seen.is_up_to_date(),
                Some(_) => false,
            };
            if is_clear {
                self.disk.reservations.remove(&reservation.device_id);
                self.happened(reservation.device_id, Event::Released, now);
            }
        }
    }
}

/// Why a node is taken from its device.
fn answer_for(nodes: &[Node<'_>], node: u16, running: bool) -> Option<Deed> {
    let node = nodes.get(usize::from(node))?;
    let reservation = node.reservation?;
    let device = reservation.device_id;
    let key = WorkloadKey { cluster_id: reservation.cluster_id.0, node: node.number };
    match node.state {
        NodeState::Unknown { .. } => Some(Deed::GaveUp { device, running }),
        _ => Some(Deed::Restarted { device, key, attempt: reservation.attempt }),
    }
}

impl OpenSession {
    /// What the device is to run, if that is news.
    fn desire(&mut self, mut workloads: Vec<DesiredWorkload>) {
        if let Some(told) = &self.desired {
            for workload in &mut workloads {
                let before = told.workloads.iter().find(|told| told.key == workload.key);
                if let Some(before) = before
                    && (before.lease_until_unix_secs - workload.lease_until_unix_secs).abs() < LEASE_JITTER_SECS
                {
                    workload.lease_until_unix_secs = before.lease_until_unix_secs;
                }
            }
            if told.workloads == workloads {
                return;
            }
        }
        let revision = self.desired.as_ref().map_or(0, |told| told.revision) + 1;
        self.desired = Some(DesiredState { revision, hub_unix_secs: None, workloads });
    }
}
