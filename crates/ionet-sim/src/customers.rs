//! The customers: they book and pay clusters, and now and then end one early. The real prices and steps of a booking; no wallet.

use std::collections::BTreeSet;

use ionet_rules::booking::{Booking, HardwareKind, Offer};
use ionet_rules::money::{Currency, MicroUsd, Units};
use ionet_rules::params::Params;
use ionet_store::{ClusterRow, NewCluster};
use ionet_types::hardware::HardwareModel;
use ionet_types::market::Requirements;
use ionet_types::{Address, ClusterId};

use crate::chain::Chain;
use crate::hub::{Hub, clock};
use crate::random::Random;
use crate::{Millis, unix_secs};

const RATE: u64 = 115_000;

/// Books and pays a cluster if there are devices for it. Returns whether.
pub(crate) fn book(hub: &mut Hub, chain: &mut Chain, now: Millis, random: &mut Random) -> bool {
    let at = unix_secs(now);
    let quantity = u32::try_from(random.between(1, 4)).unwrap_or(1);
    let minutes = u32::try_from(random.between(60, 150)).unwrap_or(60);
    let devices = hub.choose(quantity, &BTreeSet::new(), clock(now), random);
    let offer = Offer {
        currency: Currency::Usdc,
        hardware: HardwareKind::Cpu,
        quantity,
        minutes,
        rate: Units(RATE),
        rate_micro_usd: MicroUsd(RATE),
        valid_until_unix_secs: at + 60,
    };
    let Ok(mut book) = Booking::book(&offer, &Params::DEFAULT, at) else { return false };
    let paid = book.due().and_then(|due| book.pay(0, due, &Params::DEFAULT, at));
    if devices.is_empty() || paid.is_err() {
        return false;
    }
    let [high, low] = [random.next(), random.next()];
    let id = ClusterId(uuid::Uuid::from_u64_pair(high, low));
    let offer = NewCluster {
        id,
        customer: Address([1; 32]),
        name: None,
        hardware: HardwareModel::cpu(),
        kind: ionet_types::hardware::HardwareKind::Cpu,
        quantity,
        minutes,
        currency: ionet_types::Currency::Usdc,
        rate: RATE,
        rate_micro_usd: RATE,
        valid_until_unix_secs: at + 60,
        token: String::new(),
        created_at_unix_secs: at,
        requirements: Requirements::default(),
        part_of: None,
    };
    let row = ClusterRow { offer, head: None, landed: true, terminate_at_unix_secs: None, failed_at_unix_secs: None, settled: false };
    hub.disk.clusters.insert(id, row);
    for (device, node) in devices.into_iter().zip(0..) {
        hub.reserve(id, node, device, 0, now);
    }
    chain.bookings.insert(id, book);
    true
}

/// Ends a running cluster before its time.
pub(crate) fn end_one(hub: &mut Hub, now: Millis, random: &mut Random) {
    let open: Vec<ClusterId> = hub.disk.clusters.iter().filter(|(_, row)| !row.settled).map(|(id, _)| *id).collect();
    if open.is_empty() {
        return;
    }
    let chosen = open[random.place(open.len())];
    if let Some(row) = hub.disk.clusters.get_mut(&chosen) {
        row.terminate_at_unix_secs.get_or_insert(unix_secs(now));
    }
}
