//! Presences and watches survive a hub that is killed, and assignments stay.

use ionet_store::{EpochRow, Presence, Store, Taking, Watch};

use crate::{cluster, device, store};

#[tokio::test]
async fn what_a_killed_hub_left_open_ended_when_it_was_last_there() {
    let test = store().await;
    let watch = test.store.watch_begin(1_000).await.unwrap();
    let first = test.store.presence_begin(device(1), 1_005, Some(900)).await.unwrap();
    test.store.presence_begin(device(2), 1_010, None).await.unwrap();
    test.store.watch_extend(watch, 1_100).await.unwrap();
    test.store.presence_end(first, 1_050).await.unwrap();
    // Killed here, and back.
    let again = Store::open(&test.dir.path().join("hub.db")).await.unwrap();
    again.watch_begin(5_000).await.unwrap();
    again.presence_begin(device(2), 5_003, Some(1_000)).await.unwrap();
    assert_eq!(
        again.watches(0).await.unwrap(),
        [Watch { from_unix_secs: 1_000, to_unix_secs: 1_100 }, Watch { from_unix_secs: 5_000, to_unix_secs: 5_000 }]
    );
    assert_eq!(again.watches(4_000).await.unwrap().len(), 2, "the watch before is needed to see the absence");
    let presences = again.presences(0).await.unwrap();
    assert_eq!(presences[&device(1)], [Presence { from_unix_secs: 1_005, to_unix_secs: Some(1_050), running_since_unix_secs: Some(900) }]);
    assert_eq!(
        presences[&device(2)],
        [
            Presence { from_unix_secs: 1_010, to_unix_secs: Some(1_100), running_since_unix_secs: None },
            Presence { from_unix_secs: 5_003, to_unix_secs: None, running_since_unix_secs: Some(1_000) }
        ]
    );
    again.presences_prune(2_000).await.unwrap();
    assert_eq!(again.presences(0).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_connection_ends_the_old_one_and_a_late_end_changes_nothing() {
    let test = store().await;
    let old = test.store.presence_begin(device(1), 1_000, None).await.unwrap();
    let new = test.store.presence_begin(device(1), 1_000, None).await.unwrap();
    test.store.presence_end(old, 1_500).await.unwrap();
    let presences = test.store.presences(0).await.unwrap();
    assert_eq!(presences[&device(1)].iter().map(|presence| presence.to_unix_secs).collect::<Vec<_>>(), [Some(1_000), None]);
    test.store.presence_end(new, 1_600).await.unwrap();
    assert_eq!(test.store.presences(0).await.unwrap()[&device(1)][1].to_unix_secs, Some(1_600));
}

#[tokio::test]
async fn assignments_tell_who_did_the_work_after_the_devices_were_let_go() {
    let test = store().await;
    let cluster = cluster(1, 2);
    test.store.cluster_reserve(&cluster, &[device(1), device(2)].map(Taking::whole), 1_000).await.unwrap();
    test.store.node_replace(cluster.id, 1, &Taking::whole(device(3)), 1, 2_000).await.unwrap();
    test.store.cluster_release(cluster.id).await.unwrap();
    for (number, node) in [(1, 0), (2, 1), (3, 1)] {
        test.store.device_freed(device(number), cluster.id, node).await.unwrap();
    }
    let assignments = test.store.assignments(cluster.id).await.unwrap();
    let told: Vec<_> = assignments.iter().map(|one| (one.node, one.device_id, one.from_unix_secs, one.to_unix_secs)).collect();
    assert_eq!(told, [(0, device(1), 1_000, None), (1, device(2), 1_000, Some(2_000)), (1, device(3), 2_000, None)]);
}

#[tokio::test]
async fn an_epoch_is_remembered_as_it_was_first() {
    let test = store().await;
    test.store.epoch_start_insert(1, 100, &["first"]).await.unwrap();
    test.store.epoch_start_insert(1, 200, &["second"]).await.unwrap();
    let start = test.store.epoch_start::<Vec<String>>(1).await.unwrap().unwrap();
    assert_eq!((start.taken_at_unix_secs, start.devices), (100, vec!["first".to_owned()]));
    assert_eq!(test.store.epoch_last::<String, String>().await.unwrap(), None);
    for (epoch, statement) in [(1, "a"), (2, "b"), (2, "c")] {
        let row = EpochRow { epoch, closed_at_unix_secs: 5, statement, summary: "s" };
        test.store.epoch_insert(&row).await.unwrap();
    }
    assert_eq!(test.store.epoch_last::<String, String>().await.unwrap().unwrap().statement, "b");
    assert_eq!(test.store.epochs::<String, String>(Some(2), 10).await.unwrap().len(), 1);
    assert_eq!(test.store.epoch::<String, String>(3).await.unwrap(), None);
}
