//! `@solana/kit` reads a booking by the committed description of the program, as any wallet or explorer could.

#[path = "../../../ionet-chain/tests/kit/runner.rs"]
mod runner;

use std::sync::Arc;

use ionet_ledger::BookingView;
use ionet_rules::booking::Status;
use ionet_rules::money::{Currency, Units};
use ionet_rules::worklog::EndReason;
use serde_json::{Value, json};
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;

use crate::world::{World, bare};

/// What kit must have read: integers of 64 bits as text, those below as numbers, bytes in hex.
fn expected(booking: &BookingView) -> Value {
    let book = &booking.book;
    json!({
        "rate": book.rate.0.to_string(),
        "rateMicroUsd": book.rate_micro_usd.0.to_string(),
        "cost": book.cost.0.to_string(),
        "fees": book.fees.0.to_string(),
        "paid": book.paid.0.to_string(),
        "feesTaken": book.fees_taken.0.to_string(),
        "dust": book.dust.0.to_string(),
        "worked": book.worked.0.to_string(),
        "workedMicroUsd": book.worked_micro_usd.0.to_string(),
        "refunded": book.refunded.0.to_string(),
        "supplierPaid": book.supplier_paid.0.to_string(),
        "restDue": book.rest_due.0.to_string(),
        "restFeeDue": book.rest_fee_due.0.to_string(),
        "repurchasedIn": book.repurchased_in.0.to_string(),
        "repurchasedOut": book.repurchased_out.0.to_string(),
        "earnDue": book.earn_due.0.to_string(),
        "earnFeeDue": book.earn_fee_due.0.to_string(),
        "earned": book.earned.0.to_string(),
        "deviceMinutesWorked": book.device_minutes_worked.to_string(),
        "bookedAtUnixSecs": book.booked_at_unix_secs.to_string(),
        "payByUnixSecs": book.pay_by_unix_secs.to_string(),
        "startedAtUnixSecs": book.started_at_unix_secs.to_string(),
        "endedAtUnixSecs": book.ended_at_unix_secs.to_string(),
        "quantity": book.quantity,
        "minutesHired": book.minutes_hired,
        "payments": book.payments,
        "extensions": book.extensions,
        "logs": book.logs,
        "repurchases": book.repurchases,
        "earns": book.earns,
        "currency": book.currency,
        "hardware": book.hardware,
        "status": book.status,
        "endReason": book.end_reason,
        "closed": book.closed,
        "reserved": hex::encode(book.reserved),
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kit_decodes_a_booking_by_the_committed_description() {
    let Some(folder) = runner::install() else {
        return;
    };
    let (chain, keys, dir) = bare();
    let (listener, _websocket) = ionet_chain::bind_pair(0).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn({
        let chain = chain.clone();
        async move { chain.serve(listener).await }
    });
    let world = World::found(chain, Arc::new(RpcClient::new(url.clone())), keys, dir).await;
    let customer = world.customer().await;
    let cluster = world.book(&customer, Currency::Usdc, 4, 120).await;
    let own = std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder to its tests");
    let description = format!("{own}/../../program/idl/ionet.json");
    let check = async |status: Status| {
        let booking = world.booking(&cluster).await;
        assert_eq!(booking.status, status);
        let read = runner::node(&folder, &["decode", &url, &booking.address.to_string(), &description, "bookingAccount"]).await;
        assert_eq!(read["owner"], world.ledger.program_id.to_string());
        let fields = &read["fields"];
        assert_eq!(fields["customer"], customer.pubkey().to_string());
        assert_eq!(fields["clusterId"], hex::encode(cluster));
        assert_eq!(fields["records"], booking.records);
        assert_eq!(fields["book"], expected(&booking));
    };

    check(Status::Booked).await;
    world.pay(&customer, &cluster, Units(300_000)).await.unwrap();
    check(Status::PartiallyPaid).await;
    world.pay_all(&customer, &cluster).await;
    world.ledger.start(&world.keys, &cluster).await.unwrap();
    world.chain.advance_secs(90 * 60).await.unwrap();
    world.work(&cluster, Some(EndReason::CustomerEnded)).await;
    world.settle(&cluster).await;
    check(Status::Ended).await;
    world.chain.close().await;
}
