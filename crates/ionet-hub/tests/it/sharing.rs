//! One machine, several customers: each has what it pays for, nobody has what another one has, and the rest stays for hire.

use std::collections::BTreeSet;

use ed25519_dalek::SigningKey;
use ionet_types::agent::{Gpu, GpuGrant, GpuPart, Hardware, HardwareKind, RayNode, RayRole, WorkloadSpec, WorkloadState};
use ionet_types::clusters::{BookRequest, Cluster, ClusterStatus, NodePhase};
use ionet_types::devices::{DeviceState, DeviceUse};
use ionet_types::hardware::HardwareModel;
use ionet_types::market::{GpuInstance, Requirements, SetTermsRequest};
use ionet_types::quotes::QuoteRequest;
use ionet_types::{Address, ClusterId, Currency, MicroUsd};

use crate::agent::{Device, TestAgent, hardware};
use crate::world::{Customer, World, address, wait_for};

fn gpus(count: u8, mig: bool) -> Hardware {
    let gpu = |number: u8| Gpu {
        model: "NVIDIA H100 80GB HBM3".to_owned(),
        memory_mb: 81_559,
        // Listed in another order than that of their names.
        uuid: Some(format!("GPU-{}", 7 - number)),
        mig,
        ..Gpu::default()
    };
    let (cpus, memory_mb) = (64, 512_000);
    Hardware {
        kind: HardwareKind::Gpu,
        cpus,
        machine_cpus: cpus,
        memory_mb,
        machine_memory_mb: memory_mb,
        gpus: (0..count).map(gpu).collect(),
        ..hardware()
    }
}

async fn machine(world: &World, hardware: Hardware, shared: bool, owner: Option<Address>) -> TestAgent {
    let before = world.hub.agents().connected();
    let device = Device { hardware: Some(hardware), shared, owner, ..Device::default() };
    let agent = TestAgent::start_as(&world.hub, SigningKey::from_bytes(&rand::random()), device);
    wait_for("the machine to connect", async || (world.hub.agents().connected() > before).then_some(())).await;
    agent
}

fn wanted(nodes: u32, requirements: Requirements) -> QuoteRequest {
    QuoteRequest { requirements, ..QuoteRequest::new("h100".parse::<HardwareModel>().unwrap(), nodes, 60, Currency::Usdc) }
}

fn whole(count: u8) -> Requirements {
    Requirements { gpus_per_node: Some(count), ..Requirements::default() }
}

async fn hire(customer: &Customer, request: QuoteRequest) -> Cluster {
    let booked = customer.hub.cluster_book(&customer.caller, &BookRequest::new(request), None).await.unwrap();
    customer.submit(&booked.transaction).await.unwrap();
    customer.pay(booked.cluster.id, None).await.unwrap();
    customer.reaches(booked.cluster.id, ClusterStatus::Running).await
}

/// What the machine was told of a cluster's nodes.
fn told(agent: &TestAgent, cluster: ClusterId) -> Vec<RayNode> {
    let of = |device: &Device| -> Vec<RayNode> {
        let of_cluster = device.desired.workloads.iter().filter(|workload| workload.key.cluster_id == cluster.0);
        of_cluster
            .filter_map(|workload| match &workload.spec {
                WorkloadSpec::Ray(ray) => Some(ray.clone()),
                WorkloadSpec::Unknown => None,
            })
            .collect()
    };
    agent.count(of)
}

/// The GPUs that a cluster has on a machine.
fn granted(agent: &TestAgent, cluster: ClusterId) -> Vec<GpuGrant> {
    told(agent, cluster).into_iter().flat_map(|ray| ray.share.unwrap().gpus).collect()
}

fn names(grants: &[GpuGrant]) -> BTreeSet<&str> {
    grants.iter().map(|grant| grant.uuid.as_str()).collect()
}

async fn free_gpus(world: &World, agent: &TestAgent) -> u8 {
    world.hub.device_show(agent.id()).await.unwrap().sharing.unwrap().free_gpus
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_customers_share_a_machine_and_a_third_takes_what_one_gives_back() {
    let mut world = World::open().await;
    let mut agent = machine(&world, gpus(8, false), true, None).await;
    let (first, second, third) = (world.customer().await, world.customer().await, world.customer().await);
    let two = hire(&first, wanted(1, whole(2))).await;
    assert_eq!(two.rate_micro_usd, MicroUsd(4_000_000), "two GPUs at two dollars");
    let three = hire(&second, wanted(1, whole(3))).await;
    assert_eq!((three.rate_micro_usd, three.nodes[0].device), (MicroUsd(6_000_000), agent.id()));

    // Each has GPUs of its own, and its part of the rest.
    let (of_two, of_three) = (granted(&agent, two.id), granted(&agent, three.id));
    assert_eq!((of_two.len(), of_three.len(), names(&of_two).is_disjoint(&names(&of_three))), (2, 3, true), "{of_two:?} {of_three:?}");
    assert!(of_two.iter().chain(&of_three).all(|grant| grant.part == GpuPart::Whole));
    let ray = &told(&agent, two.id)[0];
    assert_eq!((ray.role, ray.cpus, ray.gpus, ray.memory_mb), (RayRole::Head, 16, 2, Some(128_000)));

    // What is left is for hire, and no more than that: the refusal says how much.
    let seen = world.hub.device_show(agent.id()).await.unwrap();
    assert_eq!((seen.usage, seen.status.state), (DeviceUse::Hired, DeviceState::Hired));
    let sharing = seen.sharing.unwrap();
    assert_eq!((sharing.open, sharing.free_gpus, sharing.free_cpu_milli, sharing.free_memory_mb), (true, 3, 24_000, 192_000));
    let mut hired: Vec<_> = sharing.hired.iter().map(|share| (share.gpus.len(), share.cpu_milli, share.releasing)).collect();
    hired.sort_unstable();
    assert_eq!(hired, [(2, 16_000, false), (3, 24_000, false)]);
    let found = world.hub.preflight(&wanted(1, whole(4))).await.unwrap();
    assert_eq!((found.fits, found.devices, found.fitting), (false, 1, 0));
    let excluded = found.excluded.iter().filter(|one| one.devices > 0).map(|one| (one.condition.as_str(), one.devices));
    assert_eq!(excluded.collect::<Vec<_>>(), [("free", 1)], "it has as many, and they are taken");
    assert!(found.relaxations.iter().any(|help| help.changes.iter().any(|change| change.field == "gpus_per_node")), "{found:?}");
    let refused = world.hub.cluster_book(&third.caller, &BookRequest::new(wanted(1, whole(4))), None).await.unwrap_err();
    assert_eq!(refused.code(), "capacity_insufficient");
    for part in ["0 devices", "1 are wanted", "asks for 4 GPUs", "at most 3 are free"] {
        assert!(refused.to_string().contains(part), "{refused}");
    }

    // A hub that is killed finds everything again; the customers notice nothing.
    world.restart_hub().await;
    agent.connect(&world.hub).await;
    let (hub, started) = (world.hub.clone(), agent.count(|device| device.started));
    wait_for("the machine to be told again", async || (agent.count(|device| device.desired.workloads.len()) == 2).then_some(())).await;
    assert_eq!((granted(&agent, two.id), granted(&agent, three.id)), (of_two.clone(), of_three.clone()));
    assert_eq!(free_gpus(&world, &agent).await, 3);
    assert_eq!(agent.count(|device| (device.started, device.stopped)), (started, 0));
    let again = |customer: &Customer| Customer { hub: hub.clone(), wallet: customer.wallet.insecure_clone(), caller: customer.caller };
    let (first, second, third) = (again(&first), again(&second), again(&third));

    // One gives back, the other works on; what comes back is hired again, once nothing runs on it.
    hub.cluster_terminate(&second.caller, three.id).await.unwrap();
    second.settles(three.id).await;
    wait_for("three GPUs to come back", async || (free_gpus(&world, &agent).await == 6).then_some(())).await;
    assert_eq!(agent.count(|device| device.stopped), 1);
    let four = hire(&third, wanted(1, whole(4))).await;
    let of_four = granted(&agent, four.id);
    assert_eq!((of_four.len(), names(&of_four).is_disjoint(&names(&of_two))), (4, true));
    assert_eq!(granted(&agent, two.id), of_two);
    let untouched = first.show(two.id).await;
    assert_eq!((untouched.status, untouched.nodes[0].phase), (ClusterStatus::Running, NodePhase::Ready));

    // The books: all that was paid is worked, refunded or fees, for each of them.
    world.advance_secs(3_600).await;
    for (customer, id) in [(&first, two.id), (&second, three.id), (&third, four.id)] {
        let settled = customer.settles(id).await;
        let receipt = customer.receipt(id).await;
        assert!(receipt.balance.ok && receipt.settled, "{:?}", receipt.balance);
        assert_eq!(settled.escrow.base_units.0, 0);
    }
    assert_eq!(first.show(two.id).await.device_minutes_worked, 60, "node-minutes: the rate is that of two GPUs");
    assert_eq!(second.show(three.id).await.worked.base_units.0, 6_000_000, "the first hour, as for any cluster");
    wait_for("the machine to be free", async || (free_gpus(&world, &agent).await == 8).then_some(())).await;
    assert_eq!(world.hub.device_show(agent.id()).await.unwrap().usage, DeviceUse::Free);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_gpu_and_instances_are_hired_and_charged_as_such() {
    let world = World::open().await;
    let (plain, split) = (machine(&world, gpus(2, false), true, None).await, machine(&world, gpus(1, true), true, None).await);
    let customer = world.customer().await;
    let milli = |milli| Requirements { gpu_milli: Some(milli), ..Requirements::default() };
    let instance = |size| Requirements { gpu_instance: Some(size), ..Requirements::default() };

    // Three halves and a third of one: two GPUs of one machine hold them all.
    assert!(world.hub.preflight(&wanted(3, milli(500))).await.unwrap().fits);
    let halves = hire(&customer, wanted(3, milli(500))).await;
    assert_eq!(halves.rate_micro_usd, MicroUsd(1_000_000));
    let odd = hire(&customer, wanted(1, milli(333))).await;
    assert_eq!(odd.rate_micro_usd, MicroUsd(666_000));
    let grants: Vec<_> = granted(&plain, halves.id).into_iter().chain(granted(&plain, odd.id)).collect();
    assert_eq!((grants.len(), names(&grants).len()), (4, 2));
    for uuid in names(&grants) {
        let sum: u16 = grants
            .iter()
            .filter(|grant| grant.uuid == uuid)
            .map(|grant| match grant.part {
                GpuPart::Milli { milli } => milli,
                _ => 1_001,
            })
            .sum();
        assert!(sum <= 1_000, "{grants:?}");
    }
    assert!(told(&plain, halves.id).iter().all(|ray| ray.gpus == 1), "a part is the one GPU that its node sees");
    let left = world.hub.device_show(plain.id()).await.unwrap().sharing.unwrap();
    assert_eq!((left.free_gpus, left.free_gpu_milli.iter().sum::<u16>()), (0, 167));
    let short = world.hub.cluster_book(&customer.caller, &BookRequest::new(wanted(1, milli(200))), None).await.unwrap_err();
    assert_eq!(short.code(), "capacity_insufficient");

    // Three sevenths and four sevenths fill the GPU that is cut; an eighth slice there is not.
    let three = hire(&customer, wanted(1, instance(GpuInstance::Three))).await;
    let four = hire(&customer, wanted(1, instance(GpuInstance::Four))).await;
    assert_eq!((three.rate_micro_usd, four.rate_micro_usd), (MicroUsd(858_000), MicroUsd(1_144_000)), "429 and 572 thousandths");
    let part = |cluster: ClusterId| granted(&split, cluster)[0].part;
    assert_eq!(part(three.id), GpuPart::Instance { size: GpuInstance::Three, start: 4 });
    assert_eq!(part(four.id), GpuPart::Instance { size: GpuInstance::Four, start: 0 });
    let full = world.hub.preflight(&wanted(1, instance(GpuInstance::One))).await.unwrap();
    assert_eq!((full.fits, full.fitting), (false, 0));
    let view = world.hub.device_show(split.id()).await.unwrap().sharing.unwrap();
    assert!(view.mig && view.hired.iter().all(|share| share.gpu_instance.is_some()), "{view:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_is_shared_only_while_its_supplier_wants_it() {
    let world = World::open().await;
    let (supplier, customer) = (world.customer().await, world.customer().await);
    let alone = machine(&world, gpus(4, false), false, None).await;
    assert!(!world.hub.preflight(&wanted(1, whole(2))).await.unwrap().fits, "its supplier has not opted in");
    assert!(world.hub.preflight(&wanted(1, whole(4))).await.unwrap().fits);
    assert!(world.hub.device_show(alone.id()).await.unwrap().sharing.is_none());

    // Its owner takes it back in the terms; who is there stays, and has no new neighbour.
    let shared = machine(&world, gpus(8, false), true, Some(address(&supplier.wallet))).await;
    let here = hire(&customer, wanted(1, whole(2))).await;
    let forbid = SetTermsRequest { strategy: Some("shared = false\n".to_owned()) };
    world.hub.device_terms_set(&supplier.caller, shared.id(), &forbid).await.unwrap();
    assert!(!world.hub.preflight(&wanted(1, whole(2))).await.unwrap().fits);
    assert!(!world.hub.preflight(&wanted(1, whole(8))).await.unwrap().fits);
    assert_eq!(customer.show(here.id).await.status, ClusterStatus::Running);
    let view = world.hub.device_show(shared.id()).await.unwrap().sharing.unwrap();
    assert_eq!((view.open, view.hired.len()), (false, 1));
    world.hub.cluster_terminate(&customer.caller, here.id).await.unwrap();
    wait_for("the machine to be whole again", async || world.hub.preflight(&wanted(1, whole(8))).await.unwrap().fits.then_some(())).await;
    let all = hire(&customer, wanted(1, whole(8))).await;
    let ray = &told(&shared, all.id)[0];
    assert_eq!((ray.share.as_ref(), ray.gpus, ray.cpus), (None, 8, 64), "given whole");

    // Allowed again while all of it is hired, it changes nothing until that is over.
    world.hub.device_terms_set(&supplier.caller, shared.id(), &SetTermsRequest { strategy: None }).await.unwrap();
    assert!(!world.hub.preflight(&wanted(1, whole(1))).await.unwrap().fits);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_two_ask_for_at_once_only_one_gets() {
    let world = World::open().await;
    let agent = machine(&world, gpus(8, false), true, None).await;
    let customers = [world.customer().await, world.customer().await, world.customer().await];
    let asked = customers.iter().flat_map(|customer| [(customer, 3), (customer, 4)]);
    let booked = futures::future::join_all(asked.map(async |(customer, count)| {
        let request = BookRequest::new(wanted(1, whole(count)));
        customer.hub.cluster_book(&customer.caller, &request, None).await.is_ok().then_some(count)
    }))
    .await;
    let taken: u8 = booked.iter().flatten().sum();
    assert!((5..=8).contains(&taken), "{booked:?}");
    assert_eq!(free_gpus(&world, &agent).await, 8 - taken);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_fails_moves_and_its_neighbour_stays() {
    let world = World::open().await;
    let first = machine(&world, gpus(8, false), true, None).await;
    let (customer, neighbour) = (world.customer().await, world.customer().await);
    let (two, three) = (hire(&customer, wanted(1, whole(2))).await, hire(&neighbour, wanted(1, whole(3))).await);
    let second = machine(&world, gpus(4, false), true, None).await;
    let kept = granted(&first, three.id);

    first.change(|device| {
        let node = device.running.values_mut().find(|node| node.key.cluster_id == two.id.0).unwrap();
        let failed = WorkloadState::Failed { code: "gpu_missing".to_owned(), message: "it is gone".to_owned(), retryable: false };
        node.state = failed;
    });
    wait_for("the node to move", async || {
        let node = customer.show(two.id).await.nodes.first().cloned()?;
        (node.device == second.id() && node.phase == NodePhase::Ready).then_some(())
    })
    .await;
    assert_eq!(names(&granted(&second, two.id)).len(), 2);
    wait_for("what it had to be free", async || (free_gpus(&world, &first).await == 5).then_some(())).await;
    assert_eq!((free_gpus(&world, &second).await, granted(&first, three.id)), (2, kept));
    let here = neighbour.show(three.id).await;
    assert_eq!((here.nodes[0].device, here.nodes[0].phase), (first.id(), NodePhase::Ready));
}
