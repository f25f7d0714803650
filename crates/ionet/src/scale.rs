//! A running cluster grows and shrinks: by hand to a size, or by itself after its load.
//!
//! Nodes are added by further bookings that join the cluster's Ray, so every one of them is signed with the customer's own key: nobody else
//! could spend the budget.

pub mod load;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use ionet_market::autoscale::{Action, Bundle, Part, Policy, Situation, Verdict, decide};
use ionet_types::clusters::{BookRequest, Cluster, ClusterStatus};
use ionet_types::hardware::HardwareKind;
use ionet_types::payments::ExtensionRequest;
use ionet_types::quotes::QuoteRequest;
use ionet_types::{BaseUnits, ClusterId};
use serde::Serialize;
use tokio::time::sleep;

use crate::exit::{Exit, Failure};
use crate::job::Customer;
use crate::quotes;
use crate::ray::RayJobs;
use crate::signing::Wish;
use load::Load;

/// A cluster with the bookings that joined it.
#[derive(Debug, Clone, Serialize)]
pub struct Whole {
    /// The cluster.
    pub cluster: Cluster,
    /// Those that joined it, oldest first, those that are over included.
    pub parts: Vec<Cluster>,
}

/// What one round of autoscaling saw and did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Round {
    /// When, unix seconds.
    pub at_unix_secs: i64,
    /// Nodes of the cluster, those that start included.
    pub nodes: u32,
    /// Nodes that have work.
    pub busy_nodes: u32,
    /// Pieces of work that wait for room.
    pub pending: u32,
    /// Pieces that no node of this kind could take.
    pub unplaceable: u32,
    /// Nodes that the waiting work needs more.
    pub needed_nodes: u32,
    /// What kept more from being added.
    pub limit: &'static str,
    /// Spent on added nodes so far, base units.
    pub spent: BaseUnits,
    /// What was done, in words.
    pub done: Vec<String>,
}

impl Whole {
    /// Reads a cluster that runs, with its parts.
    pub async fn read(customer: &Customer, id: ClusterId) -> Result<Self> {
        let cluster = customer.client.cluster(id).await?;
        if let Some(whole) = cluster.part_of {
            return Err(Failure::new("this booking is part of another cluster")
                .hint(format!("name that one: {whole}"))
                .exit(Exit::Usage)
                .into());
        }
        let mut parts = Vec::with_capacity(cluster.parts.len());
        for part in &cluster.parts {
            parts.push(customer.client.cluster(*part).await?);
        }
        Ok(Self { cluster, parts })
    }

    /// The parts that are not over and not about to be.
    fn live(&self) -> impl DoubleEndedIterator<Item = &Cluster> {
        self.parts.iter().filter(|part| !part.terminating && !matches!(part.status, ClusterStatus::Ended | ClusterStatus::Expired))
    }

    /// Nodes, those that start included.
    pub fn nodes(&self) -> u32 {
        self.live().map(|part| part.quantity).fold(self.cluster.quantity, u32::saturating_add)
    }

    /// What was spent on the parts: all that is booked, less what came back.
    fn spent(&self) -> u64 {
        let spent = |part: &Cluster| part.total.base_units.0.saturating_sub(part.refunded.base_units.0);
        let counts = |part: &&Cluster| part.status != ClusterStatus::Expired;
        self.parts.iter().filter(counts).map(spent).fold(0, u64::saturating_add)
    }

    fn terms(&self, nodes: u32, minutes: u32) -> QuoteRequest {
        QuoteRequest {
            requirements: self.cluster.requirements.clone(),
            ..QuoteRequest::new(self.cluster.hardware.clone(), nodes, minutes, self.cluster.currency)
        }
    }

    /// Adds nodes: books, signs and pays them, for at most `most` base units.
    pub async fn grow(&self, customer: &Customer, nodes: u32, minutes: u32, most: Option<u64>) -> Result<ClusterId> {
        let terms = self.terms(nodes, minutes);
        let quote = quotes::checked(&customer.client, &customer.network, &terms).await?;
        if most.is_some_and(|most| quote.total.base_units.0 > most) {
            return Err(
                Failure::new(format!("{nodes} more nodes would cost {}, more than is left of the budget", quote.total.display)).into()
            );
        }
        let request = BookRequest { part_of: Some(self.cluster.id), ..BookRequest::new(terms) };
        let id = customer.book(&request, &quote).await?;
        customer.pay(id, None).await?;
        Ok(id)
    }

    /// Brings the cluster to a size: adds nodes, or lets the newest parts go. Returns what was done, in words.
    pub async fn resize(&self, customer: &Customer, nodes: u32, minutes: Option<u32>, now_unix_secs: i64) -> Result<Vec<String>> {
        let have = self.nodes();
        if nodes > have {
            let minutes = minutes.unwrap_or_else(|| self.minutes_left(now_unix_secs));
            let id = self.grow(customer, nodes - have, minutes, None).await?;
            return Ok(vec![format!("{} nodes added as {id}, for {minutes} min", nodes - have)]);
        }
        let mut left = have - nodes;
        let mut chosen = Vec::new();
        for part in self.live().rev() {
            if part.quantity <= left {
                left -= part.quantity;
                chosen.push(part);
            }
        }
        if left > 0 {
            let sizes: Vec<_> = self.live().map(|part| part.quantity.to_string()).collect();
            return Err(Failure::new(format!("{nodes} nodes cannot be reached by letting parts go"))
                .hint(format!(
                    "the cluster's own {} nodes stay until it ends, and parts go whole; they have {} nodes",
                    self.cluster.quantity,
                    if sizes.is_empty() { "no".to_owned() } else { sizes.join(", ") }
                ))
                .exit(Exit::Usage)
                .into());
        }
        let mut done = Vec::new();
        for part in chosen {
            customer.client.end_cluster(part.id).await?;
            done.push(format!("part {} with {} nodes is let go", part.id, part.quantity));
        }
        Ok(done)
    }

    fn minutes_left(&self, now_unix_secs: i64) -> u32 {
        let secs = self.cluster.hired_until_unix_secs.unwrap_or(now_unix_secs).saturating_sub(now_unix_secs);
        u32::try_from(secs / 60).unwrap_or(0).max(1)
    }
}

/// Follows a cluster's load.
pub struct Autoscaler<'a> {
    customer: &'a Customer,
    id: ClusterId,
    policy: Policy,
    ray: RayJobs,
    /// Since when each part has no work, unix seconds.
    idle_since: BTreeMap<ClusterId, i64>,
}

impl<'a> Autoscaler<'a> {
    /// For this cluster. `policy.node` is filled in from what the cluster's nodes have.
    pub async fn new(customer: &'a Customer, id: ClusterId, mut policy: Policy) -> Result<Self> {
        let cluster = customer.client.cluster(id).await?;
        policy.node = node_of(customer, &cluster).await?;
        Ok(Self { customer, id, policy, ray: RayJobs::of(&customer.client, &cluster), idle_since: BTreeMap::new() })
    }

    /// Looks once, decides and acts. `None` once the cluster is over.
    pub async fn round(&mut self, now_unix_secs: i64) -> Result<Option<Round>> {
        let whole = Whole::read(self.customer, self.id).await?;
        if whole.cluster.terminating || matches!(whole.cluster.status, ClusterStatus::Ended | ClusterStatus::Expired) {
            return Ok(None);
        }
        let load = load::load(&self.ray).await?;
        let parts: Vec<_> = whole.live().map(|part| self.part(part, &load, now_unix_secs)).collect();
        let step = self.customer.client.quote(&whole.terms(1, self.policy.step_minutes)).await?;
        let seen = Situation {
            own_nodes: whole.cluster.quantity,
            own_until_unix_secs: whole.cluster.hired_until_unix_secs.unwrap_or(now_unix_secs),
            pending: &load.pending,
            parts: &parts,
            grown_at_unix_secs: whole.parts.iter().map(|part| part.created_at_unix_secs).max(),
            spent: whole.spent(),
            step_cost: step.total.base_units.0,
        };
        let verdict = decide(&self.policy, &seen, now_unix_secs);
        let done = self.act(&whole, &verdict, seen.spent).await;
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Ok(Some(Round {
            at_unix_secs: now_unix_secs,
            nodes: whole.nodes(),
            busy_nodes: count(load.busy.len()),
            pending: count(load.pending.len()),
            unplaceable: verdict.unplaceable,
            needed_nodes: verdict.needed_nodes,
            limit: verdict.limit.code(),
            spent: BaseUnits(seen.spent),
            done,
        }))
    }

    /// A part, and since when it idles as far as was seen.
    fn part(&mut self, part: &Cluster, load: &Load, now_unix_secs: i64) -> Part {
        let has_work = part.nodes.iter().any(|node| load.busy.contains(&node_name(part.id, node.node)));
        let runs = part.status == ClusterStatus::Running;
        if has_work || !runs {
            self.idle_since.remove(&part.id);
        } else {
            self.idle_since.entry(part.id).or_insert(now_unix_secs);
        }
        Part {
            id: part.id,
            nodes: part.quantity,
            started_at_unix_secs: part.started_at_unix_secs,
            hired_until_unix_secs: part.hired_until_unix_secs,
            idle_since_unix_secs: self.idle_since.get(&part.id).copied(),
        }
    }

    /// Does what was decided. What goes wrong with one thing does not keep the next from being done; it is tried again in the next round.
    async fn act(&self, whole: &Whole, verdict: &Verdict, spent: u64) -> Vec<String> {
        let mut left = self.policy.budget.saturating_sub(spent);
        let mut done = Vec::new();
        for action in &verdict.actions {
            let result = match *action {
                Action::Grow { nodes, minutes } => whole
                    .grow(self.customer, nodes, minutes, Some(left))
                    .await
                    .map(|id| format!("{nodes} nodes added as {id}, for {minutes} min")),
                Action::Extend { part, minutes } => self.extend(part, minutes, &mut left).await,
                Action::Release { part } => {
                    self.customer.client.end_cluster(part).await.map(|part| format!("part {} is idle and let go", part.id))
                }
            };
            done.push(result.unwrap_or_else(|error| format!("not done: {error:#}")));
        }
        done
    }

    async fn extend(&self, part: ClusterId, minutes: u32, left: &mut u64) -> Result<String> {
        let prepared = self.customer.client.prepare_extension(part, &ExtensionRequest { minutes }).await?;
        let price = prepared.price.total.base_units;
        *left = left.checked_sub(price.0).ok_or_else(|| {
            Failure::new(format!("another {minutes} min would cost {}, more than is left of the budget", prepared.price.total.display))
        })?;
        self.customer.sign_and_submit(&prepared.transaction, &Wish::Extend { minutes, amount: price }).await?;
        Ok(format!("part {part} is kept for another {minutes} min"))
    }
}

/// How Ray calls a node of a cluster, as its agent names it.
pub fn node_name(id: ClusterId, node: u16) -> String {
    ionet_types::agent::WorkloadKey { cluster_id: id.0, node }.to_string()
}

/// What a node like the cluster's own has.
async fn node_of(customer: &Customer, cluster: &Cluster) -> Result<Bundle> {
    let mut least: Option<Bundle> = None;
    for node in &cluster.nodes {
        let device = customer.client.device(node.device).await?;
        let gpus = if cluster.kind == HardwareKind::Gpu { device.gpus.len() } else { 0 };
        let has = Bundle {
            gpu_milli: u32::try_from(gpus).unwrap_or(0).saturating_mul(1_000),
            cpu_milli: device.cpus.saturating_mul(1_000),
            memory_mb: u32::try_from(device.memory_mb).unwrap_or(u32::MAX),
        };
        // The next nodes are as small as the smallest at worst.
        least = Some(least.map_or(has, |other| Bundle {
            gpu_milli: other.gpu_milli.min(has.gpu_milli),
            cpu_milli: other.cpu_milli.min(has.cpu_milli),
            memory_mb: other.memory_mb.min(has.memory_mb),
        }));
    }
    least.ok_or_else(|| Failure::new("the cluster has no nodes").hint("autoscale a cluster that runs").into())
}

/// Rounds until the cluster is over; `tell` hears of each.
pub async fn follow(
    scaler: &mut Autoscaler<'_>,
    every: Duration,
    now: impl Fn() -> i64,
    mut tell: impl FnMut(&Round) -> Result<()>,
) -> Result<()> {
    loop {
        match scaler.round(now()).await {
            Ok(Some(round)) => tell(&round)?,
            Ok(None) => return Ok(()),
            // The network or Ray blinked: nothing is decided on such grounds.
            Err(error) => tracing::warn!("this round is left out: {error:#}"),
        }
        sleep(every).await;
    }
}
