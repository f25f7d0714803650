//! A cluster as its customer sees it: what is wanted (store), its money (chain), how its nodes are (agents).

use ionet_ledger::BookingView;
use ionet_market::quote::OFFER_VALID_SECS;
use ionet_rules::booking::{Booking, Offer};
use ionet_rules::money::{MicroUsd as RuleMicroUsd, Units};
use ionet_rules::params::Params;
use ionet_store::{ClusterRow, NewCluster, Reservation};
use ionet_types::agent::{ObservedWorkload, WorkloadKey, WorkloadState};
use ionet_types::clusters::{Cluster, ClusterNode, ClusterStatus, NodePhase};
use ionet_types::{MicroUsd, Money};

use crate::agents::Seen;
use crate::error::HubResult;

/// The offer that a cluster was prepared with.
pub(crate) fn offer(new: &NewCluster) -> Offer {
    Offer {
        currency: new.currency.rules(),
        hardware: new.kind.rules(),
        quantity: new.quantity,
        minutes: new.minutes,
        rate: Units(new.rate),
        rate_micro_usd: RuleMicroUsd(new.rate_micro_usd),
        valid_until_unix_secs: new.valid_until_unix_secs,
    }
}

/// A cluster whose booking has not landed: its terms, and no money yet.
pub(crate) fn prepared(new: &NewCluster, params: &Params, nodes: Vec<ClusterNode>) -> HubResult<Cluster> {
    let book = Booking::book(&offer(new), params, new.valid_until_unix_secs - OFFER_VALID_SECS)?;
    let mut cluster = of_book(new, &book, ClusterStatus::Prepared, nodes)?;
    cluster.booked_at_unix_secs = None;
    cluster.pay_by_unix_secs = Some(new.valid_until_unix_secs);
    Ok(cluster)
}

/// A cluster with its booking.
pub(crate) fn booked(row: &ClusterRow, booking: &BookingView, nodes: Vec<ClusterNode>) -> HubResult<Cluster> {
    let mut cluster = of_book(&row.offer, &booking.book, booking.status.into(), nodes)?;
    cluster.terminating = row.terminate_at_unix_secs.is_some() && booking.end_reason.is_none();
    cluster.end_reason = booking.end_reason.map(Into::into);
    Ok(cluster)
}

fn of_book(new: &NewCluster, book: &Booking, status: ClusterStatus, nodes: Vec<ClusterNode>) -> HubResult<Cluster> {
    let money = |units: Units| Money::new(new.currency, units.0);
    let moment = |unix_secs: i64| (unix_secs != 0).then_some(unix_secs);
    let unpaid = matches!(status, ClusterStatus::Booked | ClusterStatus::PartiallyPaid);
    Ok(Cluster {
        id: new.id,
        name: new.name.clone(),
        customer: new.customer,
        status,
        hardware: new.hardware.clone(),
        kind: new.kind,
        quantity: book.quantity,
        minutes_hired: book.minutes_hired,
        currency: new.currency,
        rate: money(book.rate),
        rate_micro_usd: MicroUsd(book.rate_micro_usd.0),
        cost: money(book.cost),
        fees: money(book.fees),
        total: money(book.total()?),
        paid: money(book.paid),
        due: money(book.due()?),
        worked: money(book.worked),
        device_minutes_worked: book.device_minutes_worked,
        refunded: money(book.refunded),
        escrow: money(book.escrow()?),
        created_at_unix_secs: new.created_at_unix_secs,
        booked_at_unix_secs: moment(book.booked_at_unix_secs),
        pay_by_unix_secs: unpaid.then_some(book.pay_by_unix_secs),
        started_at_unix_secs: moment(book.started_at_unix_secs),
        hired_until_unix_secs: book.hired_until_unix_secs(),
        ended_at_unix_secs: moment(book.ended_at_unix_secs),
        end_reason: None,
        terminating: false,
        settled: book.is_settled(),
        requirements: new.requirements.clone(),
        part_of: new.part_of,
        parts: Vec::new(),
        nodes,
        ray_path: format!("/v1/clusters/{}/ray", new.id),
    })
}

/// A node, from its reservation and what its device last said.
pub(crate) fn node(reservation: &Reservation, seen: Option<&Seen>) -> ClusterNode {
    let key = WorkloadKey { cluster_id: reservation.cluster_id.0, node: reservation.node };
    let workload = seen.and_then(|seen| seen.workload(key));
    let mut node = ClusterNode {
        node: reservation.node,
        device: reservation.device_id,
        phase: NodePhase::Reserved,
        percent: None,
        detail: None,
        ray_version: None,
    };
    match (seen, workload) {
        (None, _) => node.phase = NodePhase::Unknown,
        (Some(_), None) => {}
        (Some(_), Some(workload)) => describe(&mut node, workload),
    }
    node
}

fn describe(node: &mut ClusterNode, workload: &ObservedWorkload) {
    node.ray_version.clone_from(&workload.ray_version);
    node.phase = match &workload.state {
        WorkloadState::Preparing { percent, detail } => {
            node.percent = Some(*percent);
            node.detail = Some(detail.clone());
            NodePhase::Preparing
        }
        WorkloadState::Starting => NodePhase::Starting,
        WorkloadState::Ready => NodePhase::Ready,
        WorkloadState::Failed { message, .. } => {
            node.detail = Some(message.clone());
            NodePhase::Failed
        }
        WorkloadState::Stopping => NodePhase::Stopping,
        WorkloadState::Stopped { .. } => NodePhase::Stopped,
        WorkloadState::Unknown => NodePhase::Unknown,
    };
}
