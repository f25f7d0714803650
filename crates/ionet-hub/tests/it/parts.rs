//! Nodes that join a running cluster by a booking of their own, and leave it again.

use ionet_types::agent::{RayRole, WorkloadSpec};
use ionet_types::clusters::{BookRequest, ClusterStatus, EndReason, NodePhase};
use ionet_types::hardware::HardwareModel;
use ionet_types::quotes::QuoteRequest;
use ionet_types::{ClusterId, Currency};

use crate::agent::TestAgent;
use crate::world::{Customer, World, wait_for};

fn request(whole: ClusterId, quantity: u32, minutes: u32) -> BookRequest {
    BookRequest { part_of: Some(whole), ..BookRequest::new(QuoteRequest::new(HardwareModel::cpu(), quantity, minutes, Currency::Usdc)) }
}

/// Books, pays and waits until the part runs.
async fn join(customer: &Customer, whole: ClusterId, quantity: u32, minutes: u32) -> ClusterId {
    let booked = customer.hub.cluster_book(&customer.caller, &request(whole, quantity, minutes), None).await.unwrap();
    customer.submit(&booked.transaction).await.unwrap();
    customer.pay(booked.cluster.id, None).await.unwrap();
    customer.reaches(booked.cluster.id, ClusterStatus::Running).await;
    booked.cluster.id
}

fn ray(agent: &TestAgent) -> Option<(RayRole, bool, u16)> {
    agent.count(|device| match &device.desired.workloads.first()?.spec {
        WorkloadSpec::Ray(ray) => Some((ray.role, ray.head.is_some(), ray.nodes)),
        WorkloadSpec::Unknown => None,
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_joins_the_whole_follows_its_head_and_ends_with_it() {
    let world = World::open().await;
    let agents = world.agents(4).await;
    let (customer, stranger) = (world.customer().await, world.customer().await);
    let whole = customer.running(1, 120, Currency::Usdc).await;

    // Not somebody else's cluster, not for longer than it is hired, not a part of a part.
    let refused = async |caller: &Customer, request: BookRequest| {
        let error = world.hub.cluster_book(&caller.caller, &request, None).await.unwrap_err();
        (error.code(), error.of_field())
    };
    assert_eq!(refused(&stranger, request(whole.id, 1, 60)).await, ("cluster_not_found", None));
    assert_eq!(refused(&customer, request(whole.id, 1, 121)).await, ("part_refused", Some("minutes")));
    let part = join(&customer, whole.id, 2, 60).await;
    assert_eq!(refused(&customer, request(part, 1, 10)).await, ("part_refused", Some("part_of")));
    let prepared = customer.book(1, 60, Currency::Usdc).await;
    assert_eq!(refused(&customer, request(prepared, 1, 10)).await, ("part_refused", Some("part_of")));

    let shown = customer.show(whole.id).await;
    assert_eq!((shown.parts.clone(), customer.show(part).await.part_of), (vec![part], Some(whole.id)));
    let nodes: Vec<_> = customer.show(part).await.nodes.iter().map(|node| node.device).collect();
    let head = agents.iter().find(|agent| agent.id() == shown.nodes[0].device).unwrap();
    assert_eq!(ray(head).unwrap().0, RayRole::Head);
    for agent in agents.iter().filter(|agent| nodes.contains(&agent.id())) {
        assert_eq!(ray(agent), Some((RayRole::Worker, true, 3)), "its first node is no head");
    }

    // The head begins anew, and with it whatever had joined it; nobody is replaced.
    let worker = agents.iter().find(|agent| nodes.contains(&agent.id())).unwrap();
    let started = worker.count(|device| device.started);
    head.fail_nodes(true);
    wait_for("the part's nodes to join the new head", async || (worker.count(|device| device.started) > started).then_some(())).await;
    wait_for("all nodes", async || {
        let [whole, part] = [customer.show(whole.id).await, customer.show(part).await];
        whole.nodes.iter().chain(&part.nodes).all(|node| node.phase == NodePhase::Ready).then_some(())
    })
    .await;
    assert_eq!(customer.show(part).await.nodes.iter().map(|node| node.device).collect::<Vec<_>>(), nodes);

    // The whole is over: so is the part, at the customer's word, and all money comes to rest.
    world.hub.cluster_terminate(&customer.caller, whole.id).await.unwrap();
    for id in [whole.id, part] {
        let ended = customer.settles(id).await;
        assert_eq!(ended.end_reason, Some(EndReason::CustomerEnded));
        assert!(customer.receipt(id).await.balance.ok);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_leaves_while_the_whole_runs_on() {
    let world = World::open().await;
    let agents = world.agents(2).await;
    let customer = world.customer().await;
    let whole = customer.running(1, 180, Currency::Usdc).await;
    let part = join(&customer, whole.id, 1, 180).await;
    let head = agents.iter().find(|agent| agent.id() == whole.nodes[0].device).unwrap();
    let started = head.count(|device| (device.started, device.stopped));
    world.advance_secs(90 * 60).await;
    world.hub.cluster_terminate(&customer.caller, part).await.unwrap();
    let ended = customer.settles(part).await;
    // Half of its time was used; the other half came back.
    assert_eq!(ended.refunded.base_units.0, ended.cost.base_units.0 / 2);
    assert_eq!(head.count(|device| (device.started, device.stopped)), started, "the head has not noticed");
    assert_eq!(customer.show(whole.id).await.status, ClusterStatus::Running);
    // Its device is free for another part.
    wait_for("the device", async || (world.hub.hardware_list().await.unwrap().items[0].free_devices == 1).then_some(())).await;
    join(&customer, whole.id, 1, 60).await;
}
