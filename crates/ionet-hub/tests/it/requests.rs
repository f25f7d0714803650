//! What is refused, what may be repeated, and what nobody else may see.

use futures::StreamExt as _;
use ionet_hub::ErrorKind;
use ionet_types::clusters::ClusterStatus;
use ionet_types::network::FaucetRequest;
use ionet_types::page::PageRequest;
use ionet_types::payments::PaymentRequest;
use ionet_types::transactions::SubmitRequest;
use ionet_types::{BaseUnits, ClusterId, Currency, DeviceId, TransactionSignature};

use crate::world::{Customer, World, address};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeated_request_is_done_once() {
    let world = World::open().await;
    let _agents = world.agents(2).await;
    let customer = world.customer().await;
    let hub = &world.hub;
    let terms = Customer::terms(1, 60, Currency::Usdc);
    let first = hub.cluster_book(&customer.caller, &terms, Some("book-1")).await.unwrap();
    let again = hub.cluster_book(&customer.caller, &terms, Some("book-1")).await.unwrap();
    assert_eq!(first, again);
    let other = hub.cluster_book(&customer.caller, &Customer::terms(2, 60, Currency::Usdc), Some("book-1")).await.unwrap_err();
    assert_eq!((other.code(), other.kind()), ("idempotency_key_reused", ErrorKind::Refused));
    for key in ["", "with space", &"x".repeat(256)] {
        let bad = hub.cluster_book(&customer.caller, &terms, Some(key)).await.unwrap_err();
        assert_eq!(bad.code(), "idempotency_key_invalid");
    }
    customer.submit(&first.transaction).await.unwrap();
    let id = first.cluster.id;
    let pay = PaymentRequest { amount: Some(BaseUnits(10)) };
    let one = hub.payment_prepare(&customer.caller, id, &pay, Some("pay-1")).await.unwrap();
    let two = hub.payment_prepare(&customer.caller, id, &pay, Some("pay-1")).await.unwrap();
    assert_eq!(one, two);
    let signatures = [customer.submit(&one.transaction).await.unwrap(), customer.submit(&two.transaction).await.unwrap()];
    assert_eq!(signatures[0], signatures[1]);
    assert_eq!(customer.show(id).await.paid.base_units, BaseUnits(10));
    // A request that failed gives its key back.
    let much = PaymentRequest { amount: Some(BaseUnits(u64::MAX)) };
    for _ in 0..2 {
        assert_eq!(hub.payment_prepare(&customer.caller, id, &much, Some("pay-2")).await.unwrap_err().code(), "overpayment");
    }
    // Concurrent ones: one does it, the others get its answer or are told to wait.
    let terms = Customer::terms(1, 30, Currency::Usdc);
    let results = futures::future::join_all((0..8).map(|_| hub.cluster_book(&customer.caller, &terms, Some("book-2")))).await;
    let ids: std::collections::BTreeSet<_> = results.iter().flatten().map(|booked| booked.cluster.id).collect();
    assert_eq!(ids.len(), 1);
    assert!(results.iter().filter_map(|result| result.as_ref().err()).all(|error| error.code() == "idempotency_key_in_use"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_elses_cluster_does_not_exist() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let (owner, other) = (world.customer().await, world.customer().await);
    let id = owner.running(1, 60, Currency::Usdc).await.id;
    let (hub, caller) = (&world.hub, &other.caller);
    for id in [id, ClusterId::new()] {
        let codes = [
            hub.cluster_show(caller, id).await.err(),
            hub.cluster_watch(caller, id).await.err(),
            hub.cluster_terminate(caller, id).await.err(),
            hub.cluster_receipt(caller, id).await.err(),
            hub.payment_prepare(caller, id, &PaymentRequest::default(), None).await.err(),
            hub.extension_prepare(caller, id, &ionet_types::payments::ExtensionRequest { minutes: 1 }, None).await.err(),
            hub.ray_request(caller, id, crate::tunnel::get("/")).await.err(),
        ];
        for error in codes {
            let error = error.expect("refused");
            assert_eq!((error.code(), error.kind()), ("cluster_not_found", ErrorKind::NotFound));
        }
    }
    assert!(hub.cluster_list(caller, &PageRequest::default()).await.unwrap().items.is_empty());
    assert!(hub.payment_list(caller, &PageRequest::default()).await.unwrap().items.is_empty());
    assert_eq!(hub.cluster_list(&owner.caller, &PageRequest::default()).await.unwrap().items.len(), 1);
    assert_eq!(owner.show(id).await.status, ClusterStatus::Running);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_hubs_own_transactions_are_submitted() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let customer = world.customer().await;
    let booked = world.hub.cluster_book(&customer.caller, &Customer::terms(1, 60, Currency::Usdc), None).await.unwrap();
    let submit = async |transaction: String| world.hub.transaction_submit(&SubmitRequest { transaction }).await.unwrap_err();
    for text in ["", "nonsense", "AAAA", &"A".repeat(100_000)] {
        assert_eq!(submit(text.to_owned()).await.code(), "transaction_malformed", "{text:.20}");
    }
    assert_eq!(submit(booked.transaction.base64.clone()).await.code(), "transaction_unsigned");
    // Changed after the hub signed it: the hub's own signature no longer fits.
    let signed = customer.sign(&booked.transaction).transaction;
    let mut transaction = ionet_ledger::decode_transaction(&signed).unwrap();
    transaction.signatures[0] = transaction.signatures[1];
    let forged = ionet_ledger::encode_transaction(&transaction).unwrap();
    assert_eq!(submit(forged).await.code(), "transaction_foreign");
    assert_eq!(customer.show(booked.cluster.id).await.status, ClusterStatus::Prepared);
    customer.submit(&booked.transaction).await.unwrap();
    assert_eq!(customer.show(booked.cluster.id).await.status, ClusterStatus::Booked);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_refused_with_a_code() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let customer = world.customer().await;
    let (hub, caller) = (&world.hub, &customer.caller);
    let book = async |request| hub.cluster_book(caller, &request, None).await.unwrap_err();
    let terms = || Customer::terms(1, 60, Currency::Usdc);
    assert_eq!(book(Customer::terms(0, 60, Currency::Usdc)).await.code(), "quantity_out_of_range");
    assert_eq!(book(Customer::terms(1, 0, Currency::Usdc)).await.code(), "minutes_out_of_range");
    assert_eq!(book(Customer::terms(u32::MAX, u32::MAX, Currency::Io)).await.code(), "quantity_out_of_range");
    assert_eq!(book(Customer::terms(2, 60, Currency::Usdc)).await.code(), "capacity_insufficient");
    let name = |name: &str| ionet_types::clusters::BookRequest { name: Some(name.to_owned()), ..terms() };
    for bad in ["", "a\nb", &"x".repeat(65)] {
        assert_eq!(book(name(bad)).await.code(), "field_out_of_range");
    }
    let unknown = ionet_types::clusters::BookRequest { hardware: "abacus".parse().unwrap(), ..terms() };
    assert_eq!(book(unknown).await.code(), "hardware_unknown");
    let page = |cursor: Option<&str>, limit| PageRequest { cursor: cursor.map(str::to_owned), limit };
    assert_eq!(hub.cluster_list(caller, &page(Some("x"), None)).await.unwrap_err().code(), "cursor_invalid");
    assert_eq!(hub.cluster_list(caller, &page(None, Some(0))).await.unwrap_err().code(), "field_out_of_range");
    assert_eq!(hub.device_show(DeviceId([1; 32])).await.unwrap_err().code(), "device_not_found");
    assert_eq!(hub.transaction_show(TransactionSignature([1; 64])).await.unwrap_err().code(), "transaction_not_found");
    // More than the wallet holds.
    let id = customer.book(1, 60 * 24 * 365 * 10, Currency::Usdc).await;
    assert!(customer.show(id).await.total.base_units.0 < 100_000 * 1_000_000);
    let poor = Customer { hub: hub.clone(), wallet: solana_keypair::Keypair::new(), caller: *caller };
    let poor = Customer { caller: crate::world::sign_in(hub, &poor.wallet).await, ..poor };
    let _more = world.agents(2).await;
    let id = poor.book(1, 60, Currency::Io).await;
    assert_eq!(poor.pay(id, None).await.unwrap_err().code(), "insufficient_funds");
    let gift = hub.faucet_give(&FaucetRequest { wallet: address(&poor.wallet) }).await.unwrap();
    assert_eq!(poor.balance(&world.ledger, Currency::Io).await, gift.io.base_units.0);
    poor.pay(id, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bookings_that_wait_for_a_signature_are_bounded() {
    let world = World::open().await;
    let _agents = world.agents(10).await;
    let customer = world.customer().await;
    for _ in 0..8 {
        world.hub.cluster_book(&customer.caller, &Customer::terms(1, 60, Currency::Usdc), None).await.unwrap();
    }
    let more = world.hub.cluster_book(&customer.caller, &Customer::terms(1, 60, Currency::Usdc), None).await.unwrap_err();
    assert_eq!((more.code(), more.kind()), ("pending_booking_limit", ErrorKind::TooMany));
    let other = world.customer().await;
    other.book(2, 60, Currency::Usdc).await;
    let all = world.hub.cluster_list(&customer.caller, &PageRequest { cursor: None, limit: Some(3) }).await.unwrap();
    let next = PageRequest { cursor: all.next_cursor.clone(), limit: Some(200) };
    let rest = world.hub.cluster_list(&customer.caller, &next).await.unwrap();
    assert_eq!((all.items.len(), rest.items.len(), rest.next_cursor), (3, 5, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_watcher_sees_every_state() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let customer = world.customer().await;
    let booked = world.hub.cluster_book(&customer.caller, &Customer::terms(1, 60, Currency::Usdc), None).await.unwrap();
    let id = booked.cluster.id;
    let watch = world.hub.cluster_watch(&customer.caller, id).await.unwrap();
    let watcher = tokio::spawn(watch.map(|cluster| cluster.status).collect::<Vec<_>>());
    customer.submit(&booked.transaction).await.unwrap();
    customer.pay(id, None).await.unwrap();
    customer.reaches(id, ClusterStatus::Running).await;
    customer.hub.cluster_terminate(&customer.caller, id).await.unwrap();
    customer.settles(id).await;
    let mut seen = tokio::time::timeout(crate::world::PATIENCE, watcher).await.unwrap().unwrap();
    seen.dedup();
    assert_eq!((seen.first(), seen.last()), (Some(&ClusterStatus::Prepared), Some(&ClusterStatus::Ended)));
}
