//! Whole lives of clusters: the chain's books, its records and its vaults tell the same story.

use ionet_abi::accounts::VaultKind;
use ionet_abi::events::RecordKind;
use ionet_ledger::{BookingFilter, Tne};
use ionet_rules::booking::Status;
use ionet_rules::money::{Currency, MicroUsd, Units};
use ionet_rules::worklog::EndReason;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::world::World;

const HOUR_SECS: u64 = 60 * 60;

/// Paid in two stages, extended before and after the start, ended early, settled.
pub(crate) async fn ended_early(world: &World, currency: Currency) {
    let customer = world.customer().await;
    let before = world.ledger.token_balance(&customer.pubkey(), currency).await.unwrap();
    let cluster = world.book(&customer, currency, 4, 60).await;
    let total = world.booking(&cluster).await.book.total().unwrap();
    if currency == Currency::Usdc {
        // 4 devices x 1 h x 0.115 USDC, 2 % and 0.25 %.
        assert_eq!(total, Units(470_350));
    }
    world.pay(&customer, &cluster, Units(100_000)).await.unwrap();
    assert_eq!(world.booking(&cluster).await.status, Status::PartiallyPaid);
    world.pay_all(&customer, &cluster).await;
    assert_eq!(world.booking(&cluster).await.status, Status::Paid);
    world.extend(&customer, &cluster, 60).await.unwrap();
    world.ledger.start(&world.keys, &cluster).await.unwrap();
    world.extend(&customer, &cluster, 61).await.unwrap();
    world.chain.advance_secs(2 * HOUR_SECS - 30).await.unwrap();
    world.work(&cluster, Some(EndReason::CustomerEnded)).await;
    world.settle(&cluster).await;

    let receipt = world.receipt(&cluster).await;
    let balance = &receipt.balance;
    let kinds: Vec<_> = receipt.records.iter().map(ionet_ledger::Record::kind).collect();
    let mut expected = vec![
        RecordKind::BookProduct,
        RecordKind::Pay,
        RecordKind::Pay,
        RecordKind::Extend,
        RecordKind::Start,
        RecordKind::Extend,
        RecordKind::Worked,
        RecordKind::Refund,
    ];
    if currency == Currency::Usdc {
        expected.push(RecordKind::Repurchase);
    }
    expected.push(RecordKind::Earn);
    assert_eq!(kinds, expected);
    // 181 minutes hired, 120 started: 61 x 4 device-minutes come back at the original rate.
    let rate = u128::from(receipt.booking.book.rate.0);
    assert_eq!(balance.refunded, 61 * 4 * rate / 60);
    assert_eq!(balance.paid, balance.worked + balance.refunded + balance.fees);
    assert_eq!(balance.escrow, 0);
    let after = world.ledger.token_balance(&customer.pubkey(), currency).await.unwrap();
    assert_eq!(u128::from(before - after), balance.paid - balance.refunded);
}

#[tokio::test]
async fn a_cluster_ended_early_settles_to_the_base_unit_in_both_currencies() {
    let world = World::open().await;
    for currency in [Currency::Usdc, Currency::Io] {
        ended_early(&world, currency).await;
    }
    // Nothing is owed any more: the escrows are empty.
    let balances = world.ledger.vault_balances().await.unwrap();
    assert_eq!((balances.get(VaultKind::UsdcEscrow), balances.get(VaultKind::IoEscrow)), (0, 0));
}

#[tokio::test]
async fn a_cluster_of_48_hours_logs_twice_and_ends_by_itself() {
    let world = World::open().await;
    let customer = world.customer().await;
    let cluster = world.book(&customer, Currency::Usdc, 3, 48 * 60).await;
    world.pay_all(&customer, &cluster).await;
    world.ledger.start(&world.keys, &cluster).await.unwrap();
    world.chain.advance_secs(24 * HOUR_SECS).await.unwrap();
    world.work(&cluster, None).await;
    world.ledger.submit_price(&world.keys, MicroUsd(2_000_000)).await.unwrap();
    world.ledger.repurchase(&world.keys, &cluster).await.unwrap();
    world.chain.advance_secs(24 * HOUR_SECS).await.unwrap();
    world.work(&cluster, Some(EndReason::HiredTimeOver)).await;
    world.settle(&cluster).await;
    let receipt = world.receipt(&cluster).await;
    assert_eq!(receipt.booking.book.logs, 2);
    assert_eq!(receipt.booking.book.repurchases, 2);
    assert_eq!(receipt.balance.refunded, 0);
    assert_eq!(receipt.earnings(), MicroUsd(3 * 48 * 115_000));
    let tne = Tne::of(&receipt.records).unwrap();
    assert_eq!(tne.total, receipt.earnings());
    assert_eq!(tne.per_day.len(), 2);
}

#[tokio::test]
async fn what_the_network_fails_to_deliver_comes_back() {
    let world = World::open().await;
    let customer = world.customer().await;
    let never_started = world.book(&customer, Currency::Io, 2, 600).await;
    world.pay_all(&customer, &never_started).await;
    world.work(&never_started, Some(EndReason::NetworkFailed)).await;
    world.ledger.refund(&world.keys, &never_started).await.unwrap().signature().unwrap();
    let receipt = world.receipt(&never_started).await;
    assert_eq!(receipt.balance.refunded, receipt.balance.paid);
    assert!(receipt.booking.book.is_settled());

    let failed = world.book(&customer, Currency::Usdc, 2, 600).await;
    world.pay_all(&customer, &failed).await;
    world.ledger.start(&world.keys, &failed).await.unwrap();
    world.chain.advance_secs(90 * 60).await.unwrap();
    world.work(&failed, Some(EndReason::NetworkFailed)).await;
    world.settle(&failed).await;
    let receipt = world.receipt(&failed).await;
    assert_eq!(receipt.balance.worked, 2 * 90 * 115_000 / 60);
    assert_eq!(receipt.balance.refunded, 2 * 510 * 115_000 / 60);
}

#[tokio::test]
async fn an_unpaid_booking_expires_and_gives_back_what_was_paid() {
    let world = World::open().await;
    let customer = world.customer().await;
    let before = world.ledger.token_balance(&customer.pubkey(), Currency::Usdc).await.unwrap();
    let nothing_paid = world.book(&Keypair::new(), Currency::Usdc, 1, 60).await;
    let part_paid = world.book(&customer, Currency::Usdc, 1, 60).await;
    world.pay(&customer, &part_paid, Units(1234)).await.unwrap();
    let window = u64::from(world.ledger.network().await.unwrap().params.payment_window_secs);
    world.chain.advance_secs(window).await.unwrap();
    let late = world.ledger.expire(&world.keys, &part_paid).await;
    assert_eq!(late.unwrap_err().code(), "payment_window_open");
    world.chain.advance_secs(1).await.unwrap();
    for cluster in [nothing_paid, part_paid] {
        assert!(world.booking(&cluster).await.expire_due(world.chain.now_unix_secs()));
        world.ledger.expire(&world.keys, &cluster).await.unwrap().signature().unwrap();
        assert_eq!(world.receipt(&cluster).await.booking.status, Status::Expired);
    }
    assert_eq!(world.ledger.token_balance(&customer.pubkey(), Currency::Usdc).await.unwrap(), before);
    let paid_late = world.pay(&customer, &part_paid, Units(1)).await;
    assert_eq!(paid_late.unwrap_err().code(), "not_payable");
}

#[tokio::test]
async fn the_indexer_reads_every_record_once_and_goes_on_where_it_stopped() {
    let world = World::open().await;
    let mut read = Vec::new();
    let mut cursor = None;
    for round in 0..2 {
        ended_early(&world, if round == 0 { Currency::Io } else { Currency::Usdc }).await;
        world.chain.advance_secs(24 * HOUR_SECS).await.unwrap();
        world.ledger.submit_price(&world.keys, MicroUsd(2_000_000)).await.unwrap();
        loop {
            // A new indexer each time: as after a crash.
            let batch = world.ledger.indexer(cursor).next(3).await.unwrap();
            read.extend(batch.records);
            cursor = batch.cursor;
            if batch.caught_up {
                break;
            }
        }
    }
    let mut keys: Vec<_> = read.iter().map(ionet_ledger::Record::key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), read.len());
    assert!(read.is_sorted_by_key(|record| record.slot));
    let bookings = world.ledger.bookings(&BookingFilter::default()).await.unwrap();
    assert_eq!(bookings.len(), 2);
    assert_eq!(bookings.iter().map(|booking| booking.records as usize).sum::<usize>(), read.len());
    let tne = Tne::of(&read).unwrap();
    assert_eq!(tne.total, Tne::of_bookings(&bookings).unwrap());
    assert_eq!(tne.per_cluster.len(), 2);
    for booking in &bookings {
        let of_cluster: Vec<_> = read.iter().copied().filter(|record| record.cluster_id == booking.cluster_id).collect();
        assert_eq!(world.ledger.records_of(&booking.cluster_id).await.unwrap(), of_cluster);
        let signature = of_cluster[0].signature;
        assert_eq!(world.ledger.records_of_transaction(&signature).await.unwrap().unwrap().bookings, of_cluster[..1]);
    }
}

#[tokio::test]
async fn bookings_are_listed_by_what_is_asked() {
    let world = World::open().await;
    let (ann, ben) = (world.customer().await, world.customer().await);
    let usdc = world.book(&ann, Currency::Usdc, 1, 60).await;
    world.book(&ann, Currency::Io, 1, 60).await;
    world.book(&ben, Currency::Usdc, 1, 60).await;
    world.pay_all(&ann, &usdc).await;
    let count = async |filter: BookingFilter| world.ledger.bookings(&filter).await.unwrap().len();
    let of_ann = BookingFilter { customer: Some(ann.pubkey()), ..BookingFilter::default() };
    assert_eq!(count(BookingFilter::default()).await, 3);
    assert_eq!(count(of_ann).await, 2);
    assert_eq!(count(BookingFilter { currency: Some(Currency::Io), ..of_ann }).await, 1);
    assert_eq!(count(BookingFilter { status: Some(Status::Paid), ..of_ann }).await, 1);
    assert_eq!(count(BookingFilter { status: Some(Status::Paid), customer: Some(ben.pubkey()), ..of_ann }).await, 0);
    assert_eq!(world.ledger.booking(&[0xEE; 16]).await.unwrap(), None);
}
