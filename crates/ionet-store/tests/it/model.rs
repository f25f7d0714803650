//! What is written is read back, also after a restart; migrations can be repeated.

use ionet_store::{Cursor, Reported, Store, Taking};
use ionet_types::agent::Declared;
use ionet_types::market::Location;
use ionet_types::transactions::{Record, RecordBody, RecordFilter, RecordKind};
use ionet_types::{Address, MicroUsd, Money, TransactionSignature};

use crate::{cluster, device, hardware, store};

#[tokio::test]
async fn everything_survives_a_restart() {
    let test = store().await;
    let new = cluster(1, 1);
    let owner = Address([4; 32]);
    let first = Reported {
        label: Some("rack 1"),
        hardware: &hardware(),
        location: &Location::UNKNOWN,
        agent_version: "0.1.0",
        declared: Declared::default(),
    };
    let declared = Declared { owner: Some(owner), running_for_secs: Some(7) };
    let second = Reported { label: None, agent_version: "0.1.1", declared, ..first };
    test.store.device_connected(device(1), &first, 10).await.unwrap();
    test.store.device_connected(device(2), &first, 10).await.unwrap();
    test.store.device_connected(device(1), &second, 20).await.unwrap();
    test.store.device_seen(device(1), 15).await.unwrap();
    test.store.cluster_reserve(&new, &[Taking::whole(device(1))], 30).await.unwrap();
    test.store.cluster_terminate(new.id, 40).await.unwrap();
    test.store.cluster_terminate(new.id, 50).await.unwrap();
    test.store.outage_begin(new.id, 0, 31).await.unwrap();
    test.store.outage_begin(new.id, 0, 33).await.unwrap();
    test.store.outage_end(new.id, 0, 35).await.unwrap();
    test.store.close().await;

    let path = test.dir.path().join("hub.db");
    let store = Store::open(&path).await.unwrap();
    let device = store.device(device(1)).await.unwrap().unwrap();
    assert_eq!((device.registered_at_unix_secs, device.last_seen_unix_secs), (10, 20));
    assert_eq!((device.agent_version.as_str(), device.label, device.hardware), ("0.1.1", None, hardware()));
    assert_eq!((device.owner, device.running_since_unix_secs), (Some(owner), Some(13)));
    let fleet = store.devices_of_owner(owner, None, 10).await.unwrap();
    assert_eq!(fleet.iter().map(|row| row.id).collect::<Vec<_>>(), [device.id]);
    let row = store.cluster(new.id).await.unwrap().unwrap();
    assert!(row.offer == new);
    assert_eq!((row.landed, row.settled, row.terminate_at_unix_secs), (false, false, Some(40)));
    let outages = store.outages(new.id).await.unwrap();
    assert_eq!(outages.iter().map(|o| (o.node, o.from_unix_secs, o.to_unix_secs)).collect::<Vec<_>>(), [(0, 31, Some(35))]);
    assert_eq!(store.clusters_of(new.customer, None, 10).await.unwrap().len(), 1);
    assert_eq!(store.clusters_of(new.customer, Some(new.id), 10).await.unwrap().len(), 0);
    assert_eq!(store.clusters_of(Address([9; 32]), None, 10).await.unwrap().len(), 0);
    store.cluster_settled(new.id).await.unwrap();
    assert_eq!(store.clusters_open().await.unwrap().len(), 0);
}

fn worked(cluster: &ionet_store::NewCluster, number: u32, at_unix_secs: i64, value: u64) -> Record {
    Record {
        signature: TransactionSignature([number as u8 + 1; 64]),
        slot: u64::from(number),
        at_unix_secs,
        cluster_id: cluster.id,
        record: number,
        currency: cluster.currency,
        status: ionet_types::clusters::ClusterStatus::Running,
        body: RecordBody::Worked {
            device_minutes: 60,
            value: Money::usdc(value),
            value_micro_usd: MicroUsd(value),
            value_io: Money::io(value * 100),
            supplier: Money::usdc(value / 2),
            rest: Money::usdc(value - value / 2),
            dust: Money::usdc(0),
            sequence: number,
            end_reason: None,
        },
    }
}

#[tokio::test]
async fn records_count_once() {
    let test = store().await;
    let new = cluster(1, 1);
    let booked = Record {
        body: RecordBody::BookProduct {
            customer: new.customer,
            hardware: new.kind,
            quantity: 1,
            minutes: 60,
            rate: Money::usdc(115_000),
            rate_micro_usd: MicroUsd(115_000),
            cost: Money::usdc(115_000),
            fees: Money::usdc(2_588),
            total: Money::usdc(117_588),
        },
        ..worked(&new, 0, 86_400, 0)
    };
    let pay = Record {
        body: RecordBody::Pay { amount: Money::usdc(1), paid: Money::usdc(1), total: Money::usdc(117_588), sequence: 0 },
        ..worked(&new, 1, 86_401, 0)
    };
    let records = [booked, pay, worked(&new, 2, 86_399 + 86_400, 5), worked(&new, 3, 2 * 86_400, 7)];
    let cursor = Cursor { signature: TransactionSignature([9; 64]), slot: 9 };
    test.store.records_insert(&records[..3], Some(cursor)).await.unwrap();
    test.store.records_insert(&records, None).await.unwrap();
    assert_eq!(test.store.records_cursor().await.unwrap(), Some(cursor));
    assert_eq!(test.store.records_of_cluster(new.id).await.unwrap(), records);
    let days = test.store.work_days().await.unwrap();
    let days: Vec<_> = days.iter().map(|day| (day.day_unix_secs, day.value_micro_usd, day.device_minutes)).collect();
    assert_eq!(days, [(86_400, 5, 60), (172_800, 7, 60)]);
    let filter = RecordFilter { kind: Some(RecordKind::Worked), cluster_id: Some(new.id) };
    let page = test.store.records(&filter, None, 1).await.unwrap();
    assert_eq!(page[0].1, records[3]);
    let page = test.store.records(&filter, Some(page[0].0), 10).await.unwrap();
    assert_eq!(page.iter().map(|(_, record)| record.record).collect::<Vec<_>>(), [2]);
    assert_eq!(test.store.records_of_customer(new.customer, None, 10).await.unwrap().len(), 1);
    assert_eq!(test.store.records_of_transaction(records[1].signature).await.unwrap(), [records[1].clone()]);
    test.store.records_drop().await.unwrap();
    assert_eq!(test.store.records_cursor().await.unwrap(), None);
    assert_eq!(test.store.records_of_cluster(new.id).await.unwrap(), []);
}
