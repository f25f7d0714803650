//! Nodes that fail, devices that vanish, customers that compete.

use std::collections::BTreeSet;

use ionet_types::Currency;
use ionet_types::clusters::{ClusterStatus, EndReason, NodePhase};
use ionet_types::devices::{DeviceConnection, DeviceUse};

use crate::world::{Customer, World, kinds, wait_for};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_customers_each_device_serves_one() {
    let world = World::open().await;
    let _agents = world.agents(6).await;
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let customer = world.customer().await;
        tasks.push(tokio::spawn(async move {
            let booked = customer.hub.cluster_book(&customer.caller, &Customer::terms(2, 60, Currency::Usdc), None).await;
            booked.map(|booked| booked.cluster.nodes.iter().map(|node| node.device).collect::<Vec<_>>())
        }));
    }
    let mut devices = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(hired) => devices.extend(hired),
            Err(error) => assert_eq!(error.code(), "capacity_insufficient"),
        }
    }
    assert_eq!(devices.len(), 6, "all devices are hired");
    assert_eq!(devices.iter().collect::<BTreeSet<_>>().len(), 6, "each once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_fails_is_started_anew_and_then_moved() {
    let world = World::open().await;
    let agents = world.agents(3).await;
    let customer = world.customer().await;
    for agent in &agents {
        agent.change(|device| device.mood.failures = 1);
    }
    let cluster = customer.running(2, 60, Currency::Usdc).await;
    let worker = |cluster: &ionet_types::clusters::Cluster| cluster.nodes[1].device;
    let failing = agents.iter().find(|agent| agent.id() == worker(&cluster)).unwrap();
    // It will not come back on its device.
    failing.change(|device| device.mood.failures = 100);
    failing.fail_nodes(true);
    let moved = wait_for("the node to move", async || {
        let now = customer.show(cluster.id).await;
        (worker(&now) != failing.id() && now.nodes.iter().all(|node| node.phase == NodePhase::Ready)).then_some(now)
    })
    .await;
    assert_eq!(moved.status, ClusterStatus::Running);
    assert_eq!(moved.nodes[0].device, cluster.nodes[0].device, "the head stays");
    wait_for("the old device to be free", async || {
        (world.hub.device_show(failing.id()).await.unwrap().usage == DeviceUse::Free).then_some(())
    })
    .await;
    world.advance_secs(3_600).await;
    customer.settles(cluster.id).await;
    assert!(customer.receipt(cluster.id).await.balance.ok);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_the_head_fails_the_whole_ray_starts_anew() {
    let world = World::open().await;
    let agents = world.agents(2).await;
    let customer = world.customer().await;
    let cluster = customer.running(2, 60, Currency::Usdc).await;
    let head = agents.iter().find(|agent| agent.id() == cluster.nodes[0].device).unwrap();
    let worker = agents.iter().find(|agent| agent.id() == cluster.nodes[1].device).unwrap();
    let started = worker.count(|device| device.started);
    head.fail_nodes(true);
    wait_for("the worker to join the new head", async || (worker.count(|device| device.started) > started).then_some(())).await;
    wait_for("all nodes", async || customer.show(cluster.id).await.nodes.iter().all(|node| node.phase == NodePhase::Ready).then_some(()))
        .await;
    assert_eq!(customer.show(cluster.id).await.status, ClusterStatus::Running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_is_away_keeps_its_tenant() {
    let world = World::open().await;
    let mut agents = world.agents(2).await;
    let customer = world.customer().await;
    let cluster = customer.running(1, 120, Currency::Usdc).await;
    let place = agents.iter().position(|agent| agent.id() == cluster.nodes[0].device).unwrap();
    let lease = agents[place].count(|device| device.desired.workloads[0].lease_until_unix_secs);
    assert!(lease >= world.clock.now_unix_secs() + 120 * 60, "the lease covers the hired time");
    agents[place].disconnect().await;
    wait_for("the node to be unknown", async || (customer.show(cluster.id).await.nodes[0].phase == NodePhase::Unknown).then_some(())).await;
    let id = agents[place].id();
    assert_eq!(world.hub.device_show(id).await.unwrap().connection, DeviceConnection::Unknown);
    world.advance_secs(300).await;
    let away = customer.show(cluster.id).await;
    assert_eq!((away.status, away.nodes[0].device), (ClusterStatus::Running, id));
    // The hub itself stands still for longer than it has patience with a device: that is no absence of the device's.
    world.jump_secs(700).await;
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let away = customer.show(cluster.id).await;
    assert_eq!((away.status, away.nodes[0].device), (ClusterStatus::Running, id));
    let hub = world.hub.clone();
    agents[place].connect(&hub).await;
    wait_for("the node to be back", async || (customer.show(cluster.id).await.nodes[0].phase == NodePhase::Ready).then_some(())).await;
    assert_eq!(agents[place].count(|device| (device.started, device.stopped)), (1, 0));
    // Away for too long, it is replaced.
    agents[place].disconnect().await;
    world.advance_secs(700).await;
    wait_for("the replacement", async || {
        let now = customer.show(cluster.id).await;
        (now.nodes[0].device != id && now.nodes[0].phase == NodePhase::Ready).then_some(())
    })
    .await;
    agents[place].connect(&hub).await;
    wait_for("the old node to stop", async || agents[place].count(|device| device.running.is_empty()).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_network_fails_to_deliver_goes_back() {
    let world = World::open().await;
    let agents = world.agents(1).await;
    let customer = world.customer().await;
    let before = customer.balance(&world.ledger, Currency::Usdc).await;

    // It never starts: everything goes back, fees included.
    agents[0].change(|device| device.mood.slow = true);
    let id = customer.book(1, 60, Currency::Usdc).await;
    customer.pay(id, None).await.unwrap();
    wait_for("the node", async || agents[0].count(|device| !device.running.is_empty()).then_some(())).await;
    world.advance_secs(31 * 60).await;
    let failed = customer.settles(id).await;
    assert_eq!((failed.end_reason, failed.worked.base_units.0), (Some(EndReason::NetworkFailed), 0));
    assert_eq!(customer.balance(&world.ledger, Currency::Usdc).await, before);
    assert_eq!(kinds(&customer.receipt(id).await), ["book_product", "pay", "worked", "refund"]);

    // It fails after two hours and nothing replaces it: the rest goes back.
    agents[0].change(|device| device.mood.slow = false);
    let running = wait_for("the device", async || {
        let booked = customer.hub.cluster_book(&customer.caller, &Customer::terms(1, 600, Currency::Usdc), None).await.ok()?;
        customer.submit(&booked.transaction).await.unwrap();
        customer.pay(booked.cluster.id, None).await.unwrap();
        Some(customer.reaches(booked.cluster.id, ClusterStatus::Running).await)
    })
    .await;
    world.advance_secs(2 * 3_600).await;
    let started = agents[0].count(|device| device.started);
    agents[0].change(|device| device.mood.failures = 1_000);
    agents[0].fail_nodes(true);
    // Once it was started anew, the outage is written down.
    wait_for("a new attempt", async || agents[0].count(|device| device.started > started).then_some(())).await;
    world.advance_secs(16 * 60).await;
    let ended = customer.settles(running.id).await;
    assert_eq!(ended.end_reason, Some(EndReason::NetworkFailed));
    assert_eq!(ended.device_minutes_worked, 120, "the time it was out is not charged");
    assert!(customer.receipt(running.id).await.balance.ok);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_ended_before_it_runs_costs_nothing() {
    let world = World::open().await;
    let agents = world.agents(1).await;
    let customer = world.customer().await;
    let before = customer.balance(&world.ledger, Currency::Io).await;
    agents[0].change(|device| device.mood.slow = true);
    let id = customer.book(1, 60, Currency::Io).await;
    customer.pay(id, None).await.unwrap();
    customer.hub.cluster_terminate(&customer.caller, id).await.unwrap();
    customer.settles(id).await;
    assert_eq!(customer.balance(&world.ledger, Currency::Io).await, before);
    assert!(customer.receipt(id).await.balance.ok);
}
