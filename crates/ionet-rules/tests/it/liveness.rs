//! Money never gets stuck: from every booking that was accepted, honest steps lead to the end, with nothing left in escrow.

use ionet_rules::booking::{Booking, End, Status, WorkLog};
use ionet_rules::money::{Currency, Io, MicroUsd, Units, Usdc};
use ionet_rules::params::Params;
use ionet_rules::pool::Reserves;
use ionet_rules::worklog::{EndReason, LOG_PERIOD_MINUTES, billable_minutes, period};
use proptest::prelude::*;

use crate::strategies::{NOW, minutes, offer, params};

/// How the cluster comes to its end.
#[derive(Clone, Copy, Debug)]
enum Fate {
    Unpaid,
    NeverStarted,
    Ends(EndReason, u16),
}

fn fate() -> impl Strategy<Value = Fate> {
    let reason = prop::sample::select(vec![EndReason::HiredTimeOver, EndReason::CustomerEnded, EndReason::NetworkFailed]);
    prop_oneof![1 => Just(Fate::Unpaid), 1 => Just(Fate::NeverStarted), 6 => (reason, 0u16..=10_000).prop_map(|(reason, at)| Fate::Ends(reason, at))]
}

/// Logs each period of a running cluster, and the end.
fn run_to_end(booking: &mut Booking, reason: EndReason, share: u16, params: &Params) {
    let started = booking.started_at_unix_secs;
    let hired = booking.minutes_hired;
    let ran = if reason == EndReason::HiredTimeOver { i64::from(hired) * 60 } else { i64::from(hired) * 60 * i64::from(share) / 10_000 };
    let billable = billable_minutes(reason, ran, hired);
    let mut sequence = 0;
    loop {
        let one = period(sequence, hired).unwrap();
        let ends_here = one.last || billable <= one.to_minute;
        let end = ends_here.then_some(End { reason, at_unix_secs: started + ran });
        let to = if ends_here { billable.max(one.from_minute) } else { one.to_minute };
        let device_minutes = u64::from(booking.quantity) * u64::from(to - one.from_minute);
        let now = started + ran.max(i64::from(if ends_here { 0 } else { one.to_minute }) * 60);
        // The limit is exactly what was sold for this stretch, and a minute more is refused.
        let mut more = *booking;
        let too_much = WorkLog { sequence, device_minutes: device_minutes + 1, end };
        assert!(more.work(&too_much, params, now).is_err());
        booking.work(&WorkLog { sequence, device_minutes, end }, params, now).unwrap();
        if ends_here {
            return;
        }
        assert_eq!(one.minutes(), LOG_PERIOD_MINUTES);
        sequence += 1;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn every_accepted_booking_settles(
        offer in offer(), params in params(), later in params(), fate in fate(), stages in 1u32..5, extension in prop::option::of(minutes()),
    ) {
        let Ok(mut booking) = Booking::book(&offer, &params, NOW) else { return Ok(()) };
        let all = booking.total().unwrap();
        for stage in 0..stages {
            let due = booking.due().unwrap();
            if due.is_zero() {
                break;
            }
            let last = stage + 1 == stages && !matches!(fate, Fate::Unpaid);
            booking.pay(stage, if last { due } else { Units(due.0.div_ceil(2)) }, &params, NOW).unwrap();
        }
        if booking.status() != Ok(Status::Paid) {
            prop_assert_eq!(booking.expire(booking.pay_by_unix_secs + 1), Ok(booking.paid));
            prop_assert!(booking.is_settled());
            return Ok(());
        }
        let before_extension = booking;
        if let Some(minutes) = extension && let Ok(price) = booking.extension_price(minutes, &params) {
            // A price that was quoted can be paid, unless the books cannot count it; then nothing moves.
            if booking.extend(0, minutes, price.total, &params, NOW).is_err() {
                prop_assert_eq!(booking, before_extension);
            }
        }
        if let Fate::Ends(reason, share) = fate {
            booking.start(NOW).unwrap();
            run_to_end(&mut booking, reason, share, &later);
        } else {
            let end = Some(End { reason: EndReason::NetworkFailed, at_unix_secs: NOW });
            booking.work(&WorkLog { sequence: 0, device_minutes: 0, end }, &later, NOW).unwrap();
        }
        prop_assert_eq!(booking.status(), Ok(Status::Ended));
        if booking.closed == 0 {
            let refunded = booking.refund().unwrap();
            if booking.started_at_unix_secs == 0 {
                prop_assert_eq!(refunded.amount, booking.paid);
            }
        }
        prop_assert_eq!(booking.escrow(), Ok(Units::ZERO));
        if booking.currency() == Ok(Currency::Usdc) && !booking.rest_due.is_zero() {
            let depth = booking.rest_due.0.saturating_mul(1_000).min(u64::MAX / 2);
            if depth / 1_000 >= booking.rest_due.0 {
                let reserves = Reserves { usdc: Usdc(depth), io: Io(depth) };
                booking.repurchase(0, reserves, MicroUsd(100_000_000), &later).unwrap();
            } else {
                return Ok(()); // worth more than a pool can hold
            }
        }
        if !booking.earn_due.is_zero() {
            booking.earn(0, &later).unwrap();
        }
        prop_assert!(booking.is_settled(), "{booking:?}");
        prop_assert!(booking.paid >= all);
    }
}
