//! The receipt of the documentation's example, and every way in which books can be cooked.

use ionet_types::clusters::{ClusterStatus, EndReason};
use ionet_types::hardware::HardwareKind;
use ionet_types::transactions::Balance;
use ionet_types::{Address, ClusterId, MicroUsd, TransactionSignature};

use super::*;

fn example() -> Receipt {
    let usdc = Money::usdc;
    let bodies = [
        RecordBody::BookProduct {
            customer: Address([1; 32]),
            hardware: HardwareKind::Cpu,
            quantity: 4,
            minutes: 180,
            rate: usdc(115_000),
            rate_micro_usd: MicroUsd(115_000),
            cost: usdc(1_380_000),
            fees: usdc(31_050),
            total: usdc(1_411_050),
        },
        RecordBody::Pay { amount: usdc(705_525), paid: usdc(705_525), total: usdc(1_411_050), sequence: 0 },
        RecordBody::Pay { amount: usdc(705_525), paid: usdc(1_411_050), total: usdc(1_411_050), sequence: 1 },
        RecordBody::Start { fees: usdc(31_050) },
        RecordBody::Worked {
            device_minutes: 240,
            value: usdc(460_000),
            value_micro_usd: MicroUsd(460_000),
            value_io: Money::io(46_000_000),
            supplier: usdc(381_915),
            rest: usdc(78_085),
            dust: usdc(0),
            sequence: 0,
            end_reason: Some(EndReason::CustomerEnded),
        },
        RecordBody::Refund { amount: usdc(920_000), dust: usdc(0) },
        RecordBody::Repurchase {
            amount_in: usdc(78_085),
            amount_out: Money::io(7_808_499),
            price_micro_usd: MicroUsd(1_000_000),
            sequence: 0,
        },
        RecordBody::Earn {
            amount: Money::io(7_808_499),
            burned: Money::io(1_150_000),
            incentives: Money::io(1_150_000),
            treasury: Money::io(5_508_499),
            sequence: 0,
        },
    ];
    let cluster_id = ClusterId::from_bytes([0x42; 16]);
    let records = bodies
        .into_iter()
        .zip(0..)
        .map(|(body, record)| Record {
            signature: TransactionSignature([record as u8 + 1; 64]),
            slot: u64::from(record),
            at_unix_secs: 1_700_000_000 + i64::from(record),
            cluster_id,
            record,
            currency: Currency::Usdc,
            status: ClusterStatus::Ended,
            body,
        })
        .collect();
    let balance =
        Balance { paid: usdc(1_411_050), worked: usdc(460_000), refunded: usdc(920_000), fees: usdc(31_050), escrow: usdc(0), ok: true };
    Receipt { cluster_id, currency: Currency::Usdc, status: ClusterStatus::Ended, settled: true, records, balance }
}

#[test]
fn a_receipt_reads_from_top_to_bottom() {
    let receipt = example();
    insta::assert_snapshot!(render(&receipt, &check(&receipt)));
}

#[test]
fn an_open_receipt_shows_what_is_in_escrow() {
    let mut receipt = example();
    receipt.records.truncate(4);
    receipt.status = ClusterStatus::Running;
    receipt.settled = false;
    receipt.balance.worked = Money::usdc(0);
    receipt.balance.refunded = Money::usdc(0);
    receipt.balance.escrow = Money::usdc(1_380_000);
    let balance = check(&receipt);
    assert_eq!(balance_line(&balance), "balance: paid 1.41105 USDC = worked 0 + refunded 0 + fees 0.03105 + escrow 1.38  ok");
    assert!(render(&receipt, &balance).starts_with("receipt of cluster 42424242-4242-4242-4242-424242424242 (running, not settled yet)\n"));
}

#[test]
fn cooked_books_are_found() {
    type Cook = fn(&mut Receipt);
    let honest = example();
    assert!(check(&honest).ok);
    let cases: [(&str, Cook); 9] = [
        ("the network says no", |receipt| receipt.balance.ok = false),
        ("a base unit less refunded", |receipt| receipt.balance.refunded = Money::usdc(919_999)),
        ("a base unit more in escrow", |receipt| receipt.balance.escrow = Money::usdc(1)),
        ("fees that no record took", |receipt| receipt.balance.fees = Money::usdc(31_051)),
        ("another currency", |receipt| receipt.balance.paid = Money::io(1_411_050)),
        ("a record left out", |receipt| drop(receipt.records.remove(5))),
        ("a record twice", |receipt| {
            let again = receipt.records[5].clone();
            receipt.records.push(again);
        }),
        ("another cluster's record", |receipt| receipt.records[2].cluster_id = ClusterId::from_bytes([1; 16])),
        ("a payment in another coin", |receipt| {
            receipt.records[1].body =
                RecordBody::Pay { amount: Money::io(705_525), paid: Money::usdc(0), total: Money::usdc(0), sequence: 0 };
        }),
    ];
    for (case, cook) in cases {
        let mut receipt = honest.clone();
        cook(&mut receipt);
        assert!(!check(&receipt).ok, "{case}");
        assert!(balance_line(&check(&receipt)).ends_with("WRONG"), "{case}");
    }
}
