//! Any bytes at all: every rule answers, none panics, and a refused step changes nothing. Overflow checks are on in this profile.

use bytemuck::Zeroable;
use ionet_rules::booking::{Booking, End, ExtensionPrice, HardwareKind, Offer, WorkLog, compute_cost, compute_value};
use ionet_rules::fees::{customer_fees, split_earned, split_worked};
use ionet_rules::money::{Currency, Io, MicroUsd, Units, Usdc, io_for_value_down, io_for_value_up, io_value};
use ionet_rules::oracle::{Submission, price};
use ionet_rules::pool::{Reserves, guarded_swap};
use ionet_rules::worklog::EndReason;
use proptest::prelude::*;

use crate::strategies::{amount, currency, time, wild_params};

/// A booking of arbitrary words: no state that steps can reach, and some that they can.
fn any_booking() -> impl Strategy<Value = Booking> {
    (
        prop::collection::vec(prop_oneof![2 => Just(0u64), 2 => amount(), 1 => 0u64..1_000_000_000], 18),
        amount(),
        prop::collection::vec(time(), 4),
        prop::collection::vec(prop_oneof![0u32..5_000, any::<u32>()], 7),
        (0u8..=2, 0u8..=2, 0u8..=6, 0u8..=4, 0u8..=2),
    )
        .prop_map(|(amounts, minutes, times, counts, bytes)| {
            let mut b = Booking::zeroed();
            b.rate = Units(amounts[0]);
            b.rate_micro_usd = MicroUsd(amounts[1]);
            b.cost = Units(amounts[2]);
            b.fees = Units(amounts[3]);
            b.paid = Units(amounts[4]);
            b.fees_taken = Units(amounts[5]);
            b.dust = Units(amounts[6]);
            b.worked = Units(amounts[7]);
            b.worked_micro_usd = MicroUsd(amounts[8]);
            b.refunded = Units(amounts[9]);
            b.supplier_paid = Units(amounts[10]);
            b.rest_due = Units(amounts[11]);
            b.rest_fee_due = Units(amounts[12]);
            b.repurchased_in = Usdc(amounts[13]);
            b.repurchased_out = Io(amounts[14]);
            b.earn_due = Io(amounts[15]);
            b.earn_fee_due = Io(amounts[16]);
            b.earned = Io(amounts[17]);
            b.device_minutes_worked = minutes;
            b.booked_at_unix_secs = times[0];
            b.pay_by_unix_secs = times[1];
            b.started_at_unix_secs = times[2];
            b.ended_at_unix_secs = times[3];
            b.quantity = counts[0];
            b.minutes_hired = counts[1];
            b.payments = counts[2];
            b.extensions = counts[3];
            b.logs = counts[4];
            b.repurchases = counts[5];
            b.earns = counts[6];
            (b.currency, b.hardware, b.status, b.end_reason, b.closed) = bytes;
            b
        })
}

fn end() -> impl Strategy<Value = Option<End>> {
    let reason = prop::sample::select(vec![EndReason::HiredTimeOver, EndReason::CustomerEnded, EndReason::NetworkFailed]);
    prop::option::of((reason, time()).prop_map(|(reason, at_unix_secs)| End { reason, at_unix_secs }))
}

/// Tries a step on a copy; refused, the copy must be untouched; accepted, its books must balance.
fn try_step<T>(booking: &Booking, step: impl FnOnce(&mut Booking) -> Result<T, ionet_rules::RuleError>) {
    let mut tried = *booking;
    if step(&mut tried).is_ok() {
        assert_eq!(tried.check(), Ok(()));
    } else {
        assert_eq!(tried, *booking);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6_000))]

    #[test]
    fn no_step_panics_on_any_bytes(
        booking in any_booking(), params in wild_params(), now in time(), end in end(),
        numbers in prop::array::uniform6(amount()), count in any::<u32>(), matching in any::<bool>(),
    ) {
        let sequence = |own: u32| if matching { own } else { count };
        let _ = (booking.status(), booking.currency(), booking.end_reason(), booking.total(), booking.due(), booking.escrow());
        let _ = (booking.vault_liability(), booking.io_liability(), booking.hired_until_unix_secs(), booking.is_settled());
        let _ = (booking.log_limit(end, now), booking.refund_amount(), booking.check());
        try_step(&booking, |b| b.pay(sequence(booking.payments), Units(numbers[0]), &params, now));
        try_step(&booking, |b| b.start(now));
        let minutes = numbers[1] as u32;
        let priced = booking.extension_price(minutes, &params).map_or(numbers[2], |ExtensionPrice { total, .. }| total.0);
        try_step(&booking, |b| b.extend(sequence(booking.extensions), minutes, Units(priced), &params, now));
        let log = WorkLog { sequence: sequence(booking.logs), device_minutes: numbers[3], end };
        try_step(&booking, |b| b.work(&log, &params, now));
        let limit = booking.log_limit(end, now).unwrap_or(0);
        try_step(&booking, |b| b.work(&WorkLog { device_minutes: limit, ..log }, &params, now));
        try_step(&booking, Booking::refund);
        try_step(&booking, |b| b.expire(now));
        let reserves = Reserves { usdc: Usdc(numbers[4]), io: Io(numbers[5]) };
        try_step(&booking, |b| b.repurchase(sequence(booking.repurchases), reserves, MicroUsd(numbers[0]), &params));
        try_step(&booking, |b| b.earn(sequence(booking.earns), &params));
    }

    #[test]
    fn no_rule_panics_on_any_numbers(
        a in amount(), b in amount(), c in amount(), d in amount(), now in time(), currency in currency(), params in wild_params(),
        quantity in any::<u32>(), minutes in any::<u32>(), ages in prop::collection::vec((amount(), time()), 0..=9),
    ) {
        let _ = (compute_cost(a, Units(b)), compute_value(a, Units(b)));
        let _ = (io_value(Io(a), MicroUsd(b)), io_for_value_up(MicroUsd(a), MicroUsd(b)), io_for_value_down(MicroUsd(a), MicroUsd(b)));
        let _ = (customer_fees(Units(a), currency, &params), split_worked(Units(a), currency, &params), split_earned(Io(a), Io(b), &params));
        let _ = guarded_swap(Reserves { usdc: Usdc(a), io: Io(b) }, Usdc(c), MicroUsd(d), params.pool_guard_bps);
        let set: Vec<_> = ages.iter().map(|(price, at)| Submission { price: MicroUsd(*price), at_unix_secs: *at }).collect();
        let _ = (price(&set, &params, now), params.check());
        let offer = Offer {
            currency,
            hardware: HardwareKind::Cpu,
            quantity,
            minutes,
            rate: Units(a),
            rate_micro_usd: MicroUsd(if currency == Currency::Usdc { a } else { b }),
            valid_until_unix_secs: now,
        };
        if let Ok(booking) = Booking::book(&offer, &params, now) {
            prop_assert_eq!(booking.check(), Ok(()));
        }
    }
}
