//! The network's steps, each called by several at once: one transaction, whoever wins.

use std::future::Future;

use ionet_ledger::{LedgerError, StepOutcome};
use ionet_rules::booking::Status;
use ionet_rules::money::{Currency, MicroUsd, Units};
use ionet_rules::worklog::EndReason;

use crate::world::World;

/// Runs the step twice at once and once after; returns how many transactions it took.
pub(crate) async fn contend<F: Future<Output = Result<StepOutcome, LedgerError>>>(step: impl Fn() -> F) {
    let (a, b) = tokio::join!(step(), step());
    let mut signatures: Vec<_> = [a.unwrap(), b.unwrap()].into_iter().filter_map(StepOutcome::signature).collect();
    // Both may have sent the very same transaction.
    signatures.dedup();
    assert_eq!(signatures.len(), 1);
    assert_eq!(step().await.unwrap(), StepOutcome::AlreadyDone);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_step_happens_once_however_often_it_is_called() {
    let world = World::open().await;
    let (ledger, keys) = (&world.ledger, &*world.keys);
    for currency in [Currency::Usdc, Currency::Io] {
        let customer = world.customer().await;
        let cluster = world.book(&customer, currency, 2, 180).await;
        world.pay_all(&customer, &cluster).await;
        contend(|| ledger.start(keys, &cluster)).await;
        world.chain.advance_secs(70 * 60).await.unwrap();
        let log = world.next_log(&cluster, Some(EndReason::CustomerEnded)).await;
        contend(|| ledger.worked(keys, &cluster, &log)).await;
        contend(|| ledger.refund(keys, &cluster)).await;
        contend(|| ledger.submit_price(keys, MicroUsd(2_000_000))).await;
        if currency == Currency::Usdc {
            contend(|| ledger.repurchase(keys, &cluster)).await;
        } else {
            assert_eq!(ledger.repurchase(keys, &cluster).await.unwrap(), StepOutcome::AlreadyDone);
        }
        contend(|| ledger.earn(keys, &cluster)).await;
        let receipt = world.receipt(&cluster).await;
        assert_eq!(receipt.records.len(), if currency == Currency::Usdc { 7 } else { 6 });
        let unpaid = world.book(&customer, currency, 1, 60).await;
        world.pay(&customer, &unpaid, Units(5)).await.unwrap();
        world.chain.advance_secs(1201).await.unwrap();
        contend(|| ledger.expire(keys, &unpaid)).await;
        assert_eq!(world.receipt(&unpaid).await.booking.status, Status::Expired);
        ledger.submit_price(keys, MicroUsd(2_000_000)).await.unwrap();
    }
}

#[tokio::test]
async fn a_step_that_is_not_due_is_refused_with_the_rule() {
    let world = World::open().await;
    let (ledger, keys) = (&world.ledger, &*world.keys);
    let customer = world.customer().await;
    let cluster = world.book(&customer, Currency::Usdc, 1, 120).await;
    let code = |result: Result<StepOutcome, LedgerError>| result.unwrap_err().code();
    assert_eq!(code(ledger.start(keys, &cluster).await), "not_startable");
    assert_eq!(code(ledger.refund(keys, &cluster).await), "not_refundable");
    assert_eq!(code(ledger.expire(keys, &cluster).await), "payment_window_open");
    assert_eq!(code(ledger.start(keys, &[0xEE; 16]).await), "booking_missing");
    world.pay_all(&customer, &cluster).await;
    ledger.start(keys, &cluster).await.unwrap();
    let early = ionet_rules::booking::WorkLog { sequence: 0, device_minutes: 1, end: None };
    assert_eq!(code(ledger.worked(keys, &cluster, &early).await), "work_too_early");
    let ahead = ionet_rules::booking::WorkLog { sequence: 1, ..early };
    assert_eq!(code(ledger.worked(keys, &cluster, &ahead).await), "wrong_sequence");
    assert_eq!(ledger.repurchase(keys, &cluster).await.unwrap(), StepOutcome::AlreadyDone);
    assert_eq!(ledger.earn(keys, &cluster).await.unwrap(), StepOutcome::AlreadyDone);
}
