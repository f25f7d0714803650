//! From paid to running: tells agents what to run, starts the hired time once every node works, replaces what fails, lets devices go.
//!
//! A tenant is never stopped because the hub blinked: an unreachable device keeps its lease and counts as unknown, its node is given to
//! another device only after `lost_after_secs`, and if the chain or the store cannot be read no agent is told anything.

pub(crate) mod plan;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use ionet_store::{DeviceEvent, Reservation, Reserved};
use ionet_types::agent::{DesiredWorkload, RayNode, RayRole, Token, WorkloadKey, WorkloadSpec, WorkloadState};
use ionet_types::market::{Lease, Requirements};
use ionet_types::quotes::QuoteRequest;
use ionet_types::{ClusterId, DeviceId};

use self::plan::{Action, Node, NodeState, Now, Purpose, plan, purpose};
use super::{Open, all};
use crate::Hub;
use crate::agents::Seen;
use crate::devices::reputation::kind;
use crate::error::HubResult;
use crate::market::hires::Serving;
use crate::market::sharing;
use crate::proofs::trial;

/// Rounds of decisions in one run: what one decision changes, the next one sees.
const ROUNDS: usize = 4;

/// Everything that is decided from.
struct World {
    now: Now,
    payment_window_secs: i64,
    clusters: BTreeMap<ClusterId, Open>,
    /// Clusters whose booking has not landed: nothing of them runs.
    prepared: BTreeSet<ClusterId>,
    reservations: Vec<Reservation>,
    outages: BTreeMap<ClusterId, BTreeMap<u16, i64>>,
    seen: HashMap<DeviceId, Seen>,
}

pub(super) async fn reconcile(hub: &Hub) -> HubResult<()> {
    // Before anybody is held to be away: the hub itself may have been.
    hub.look().await?;
    let mut world = look(hub).await?;
    let mut trouble = Ok(());
    for _ in 0..ROUNDS {
        let (changed, result) = decide(hub, &world).await;
        trouble = result;
        if !changed {
            break;
        }
        world = look(hub).await?;
    }
    note(hub, &world).await?;
    tell(hub, &world).await?;
    free(hub, &world.reservations).await?;
    trouble
}

async fn look(hub: &Hub) -> HubResult<World> {
    let (network, chain_unix_secs) = futures::try_join!(hub.ledger().network(), hub.ledger().chain_now_unix_secs())?;
    let (mut clusters, mut prepared) = (BTreeMap::new(), BTreeSet::new());
    let rows = hub.store().clusters_open().await?;
    let bookings = hub.bookings(rows.iter().map(|row| row.offer.id)).await?;
    for (row, booking) in rows.into_iter().zip(bookings) {
        let id = row.offer.id;
        match booking {
            Some(booking) => {
                clusters.insert(id, Open { row, booking });
            }
            None if !row.landed => {
                prepared.insert(id);
            }
            None => {}
        }
    }
    let mut outages: BTreeMap<ClusterId, BTreeMap<u16, i64>> = BTreeMap::new();
    for (cluster, node, from_unix_secs) in hub.store().outages_open().await? {
        outages.entry(cluster).or_default().insert(node, from_unix_secs);
    }
    Ok(World {
        now: Now { chain_unix_secs, hub_unix_secs: hub.clock().now_unix_secs() },
        payment_window_secs: i64::from(network.params.payment_window_secs),
        clusters,
        prepared,
        reservations: hub.store().reservations().await?,
        outages,
        seen: hub.agents().0.directory.seen(),
    })
}

impl World {
    fn purpose(&self, cluster: &Open) -> Purpose {
        purpose(&cluster.row, cluster.booking.status, &cluster.booking.book, self.now)
    }

    /// The cluster whose Ray the nodes of this one join: itself, unless it is part of another one. `None` when that is over.
    fn whole<'a>(&'a self, cluster: &'a Open) -> Option<&'a Open> {
        match cluster.row.offer.part_of {
            None => Some(cluster),
            Some(whole) => self.clusters.get(&whole).filter(|whole| self.purpose(whole) == Purpose::Run),
        }
    }

    /// The clusters whose nodes have joined, or are to join, this one's Ray.
    fn parts(&self, whole: ClusterId) -> impl Iterator<Item = &Open> {
        self.clusters.values().filter(move |cluster| cluster.row.offer.part_of == Some(whole))
    }

    /// The nodes of a cluster, by number, whether a device has them or not.
    fn nodes<'a>(&'a self, hub: &Hub, cluster: &Open) -> Vec<Node<'a>> {
        let id = cluster.row.offer.id;
        let reservations: BTreeMap<u16, &Reservation> = self
            .reservations
            .iter()
            .filter(|reservation| reservation.cluster_id == id && !reservation.releasing)
            .map(|reservation| (reservation.node, reservation))
            .collect();
        let interruptible = cluster.row.offer.requirements.lease == Lease::Interruptible;
        let count = u16::try_from(cluster.booking.book.quantity).unwrap_or(u16::MAX);
        let node = |node| {
            let reservation = reservations.get(&node).copied();
            let device = reservation.map(|reservation| reservation.device_id);
            let seen = device.and_then(|device| self.seen.get(&device));
            let away = device.and_then(|device| hub.agents().0.away_since_unix_secs(device));
            let mut node = Node::new(node, reservation, seen, away);
            // Blocked and silent devices are other matters.
            node.wanted_back = interruptible && device.is_some_and(|device| hub.agents().0.lives.is_paused(device, self.now.hub_unix_secs));
            node
        };
        (0..count).map(node).collect()
    }
}

/// Decides for every cluster and does it. Returns whether anything was changed in the store, and the first trouble.
async fn decide(hub: &Hub, world: &World) -> (bool, HubResult<()>) {
    let flag = AtomicBool::new(false);
    let changed = &flag;
    let result = all(world.clusters.values().map(|cluster| async move {
        let id = cluster.row.offer.id;
        match world.purpose(cluster) {
            Purpose::Wait => {}
            Purpose::Release => {
                if world.reservations.iter().any(|reservation| reservation.cluster_id == id && !reservation.releasing) {
                    hub.store().cluster_release(id).await?;
                    hub.market().mark_all();
                    changed.store(true, Ordering::Relaxed);
                    hub.signals().metering.notify_one();
                    hub.signals().changed(id);
                }
            }
            Purpose::Run if world.whole(cluster).is_none() => {
                end_with_whole(hub, world, cluster).await?;
                changed.store(true, Ordering::Relaxed);
            }
            Purpose::Run => {
                let none = BTreeMap::new();
                let outages = world.outages.get(&id).unwrap_or(&none);
                let nodes = world.nodes(hub, cluster);
                let timing = &hub.options().timing;
                for action in plan(&cluster.row, &cluster.booking.book, &nodes, outages, world.payment_window_secs, timing, world.now) {
                    if act(hub, world, cluster, &nodes, &action).await? {
                        changed.store(true, Ordering::Relaxed);
                        hub.signals().changed(id);
                    }
                }
            }
        }
        Ok(())
    }))
    .await;
    (flag.into_inner(), result)
}

/// The cluster whose Ray this one's nodes joined is over, and so is their work: the customer's doing, unless the network failed it.
async fn end_with_whole(hub: &Hub, world: &World, part: &Open) -> HubResult<()> {
    let (store, id) = (hub.store(), part.row.offer.id);
    let whole = match part.row.offer.part_of {
        Some(whole) => store.cluster(whole).await?,
        None => None,
    };
    if whole.is_some_and(|whole| whole.failed_at_unix_secs.is_some()) {
        store.cluster_failed(id, world.now.chain_unix_secs).await?;
    } else {
        store.cluster_terminate(id, world.now.chain_unix_secs).await?;
    }
    hub.signals().metering.notify_one();
    hub.signals().changed(id);
    Ok(())
}

/// Does one thing. Returns whether the store is another one now.
async fn act(hub: &Hub, world: &World, cluster: &Open, nodes: &[Node<'_>], action: &Action) -> HubResult<bool> {
    let (store, id, now) = (hub.store(), cluster.row.offer.id, world.now);
    match action {
        Action::Head(head) => store.cluster_head(id, Some(head)).await?,
        Action::Retry { node, attempt } => retry(hub, world, cluster, nodes, *node, *attempt).await?,
        Action::Replace { node, attempt, or_retry } => return replace(hub, world, cluster, nodes, *node, *attempt, *or_retry).await,
        Action::Blame { node } => {
            if let Some(reservation) = nodes.get(usize::from(*node)).and_then(|node| node.reservation) {
                store.device_failed(reservation.device_id, now.hub_unix_secs).await?;
                hub.market().mark(reservation.device_id);
                let failed = DeviceEvent {
                    at_unix_secs: now.hub_unix_secs,
                    kind: kind::NODE_FAILED.to_owned(),
                    amount: 1,
                    detail: format!("cluster {id}, node {node}, attempt {}", reservation.attempt),
                };
                hub.agents().0.lives.happened(store, reservation.device_id, failed).await?;
            }
            return Ok(false);
        }
        Action::OutageBegin { node, from_unix_secs } => store.outage_begin(id, *node, *from_unix_secs).await?,
        Action::OutageEnd { node } => store.outage_end(id, *node, now.chain_unix_secs).await?,
        Action::Fail => {
            tracing::warn!(cluster = %id, "the network has failed a cluster: what was not delivered goes back");
            store.cluster_failed(id, now.chain_unix_secs).await?;
            hub.signals().metering.notify_one();
        }
        Action::Start => {
            let outcome = hub.ledger().start(&hub.options().operator, &id.bytes()).await?;
            hub.stepped(cluster, "start", outcome);
            // All of them work together: each has shown that it can be part of a cluster.
            let devices: Vec<DeviceId> = nodes.iter().filter_map(|node| Some(node.reservation?.device_id)).collect();
            store.devices_have_formed(&devices, now.hub_unix_secs).await?;
        }
    }
    Ok(true)
}

/// Starts a node anew on its device.
async fn retry(hub: &Hub, world: &World, cluster: &Open, nodes: &[Node<'_>], node: u16, attempt: u32) -> HubResult<()> {
    let id = cluster.row.offer.id;
    tracing::info!(cluster = %id, node, attempt = attempt + 1, "a node is started anew");
    if cluster.is_head(node) {
        restart_others(hub, world, cluster, nodes).await?;
    }
    Ok(hub.store().node_retry(id, node, attempt).await?)
}

/// Gives a node to another device. Nothing is stopped before another device is found.
async fn replace(hub: &Hub, world: &World, cluster: &Open, nodes: &[Node<'_>], node: u16, attempt: u32, or_retry: bool) -> HubResult<bool> {
    let now = world.now;
    let offer = &cluster.row.offer;
    let until = cluster.booking.book.hired_until_unix_secs().unwrap_or(i64::MAX);
    let left_minutes = u32::try_from(until.saturating_sub(now.chain_unix_secs).max(0) / 60).unwrap_or(u32::MAX);
    let terms = QuoteRequest {
        requirements: Requirements { or_hardware: Vec::new(), ..offer.requirements.clone() },
        ..QuoteRequest::new(offer.hardware.clone(), 1, left_minutes.clamp(1, offer.minutes.max(1)), offer.currency)
    };
    let own = nodes.iter().filter_map(|node| Some(node.reservation?.device_id)).collect();
    let chosen = hub.choose_for_node(&terms, offer.rate_micro_usd, own).await?;
    if let Some(taking) = chosen {
        let device = taking.device_id;
        if cluster.is_head(node) {
            restart_others(hub, world, cluster, nodes).await?;
        }
        if hub.store().node_replace(offer.id, node, &taking, attempt, now.hub_unix_secs).await? == Reserved::All {
            tracing::info!(cluster = %offer.id, node, %device, attempt, "a node moves to another device");
        }
        hub.market().mark(device);
        // When somebody else took the device meanwhile, the next look finds another one.
        return Ok(true);
    }
    if or_retry {
        retry(hub, world, cluster, nodes, node, attempt.saturating_sub(1)).await?;
    }
    Ok(or_retry)
}

/// The head begins anew, and with it all of Ray: whatever joined the old one begins anew as well, nodes of other clusters included. Done
/// before the head itself, so that an interruption in between only repeats it.
async fn restart_others(hub: &Hub, world: &World, cluster: &Open, nodes: &[Node<'_>]) -> HubResult<()> {
    let id = cluster.row.offer.id;
    restart_joined(hub, world, cluster, nodes, cluster.row.head.is_some()).await?;
    for part in world.parts(id).filter(|part| world.purpose(part) == Purpose::Run) {
        restart_joined(hub, world, part, &world.nodes(hub, part), cluster.row.head.is_some()).await?;
    }
    Ok(hub.store().cluster_head(id, None).await?)
}

/// Starts the nodes of a cluster anew that have joined a head. `had_head`: there was one.
async fn restart_joined(hub: &Hub, world: &World, cluster: &Open, nodes: &[Node<'_>], had_head: bool) -> HubResult<()> {
    let (store, id) = (hub.store(), cluster.row.offer.id);
    let running = cluster.booking.book.started_at_unix_secs != 0;
    for node in nodes.iter().filter(|node| !cluster.is_head(node.number) && node.reservation.is_some()) {
        match node.state {
            // Its own failure has it started anew.
            NodeState::Missing | NodeState::Failed { .. } => continue,
            // It waits for a head and has seen none.
            NodeState::Working if !had_head => continue,
            NodeState::Working | NodeState::Ready | NodeState::Unknown { .. } => {}
        }
        if running {
            store.outage_begin(id, node.number, world.now.chain_unix_secs).await?;
        }
        store.node_retry(id, node.number, node.attempt()).await?;
    }
    Ok(())
}

/// Writes down who serves whom: what is predicted of devices is learnt from it.
async fn note(hub: &Hub, world: &World) -> HubResult<()> {
    let mut serving = BTreeSet::new();
    for reservation in world.reservations.iter().filter(|reservation| !reservation.releasing) {
        let Some(cluster) = world.clusters.get(&reservation.cluster_id) else { continue };
        let Some(until) = cluster.booking.book.hired_until_unix_secs() else { continue };
        if world.purpose(cluster) == Purpose::Run {
            let minutes_left = u32::try_from(until.saturating_sub(world.now.chain_unix_secs).max(60) / 60).unwrap_or(u32::MAX);
            let Reservation { cluster_id: cluster, node, device_id: device, .. } = *reservation;
            serving.insert(Serving { cluster, node, device, minutes_left });
        }
    }
    let out = world.clusters.values().filter(|cluster| cluster.row.failed_at_unix_secs.is_some()).flat_map(|cluster| {
        let id = cluster.row.offer.id;
        world.outages.get(&id).into_iter().flat_map(move |nodes| nodes.keys().map(move |node| (id, *node)))
    });
    hub.hires_note(&serving, &out.collect()).await
}

/// Tells every connected device what it is to run.
async fn tell(hub: &Hub, world: &World) -> HubResult<()> {
    let mut reservations: HashMap<DeviceId, Vec<&Reservation>> = HashMap::new();
    for reservation in &world.reservations {
        reservations.entry(reservation.device_id).or_default().push(reservation);
    }
    let directory = &hub.agents().0.directory;
    let mut trials = trial::workloads(hub, &world.seen, &reservations.keys().copied().collect()).await?;
    for (device, seen) in &world.seen {
        let wanted = match reservations.get(device) {
            Some(of_device) => of_device.iter().map(|reservation| wanted(hub, world, reservation, seen)).collect(),
            None => Ok(trials.remove(device).into_iter().map(Some).collect::<Vec<_>>()),
        };
        // Of a node that nothing can be said of, and that was not spoken of before, silence would be the end.
        if let Ok(workloads) = wanted {
            directory.desire(*device, workloads.into_iter().flatten().collect());
        }
    }
    Ok(())
}

/// It cannot be said now what a node is to run.
struct Unclear;

/// What a device is to run for one of its reservations: nothing for one that is let go or not paid.
fn wanted(hub: &Hub, world: &World, reservation: &Reservation, seen: &Seen) -> Result<Option<DesiredWorkload>, Unclear> {
    if reservation.releasing {
        return Ok(None);
    }
    let key = WorkloadKey { cluster_id: reservation.cluster_id.0, node: reservation.node };
    let told = || hub.agents().0.directory.told(reservation.device_id, key);
    match world.clusters.get(&reservation.cluster_id) {
        Some(cluster) if world.purpose(cluster) == Purpose::Run => {
            let Some(whole) = world.whole(cluster) else { return Ok(None) };
            let workload = workload(hub, world, cluster, whole, reservation, seen);
            if workload.is_none() {
                tracing::error!(device = %reservation.device_id, node = %key, "a device has lost a GPU that a customer has");
            }
            Ok(workload.or_else(told))
        }
        Some(_) => Ok(None),
        None if world.prepared.contains(&reservation.cluster_id) => Ok(None),
        // Its booking was there and is not found now: the chain's endpoint lags. Nothing is changed on such grounds.
        None => told().map(Some).ok_or(Unclear),
    }
}

/// `None` when the device has not got any more what the node is to have of it.
fn workload(hub: &Hub, world: &World, cluster: &Open, whole: &Open, reservation: &Reservation, seen: &Seen) -> Option<DesiredWorkload> {
    let book = &cluster.booking.book;
    let timing = &hub.options().timing;
    // Before the start the hired time is yet to come.
    let until = book.hired_until_unix_secs().unwrap_or_else(|| {
        let paid_at = book.pay_by_unix_secs.saturating_sub(world.payment_window_secs);
        paid_at.saturating_add(timing.start_within_secs).saturating_add(i64::from(book.minutes_hired).saturating_mul(60))
    });
    // The device goes by its own clock, which is the hub's rather than the chain's.
    let lease_secs = until.saturating_sub(world.now.chain_unix_secs).saturating_add(timing.lease_margin_secs);
    let is_head = cluster.is_head(reservation.node);
    let nodes = whole.booking.book.quantity.saturating_add(world.parts(whole.row.offer.id).map(|part| part.booking.book.quantity).sum());
    let share = match &reservation.share {
        Some(share) => Some(sharing::granted(share, &seen.hardware)?),
        None => None,
    };
    Some(DesiredWorkload {
        key: WorkloadKey { cluster_id: reservation.cluster_id.0, node: reservation.node },
        lease_until_unix_secs: world.now.hub_unix_secs.saturating_add(lease_secs),
        attempt: reservation.attempt,
        spec: WorkloadSpec::Ray(RayNode {
            role: if is_head { RayRole::Head } else { RayRole::Worker },
            nodes: u16::try_from(nodes).unwrap_or(u16::MAX),
            token: Token::new(whole.row.offer.token.clone()),
            // Ray counts whole ones.
            cpus: share.as_ref().map_or(seen.hardware.cpus, |share| (share.cpu_milli / 1_000).max(1)),
            gpus: u32::try_from(share.as_ref().map_or(seen.hardware.gpus.len(), |share| share.gpus.len())).unwrap_or(u32::MAX),
            memory_mb: share.as_ref().map(|share| share.memory_mb),
            object_store_mb: None,
            head: if is_head { None } else { whole.row.head.clone() },
            share,
        }),
    })
}

/// Frees the devices that were let go and are clear: their report follows what they were last told, and the node is not in it.
async fn free(hub: &Hub, reservations: &[Reservation]) -> HubResult<()> {
    for reservation in reservations.iter().filter(|reservation| reservation.releasing) {
        let Some(seen) = hub.agents().0.directory.seen_one(reservation.device_id) else { continue };
        let key = WorkloadKey { cluster_id: reservation.cluster_id.0, node: reservation.node };
        let clear = match seen.workload(key).map(|workload| &workload.state) {
            None | Some(WorkloadState::Stopped { .. } | WorkloadState::Failed { .. }) => seen.is_up_to_date(),
            Some(_) => false,
        };
        if clear {
            let _changing = hub.market().changing(reservation.device_id);
            hub.store().device_freed(reservation.device_id, reservation.cluster_id, reservation.node).await?;
        }
    }
    Ok(())
}
