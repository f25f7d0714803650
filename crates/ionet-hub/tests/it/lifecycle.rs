//! The life of a cluster, from the quote to the last base unit.

use ionet_types::clusters::{ClusterStatus, EndReason, NodePhase};
use ionet_types::page::PageRequest;
use ionet_types::payments::ExtensionRequest;
use ionet_types::quotes::QuoteRequest;
use ionet_types::transactions::{RecordBody, RecordFilter, RecordKind};
use ionet_types::{Currency, hardware::HardwareModel};

use crate::world::{Customer, World, kinds, wait_for};

const HOUR: u64 = 3_600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hours_paid_in_two_stages() {
    let world = World::open().await;
    let agents = world.agents(4).await;
    let customer = world.customer().await;
    let terms = QuoteRequest::new(HardwareModel::cpu(), 4, 60, Currency::Usdc);
    let quote = world.hub.quote(&terms).await.unwrap();
    assert_eq!((quote.total.display.as_str(), quote.free_devices), ("0.47035 USDC", 4));

    let id = customer.book(2, 180, Currency::Usdc).await;
    let booked = customer.show(id).await;
    assert_eq!((booked.status, booked.nodes.len()), (ClusterStatus::Booked, 2));
    let total = booked.total.base_units.0;
    customer.pay(id, Some(1)).await.unwrap();
    assert_eq!(customer.show(id).await.status, ClusterStatus::PartiallyPaid);
    let over = customer.pay(id, Some(total)).await.unwrap_err();
    assert_eq!(over.code(), "overpayment");
    customer.pay(id, None).await.unwrap();
    let running = customer.reaches(id, ClusterStatus::Running).await;
    assert!(running.nodes.iter().all(|node| node.phase == NodePhase::Ready), "{:?}", running.nodes);

    world.advance_secs(3 * HOUR - 1).await;
    assert_eq!(customer.show(id).await.status, ClusterStatus::Running);
    world.advance_secs(1).await;
    let ended = customer.settles(id).await;
    assert_eq!((ended.status, ended.end_reason), (ClusterStatus::Ended, Some(EndReason::HiredTimeOver)));
    // Three hours are an hour doubled one and a half times: 1.35 % off 0.115.
    assert_eq!((ended.device_minutes_worked, ended.worked.base_units.0), (360, 2 * 3 * 113_448));

    let receipt = customer.receipt(id).await;
    assert_eq!(kinds(&receipt), ["book_product", "pay", "pay", "start", "worked", "repurchase", "earn"]);
    assert!(receipt.balance.ok && receipt.settled, "{:?}", receipt.balance);
    assert_eq!(receipt.balance.paid.base_units.0, total);
    assert_eq!(receipt.balance.escrow.base_units.0, 0);

    let tne = wait_for("the index", async || Some(world.hub.tne().await.unwrap()).filter(|tne| tne.device_minutes > 0)).await;
    assert_eq!((tne.total_micro_usd.0, tne.device_minutes, tne.per_day.len()), (2 * 3 * 113_448, 360, 1));
    wait_for("the index", async || {
        let filter = RecordFilter { kind: None, cluster_id: Some(id) };
        let page = world.hub.transaction_list(&filter, &PageRequest::default()).await.unwrap();
        (page.items.len() == receipt.records.len() && page.items.iter().rev().eq(&receipt.records)).then_some(())
    })
    .await;
    let payments = customer.hub.payment_list(&customer.caller, &PageRequest::default()).await.unwrap();
    assert_eq!(payments.items.iter().map(|payment| payment.amount.base_units.0).sum::<u64>(), total);
    let first = &receipt.records[0];
    let shown = world.hub.transaction_show(first.signature).await.unwrap();
    assert_eq!(shown.records, std::slice::from_ref(first));
    // The devices are clear and can be hired again.
    wait_for("the devices", async || (world.hub.quote(&terms).await.unwrap().free_devices == 4).then_some(())).await;
    assert!(agents.iter().all(|agent| agent.count(|device| device.running.is_empty())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_days_in_io_are_logged_twice() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let customer = world.customer().await;
    let before = customer.balance(&world.ledger, Currency::Io).await;
    let id = customer.running(1, 48 * 60, Currency::Io).await.id;
    world.advance_secs(24 * HOUR).await;
    wait_for("the first log", async || (customer.show(id).await.device_minutes_worked == 24 * 60).then_some(())).await;
    assert_eq!(customer.show(id).await.status, ClusterStatus::Running);
    world.advance_secs(24 * HOUR).await;
    let ended = customer.settles(id).await;
    assert_eq!(ended.device_minutes_worked, 48 * 60);
    let receipt = customer.receipt(id).await;
    assert_eq!(kinds(&receipt), ["book_product", "pay", "start", "worked", "earn", "worked", "earn"]);
    assert!(receipt.balance.ok);
    // No facilitation fee in IO: 48 h at 0.115 / 2 USD per IO, less 0.55 % for five and a half doublings of an hour, plus 0.25 %.
    let cost = 48 * 5_718_375;
    assert_eq!(before - customer.balance(&world.ledger, Currency::Io).await, cost + cost / 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_end_refunds_all_but_the_first_hour() {
    let world = World::open().await;
    let agents = world.agents(2).await;
    let customer = world.customer().await;
    let before = customer.balance(&world.ledger, Currency::Usdc).await;
    let cluster = customer.running(2, 300, Currency::Usdc).await;
    world.advance_secs(600).await;
    let ending = customer.hub.cluster_terminate(&customer.caller, cluster.id).await.unwrap();
    assert!(ending.terminating || ending.status == ClusterStatus::Ended);
    customer.hub.cluster_terminate(&customer.caller, cluster.id).await.unwrap();
    let ended = customer.settles(cluster.id).await;
    assert_eq!((ended.end_reason, ended.device_minutes_worked), (Some(EndReason::CustomerEnded), 120));
    assert_eq!(ended.refunded.base_units.0, 2 * 4 * 112_672);
    let spent = before - customer.balance(&world.ledger, Currency::Usdc).await;
    assert_eq!(spent, cluster.total.base_units.0 - 2 * 4 * 112_672);
    let receipt = customer.receipt(cluster.id).await;
    assert_eq!(kinds(&receipt), ["book_product", "pay", "start", "worked", "refund", "repurchase", "earn"]);
    assert!(receipt.balance.ok);
    wait_for("the nodes to stop", async || agents.iter().all(|agent| agent.count(|device| device.running.is_empty())).then_some(())).await;

    let late = customer.hub.extension_prepare(&customer.caller, cluster.id, &ExtensionRequest { minutes: 60 }, None).await.unwrap_err();
    assert_eq!(late.code(), "not_extendable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_extension_keeps_the_cluster_running() {
    let world = World::open().await;
    let agents = world.agents(1).await;
    let customer = world.customer().await;
    let id = customer.running(1, 60, Currency::Usdc).await.id;
    world.advance_secs(1_800).await;
    let prepared = customer.hub.extension_prepare(&customer.caller, id, &ExtensionRequest { minutes: 60 }, None).await.unwrap();
    assert_eq!(prepared.price.cost.base_units.0, 115_000);
    customer.submit(&prepared.transaction).await.unwrap();
    let again = customer.submit(&prepared.transaction).await;
    assert!(again.is_ok(), "the same transaction again is the same answer");
    world.advance_secs(1_800).await;
    world.advance_secs(60).await;
    let cluster = customer.show(id).await;
    assert_eq!((cluster.status, cluster.minutes_hired), (ClusterStatus::Running, 120));
    assert_eq!(agents[0].count(|device| (device.started, device.stopped)), (1, 0));
    world.advance_secs(HOUR).await;
    let ended = customer.settles(id).await;
    assert_eq!(ended.device_minutes_worked, 120);
    let receipt = customer.receipt(id).await;
    assert!(receipt.balance.ok);
    let extends = receipt.records.iter().filter(|record| matches!(record.body, RecordBody::Extend { .. })).count();
    assert_eq!(extends, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_paid_in_time_expires_and_goes_back() {
    let world = World::open().await;
    let _agents = world.agents(2).await;
    let customer = world.customer().await;
    let before = customer.balance(&world.ledger, Currency::Usdc).await;
    let (unpaid, part) = (customer.book(1, 60, Currency::Usdc).await, customer.book(1, 60, Currency::Usdc).await);
    customer.pay(part, Some(50_000)).await.unwrap();
    assert_eq!(before - customer.balance(&world.ledger, Currency::Usdc).await, 50_000);
    world.advance_secs(20 * 60 + 1).await;
    for id in [unpaid, part] {
        let expired = customer.settles(id).await;
        assert_eq!(expired.status, ClusterStatus::Expired);
        assert!(customer.receipt(id).await.balance.ok);
        assert_eq!(customer.pay(id, None).await.unwrap_err().code(), "not_payable");
        let refused = customer.hub.cluster_terminate(&customer.caller, id).await.unwrap_err();
        assert_eq!(refused.code(), "not_terminable");
    }
    assert_eq!(customer.balance(&world.ledger, Currency::Usdc).await, before);
    let filter = RecordFilter { kind: Some(RecordKind::Expire), cluster_id: None };
    wait_for("the index", async || {
        (world.hub.transaction_list(&filter, &PageRequest::default()).await.unwrap().items.len() == 2).then_some(())
    })
    .await;
    // Both devices are free again.
    wait_for("the devices", async || {
        let booked = customer.hub.cluster_book(&customer.caller, &Customer::terms(2, 60, Currency::Usdc), None).await;
        booked.ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_never_signed_is_forgotten() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let customer = world.customer().await;
    let booked = customer.hub.cluster_book(&customer.caller, &Customer::terms(1, 60, Currency::Usdc), None).await.unwrap();
    let full = customer.hub.cluster_book(&customer.caller, &Customer::terms(1, 60, Currency::Usdc), None).await.unwrap_err();
    assert_eq!(full.code(), "capacity_insufficient");
    world.advance_secs(200).await;
    wait_for("the cluster to be forgotten", async || {
        let error = customer.hub.cluster_show(&customer.caller, booked.cluster.id).await.err()?;
        assert_eq!(error.code(), "cluster_not_found");
        Some(())
    })
    .await;
    let late = customer.submit(&booked.transaction).await.unwrap_err();
    assert!(["quote_expired", "transaction_expired"].contains(&late.code()), "{}", late.code());
    customer.running(1, 60, Currency::Usdc).await;
}
