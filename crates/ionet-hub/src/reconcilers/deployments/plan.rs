//! What is to happen with a cluster's nodes, decided from what is known at one moment. Pure: nothing is read or done here.

use std::collections::BTreeMap;

use ionet_rules::booking::{Booking, Status};
use ionet_store::{ClusterRow, Reservation};
use ionet_types::agent::{RayHeadAddress, WorkloadKey, WorkloadState};

use crate::agents::Seen;
use crate::options::Timing;

/// Longest wait before a node that fails again and again is started anew, seconds.
const MAX_BACKOFF_SECS: i64 = 60;

/// How long a device may be unreachable while its cluster has not started, seconds.
const START_LOST_AFTER_SECS: i64 = 60;

/// The moment of the decision.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// The chain's clock, unix seconds: money goes by it.
    pub chain_unix_secs: i64,
    /// The hub's clock, unix seconds: reachability goes by it.
    pub hub_unix_secs: i64,
}

/// What a cluster's devices are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// They wait for the payment.
    Wait,
    /// They run the cluster.
    Run,
    /// They are let go.
    Release,
}

/// What the devices of a cluster are for now.
pub fn purpose(row: &ClusterRow, status: Status, book: &Booking, now: Now) -> Purpose {
    let ending = row.terminate_at_unix_secs.is_some() || row.failed_at_unix_secs.is_some();
    match status {
        Status::Booked | Status::PartiallyPaid => Purpose::Wait,
        Status::Paid if !ending => Purpose::Run,
        Status::Running if !ending && book.hired_until_unix_secs().is_some_and(|until| now.chain_unix_secs < until) => Purpose::Run,
        _ => Purpose::Release,
    }
}

/// How a node is, as far as the hub knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeState {
    /// No device has it.
    Missing,
    /// It works.
    Ready,
    /// It is on its way.
    Working,
    /// It does not work, since this moment on the hub's clock.
    Failed {
        /// Whether a new attempt on this device may go better.
        retryable: bool,
        /// Since when.
        since_unix_secs: i64,
    },
    /// Its device is not connected, since this moment on the hub's clock. It most likely runs on.
    Unknown {
        /// Since when.
        since_unix_secs: i64,
    },
}

/// A node and what is known of it.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// Its number in the cluster; 0 is the head.
    pub number: u16,
    /// Which device has it, if any.
    pub reservation: Option<&'a Reservation>,
    /// How it is.
    pub state: NodeState,
    /// Its device's owner takes it back, and the lease allows that.
    pub wanted_back: bool,
    /// Where the Ray head answers, when this is the head and its device says so.
    pub head: Option<RayHeadAddress>,
}

impl<'a> Node<'a> {
    /// A node from its reservation, what its device last said, and since when the device is away.
    pub fn new(number: u16, reservation: Option<&'a Reservation>, seen: Option<&Seen>, away_since_unix_secs: Option<i64>) -> Self {
        let mut this = Self { number, reservation, state: NodeState::Missing, wanted_back: false, head: None };
        let Some(reservation) = reservation else { return this };
        let Some(seen) = seen else {
            this.state = NodeState::Unknown { since_unix_secs: away_since_unix_secs.unwrap_or(i64::MAX) };
            return this;
        };
        if seen.observed.is_none() {
            // It has just connected and not said yet what it runs.
            this.state = NodeState::Unknown { since_unix_secs: i64::MAX };
            return this;
        }
        let key = WorkloadKey { cluster_id: reservation.cluster_id.0, node: number };
        let Some(workload) = seen.workload(key).filter(|workload| workload.attempt == reservation.attempt) else {
            this.state = NodeState::Working;
            return this;
        };
        let since_unix_secs = workload.since_unix_secs;
        this.state = match &workload.state {
            WorkloadState::Ready => NodeState::Ready,
            WorkloadState::Failed { retryable, .. } => NodeState::Failed { retryable: *retryable, since_unix_secs },
            // It was wanted all the time: its lease ran out, or its device lost it.
            WorkloadState::Stopped { .. } => NodeState::Failed { retryable: true, since_unix_secs },
            WorkloadState::Preparing { .. } | WorkloadState::Starting | WorkloadState::Stopping | WorkloadState::Unknown => {
                NodeState::Working
            }
        };
        if number == 0 && !matches!(this.state, NodeState::Failed { .. }) {
            this.head = workload.endpoints.as_ref().map(ionet_types::agent::RayEndpoints::head_address);
        }
        this
    }

    /// How often it was started anew.
    pub fn attempt(&self) -> u32 {
        self.reservation.map_or(0, |reservation| reservation.attempt)
    }
}

/// Something to do for a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Remember where the Ray head answers.
    Head(RayHeadAddress),
    /// Start a node anew on its device, from this attempt to the next. With the head all others begin anew: Ray's state was in it.
    Retry {
        /// Which node.
        node: u16,
        /// The attempt that is over.
        attempt: u32,
    },
    /// Give a node to another device, as this attempt; on its present device anew when no other is free and it may help. The head as above.
    Replace {
        /// Which node.
        node: u16,
        /// The attempt that begins.
        attempt: u32,
        /// Whether its present device may be tried again.
        or_retry: bool,
    },
    /// A node failed on its device: devices that fail are chosen last.
    Blame {
        /// Which node.
        node: u16,
    },
    /// A node of a running cluster is out since this moment on the chain's clock.
    OutageBegin {
        /// Which node.
        node: u16,
        /// Since when.
        from_unix_secs: i64,
    },
    /// A node works again.
    OutageEnd {
        /// Which node.
        node: u16,
    },
    /// The network has failed the cluster for good.
    Fail,
    /// All nodes work: the hired time begins.
    Start,
}

/// What is to be done for a cluster that is to run. `outages` holds the nodes that are out, and since when.
pub fn plan(
    row: &ClusterRow,
    book: &Booking,
    nodes: &[Node<'_>],
    outages: &BTreeMap<u16, i64>,
    payment_window_secs: i64,
    timing: &Timing,
    now: Now,
) -> Vec<Action> {
    let running = book.started_at_unix_secs != 0;
    // Before the start nothing is lost by moving a node.
    let lost_after_secs = if running { timing.lost_after_secs } else { timing.lost_after_secs.min(START_LOST_AFTER_SECS) };
    let mut actions = Vec::new();
    let mut overdue = false;
    for node in nodes {
        let out_since = outages.get(&node.number).copied();
        // Only of a node that does not work as far as the hub sees: one that works again has been out, and one that is not in sight may work.
        let out_for_too_long = out_since.is_some_and(|since| now.chain_unix_secs.saturating_sub(since) > timing.replace_within_secs);
        overdue |= match &node.state {
            NodeState::Ready => false,
            NodeState::Working | NodeState::Missing | NodeState::Failed { .. } => out_for_too_long,
            NodeState::Unknown { since_unix_secs } => {
                out_for_too_long && now.hub_unix_secs.saturating_sub(*since_unix_secs) > lost_after_secs
            }
        };
        match &node.state {
            NodeState::Ready => {
                if out_since.is_some() {
                    actions.push(Action::OutageEnd { node: node.number });
                }
                // It works on where it is until another device is found.
                if running && node.wanted_back {
                    actions.push(Action::Replace { node: node.number, attempt: node.attempt() + 1, or_retry: false });
                }
            }
            NodeState::Working => {
                // It ran and is on its way again.
                if running && out_since.is_none() {
                    actions.push(Action::OutageBegin { node: node.number, from_unix_secs: now.chain_unix_secs });
                }
            }
            NodeState::Missing => {
                actions.push(Action::Replace { node: node.number, attempt: 0, or_retry: false });
                if running && out_since.is_none() {
                    actions.push(Action::OutageBegin { node: node.number, from_unix_secs: now.chain_unix_secs });
                }
            }
            NodeState::Failed { retryable, since_unix_secs } => {
                if running && out_since.is_none() {
                    actions.push(Action::OutageBegin { node: node.number, from_unix_secs: now.chain_unix_secs });
                }
                if let Some(action) = restart(node, *retryable, *since_unix_secs, timing, now) {
                    actions.push(Action::Blame { node: node.number });
                    actions.push(action);
                }
            }
            NodeState::Unknown { since_unix_secs } => {
                let away_secs = now.hub_unix_secs.saturating_sub(*since_unix_secs);
                if away_secs > lost_after_secs {
                    actions.push(Action::Replace { node: node.number, attempt: node.attempt() + 1, or_retry: false });
                    if running && away_secs > lost_after_secs.saturating_add(timing.replace_within_secs) {
                        let from_unix_secs = now.chain_unix_secs.saturating_sub(away_secs).max(book.started_at_unix_secs);
                        actions.push(Action::OutageBegin { node: node.number, from_unix_secs });
                        overdue = true;
                    }
                }
            }
        }
    }
    if running && overdue {
        return vec![Action::Fail];
    }
    if !running {
        let paid_at = book.pay_by_unix_secs.saturating_sub(payment_window_secs);
        if now.chain_unix_secs.saturating_sub(paid_at) > timing.start_within_secs {
            return vec![Action::Fail];
        }
    }
    // A part of another cluster has no head of its own.
    if row.offer.part_of.is_none()
        && let Some(head) = nodes.first().and_then(|node| node.head.clone())
        && row.head.as_ref() != Some(&head)
    {
        actions.push(Action::Head(head));
    }
    if !running && !nodes.is_empty() && nodes.iter().all(|node| node.state == NodeState::Ready) {
        actions.push(Action::Start);
    }
    actions
}

/// How a failed node is brought back, if it is time.
fn restart(node: &Node<'_>, retryable: bool, since_unix_secs: i64, timing: &Timing, now: Now) -> Option<Action> {
    let attempt = node.attempt();
    let tried = attempt + 1;
    if retryable && !tried.is_multiple_of(timing.attempts_per_device.max(1)) {
        return Some(Action::Retry { node: node.number, attempt });
    }
    // From here on haste makes no sense: the same device has failed several times.
    let backoff_secs = if attempt < timing.attempts_per_device { 0 } else { (1_i64 << attempt.min(6)).min(MAX_BACKOFF_SECS) };
    let waited_secs = now.hub_unix_secs.saturating_sub(since_unix_secs);
    (waited_secs >= backoff_secs).then_some(Action::Replace { node: node.number, attempt: tried, or_retry: retryable })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#[path = "plan_tests.rs"]
mod tests;
