//! The plan's promises, for any mix of node states.

use std::collections::BTreeMap;

use ionet_rules::booking::{Booking, HardwareKind, Offer};
use ionet_rules::money::{Currency, MicroUsd, Units};
use ionet_rules::params::Params;
use ionet_store::{ClusterRow, NewCluster, Reservation};
use ionet_types::hardware::HardwareModel;
use ionet_types::market::Requirements;
use ionet_types::{Address, ClusterId, DeviceId};
use proptest::prelude::*;

use super::*;

const BOOKED: i64 = 1_000_000;

fn book(running: bool) -> Booking {
    let offer = Offer {
        currency: Currency::Usdc,
        hardware: HardwareKind::Cpu,
        quantity: 3,
        minutes: 600,
        rate: Units(115_000),
        rate_micro_usd: MicroUsd(115_000),
        valid_until_unix_secs: BOOKED,
    };
    let mut book = Booking::book(&offer, &Params::DEFAULT, BOOKED).unwrap();
    book.pay(0, book.due().unwrap(), &Params::DEFAULT, BOOKED).unwrap();
    if running {
        book.start(BOOKED + 60).unwrap();
    }
    book
}

fn row() -> ClusterRow {
    let offer = NewCluster {
        id: ClusterId::from_bytes([1; 16]),
        customer: Address([1; 32]),
        name: None,
        hardware: HardwareModel::cpu(),
        kind: ionet_types::hardware::HardwareKind::Cpu,
        quantity: 3,
        minutes: 600,
        currency: ionet_types::Currency::Usdc,
        rate: 115_000,
        rate_micro_usd: 115_000,
        valid_until_unix_secs: BOOKED,
        token: String::new(),
        created_at_unix_secs: BOOKED,
        requirements: Requirements::default(),
        part_of: None,
    };
    ClusterRow { offer, head: None, landed: true, terminate_at_unix_secs: None, failed_at_unix_secs: None, settled: false }
}

fn reservation(node: u16, attempt: u32) -> Reservation {
    Reservation {
        device_id: DeviceId([node as u8; 32]),
        cluster_id: ClusterId::from_bytes([1; 16]),
        node,
        attempt,
        reserved_at_unix_secs: BOOKED,
        releasing: false,
        share: None,
    }
}

fn state(now: i64) -> impl Strategy<Value = NodeState> {
    prop_oneof![
        Just(NodeState::Missing),
        Just(NodeState::Ready),
        Just(NodeState::Working),
        (any::<bool>(), 0_i64..200).prop_map(move |(retryable, ago)| NodeState::Failed { retryable, since_unix_secs: now - ago }),
        (0_i64..5_000).prop_map(move |ago| NodeState::Unknown { since_unix_secs: now - ago }),
    ]
}

proptest! {
    #[test]
    fn tenants_are_left_alone_and_time_starts_when_all_is_ready(
        running: bool,
        states in prop::collection::vec((state(BOOKED + 600), 0_u32..8), 3),
        out in prop::collection::btree_map(0_u16..3, 0_i64..2_000, 0..3),
    ) {
        let now = Now { chain_unix_secs: BOOKED + 600, hub_unix_secs: BOOKED + 600 };
        let timing = Timing::default();
        let reservations: Vec<_> = states.iter().zip(0..).map(|((_, attempt), node)| reservation(node, *attempt)).collect();
        let nodes: Vec<_> = states
            .iter()
            .zip(&reservations)
            .map(|((state, _), reservation)| Node {
                number: reservation.node,
                reservation: (*state != NodeState::Missing).then_some(reservation),
                state: state.clone(),
                wanted_back: false,
                head: None,
            })
            .collect();
        let outages: BTreeMap<_, _> = out.into_iter().filter(|_| running).map(|(node, ago)| (node, now.chain_unix_secs - ago)).collect();
        let actions = plan(&row(), &book(running), &nodes, &outages, 1_200, &timing, now);
        for action in &actions {
            match action {
                Action::Retry { node, attempt } => {
                    let is_failed = matches!(nodes[usize::from(*node)].state, NodeState::Failed { retryable: true, .. });
                    prop_assert!(is_failed);
                    prop_assert_eq!(*attempt, nodes[usize::from(*node)].attempt());
                }
                Action::Replace { node, attempt, .. } => match &nodes[usize::from(*node)].state {
                    NodeState::Missing => prop_assert_eq!(*attempt, 0),
                    NodeState::Failed { .. } => prop_assert_eq!(*attempt, nodes[usize::from(*node)].attempt() + 1),
                    NodeState::Unknown { since_unix_secs } => {
                        let patience_secs = if running { timing.lost_after_secs } else { START_LOST_AFTER_SECS };
                        prop_assert!(now.hub_unix_secs - since_unix_secs > patience_secs, "a short absence moves nobody");
                    }
                    NodeState::Ready | NodeState::Working => prop_assert!(false, "{action:?}"),
                },
                Action::OutageBegin { node, .. } => prop_assert!(running && nodes[usize::from(*node)].state != NodeState::Ready),
                Action::OutageEnd { node } => prop_assert_eq!(&nodes[usize::from(*node)].state, &NodeState::Ready),
                Action::Start => prop_assert!(!running && nodes.iter().all(|node| node.state == NodeState::Ready)),
                Action::Fail => prop_assert!(running && actions.len() == 1, "in its first ten minutes a paid cluster has not failed"),
                Action::Blame { .. } | Action::Head(_) => {}
            }
        }
        let starts = actions.contains(&Action::Start);
        prop_assert_eq!(starts, !running && nodes.iter().all(|node| node.state == NodeState::Ready));
    }
}

#[test]
fn a_paid_cluster_that_does_not_start_has_failed() {
    let timing = Timing::default();
    let reservations = [reservation(0, 0)];
    let nodes = [Node { number: 0, reservation: Some(&reservations[0]), state: NodeState::Working, wanted_back: false, head: None }];
    let at = |secs| Now { chain_unix_secs: BOOKED + secs, hub_unix_secs: BOOKED + secs };
    let planned = |secs| plan(&row(), &book(false), &nodes, &BTreeMap::new(), 1_200, &timing, at(secs));
    assert_eq!(planned(timing.start_within_secs), []);
    assert_eq!(planned(timing.start_within_secs + 1), [Action::Fail]);
}

/// An outage that the hub could not see the end of, because it was away itself, does not fail a cluster that works.
#[test]
fn a_node_that_works_again_has_only_been_out() {
    let timing = Timing::default();
    let late = timing.replace_within_secs + 100;
    let now = Now { chain_unix_secs: BOOKED + 60 + late, hub_unix_secs: BOOKED + 60 + late };
    let outages = BTreeMap::from([(0, BOOKED + 60)]);
    let reservations = [reservation(0, 0)];
    let planned = |state: NodeState| {
        let nodes = [Node { number: 0, reservation: Some(&reservations[0]), state, wanted_back: false, head: None }];
        plan(&row(), &book(true), &nodes, &outages, 1_200, &timing, now)
    };
    let away = |secs| NodeState::Unknown { since_unix_secs: now.hub_unix_secs - secs };
    assert_eq!(planned(NodeState::Ready), [Action::OutageEnd { node: 0 }]);
    assert_eq!(planned(away(1)), []);
    assert_eq!(planned(away(timing.lost_after_secs + 1)), [Action::Fail]);
    assert_eq!(planned(NodeState::Working), [Action::Fail]);
}

/// A device that its owner takes back works on until another is found, and only a lease that allows it lets it go.
#[test]
fn a_node_that_is_wanted_back_moves_while_it_works() {
    let timing = Timing::default();
    let now = Now { chain_unix_secs: BOOKED + 600, hub_unix_secs: BOOKED + 600 };
    let reservations = [reservation(0, 2)];
    let planned = |running, wanted_back| {
        let nodes = [Node { number: 0, reservation: Some(&reservations[0]), state: NodeState::Ready, wanted_back, head: None }];
        plan(&row(), &book(running), &nodes, &BTreeMap::new(), 1_200, &timing, now)
    };
    assert_eq!(planned(true, true), [Action::Replace { node: 0, attempt: 3, or_retry: false }]);
    assert_eq!(planned(true, false), []);
    assert_eq!(planned(false, true), [Action::Start]);
}

#[test]
fn what_devices_are_for() {
    let now = |secs| Now { chain_unix_secs: BOOKED + secs, hub_unix_secs: 0 };
    let (mut row, paid, running) = (row(), book(false), book(true));
    assert_eq!(purpose(&row, Status::Booked, &paid, now(0)), Purpose::Wait);
    assert_eq!(purpose(&row, Status::Paid, &paid, now(0)), Purpose::Run);
    assert_eq!(purpose(&row, Status::Running, &running, now(60 + 36_000 - 1)), Purpose::Run);
    assert_eq!(purpose(&row, Status::Running, &running, now(60 + 36_000)), Purpose::Release);
    assert_eq!(purpose(&row, Status::Expired, &paid, now(0)), Purpose::Release);
    row.terminate_at_unix_secs = Some(BOOKED);
    assert_eq!(purpose(&row, Status::Paid, &paid, now(0)), Purpose::Release);
    assert_eq!(purpose(&row, Status::Running, &running, now(70)), Purpose::Release);
}
