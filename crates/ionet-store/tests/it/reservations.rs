//! A device is never reserved twice.

use ionet_store::{Reserved, Store, Taking};
use ionet_types::{Address, DeviceId};

use crate::{cluster, device, store};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_want_the_same_devices_one_gets_them() {
    let test = store().await;
    // A second handle on the same file stands for a second process.
    let other = Store::open(&test.dir.path().join("hub.db")).await.unwrap();
    let tasks: Vec<_> = (0..32_u8)
        .map(|number| {
            let store = if number % 2 == 0 { test.store.clone() } else { other.clone() };
            // Each wants two of three devices: any two of them overlap.
            let devices = [device(number % 3), device((number + 1) % 3)].map(Taking::whole);
            tokio::spawn(async move { store.cluster_reserve(&cluster(number, 2), &devices, 1_000).await.unwrap() })
        })
        .collect();
    let mut won = 0;
    for task in tasks {
        won += u32::from(task.await.unwrap() == Reserved::All);
    }
    assert_eq!(won, 1);
    let reservations = test.store.reservations().await.unwrap();
    assert_eq!(reservations.len(), 2);
    assert_eq!(test.store.clusters_open().await.unwrap().len(), 1, "who got no device left nothing behind");
}

#[tokio::test]
async fn a_released_device_is_free_once_it_is_clear() {
    let test = store().await;
    let (first, second) = (cluster(1, 1), cluster(2, 1));
    assert_eq!(test.store.cluster_reserve(&first, &[Taking::whole(device(7))], 1_000).await.unwrap(), Reserved::All);
    test.store.device_freed(device(7), first.id, 0).await.unwrap();
    assert_eq!(test.store.cluster_reserve(&second, &[Taking::whole(device(7))], 1_000).await.unwrap(), Reserved::Taken, "not let go yet");
    test.store.cluster_release(first.id).await.unwrap();
    assert_eq!(test.store.cluster_reserve(&second, &[Taking::whole(device(7))], 1_000).await.unwrap(), Reserved::Taken, "not clear yet");
    test.store.device_freed(device(7), first.id, 0).await.unwrap();
    assert_eq!(test.store.cluster_reserve(&second, &[Taking::whole(device(7))], 1_000).await.unwrap(), Reserved::All);
}

#[tokio::test]
async fn a_node_moves_to_another_device_or_stays() {
    let test = store().await;
    let (first, second) = (cluster(1, 2), cluster(2, 1));
    test.store.cluster_reserve(&first, &[device(1), device(2)].map(Taking::whole), 1_000).await.unwrap();
    test.store.cluster_reserve(&second, &[Taking::whole(device(3))], 1_000).await.unwrap();
    assert_eq!(test.store.node_replace(first.id, 1, &Taking::whole(device(3)), 1, 1_000).await.unwrap(), Reserved::Taken);
    let nodes = async || test.store.reservations_of(first.id).await.unwrap().iter().map(|r| r.device_id).collect::<Vec<_>>();
    assert_eq!(nodes().await, [device(1), device(2)]);
    assert_eq!(test.store.node_replace(first.id, 1, &Taking::whole(device(4)), 1, 1_000).await.unwrap(), Reserved::All);
    assert_eq!(nodes().await, [device(1), device(4)]);
    let old = test.store.reservations_on(device(2)).await.unwrap()[0];
    assert!(old.releasing);
    test.store.node_retry(first.id, 1, 1).await.unwrap();
    test.store.node_retry(first.id, 1, 1).await.unwrap();
    assert_eq!(test.store.reservations_of(first.id).await.unwrap()[1].attempt, 2);
}

#[tokio::test]
async fn a_cluster_that_never_landed_is_forgotten_with_its_devices() {
    let test = store().await;
    let (never, landed) = (cluster(1, 1), cluster(1, 1));
    test.store.cluster_reserve(&never, &[Taking::whole(device(1))], 1_000).await.unwrap();
    test.store.cluster_reserve(&landed, &[Taking::whole(device(2))], 1_000).await.unwrap();
    test.store.cluster_landed(landed.id).await.unwrap();
    assert_eq!(test.store.clusters_prepared(never.customer).await.unwrap(), 1);
    for id in [never.id, landed.id] {
        test.store.cluster_forget(id).await.unwrap();
    }
    assert!(test.store.cluster(never.id).await.unwrap().is_none());
    assert!(!test.store.is_reserved(device(1)).await.unwrap());
    assert!(test.store.cluster(landed.id).await.unwrap().is_some_and(|row| row.landed));
    assert!(test.store.is_reserved(device(2)).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn callers_that_go_away_leave_no_transaction_open() {
    let test = store().await;
    let other = Store::open(&test.dir.path().join("hub.db")).await.unwrap();
    for number in 0..300_u32 {
        let new = cluster(1, 1);
        let devices = [Taking::whole(DeviceId([7; 32]))];
        let work = async {
            let _ = test.store.cluster_reserve(&new, &devices, 1_000).await;
            let _ = test.store.cluster_forget(new.id).await;
        };
        // Each caller goes a little further before it goes away.
        let _ = tokio::time::timeout(std::time::Duration::from_micros(u64::from(number) * 10), work).await;
    }
    test.store.cluster_insert(&cluster(2, 1), false).await.unwrap();
    // Another process sees it, so it was committed, and can write, so no lock is held.
    let rows = other.clusters_of(Address([2; 32]), None, 10).await.unwrap();
    assert_eq!(rows.len(), 1);
    other.cluster_insert(&cluster(3, 1), false).await.unwrap();
}
