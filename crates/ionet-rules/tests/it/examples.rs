//! The worked examples of docs/economy.md, sections 1 and 2, number by number.

use ionet_rules::RuleError;
use ionet_rules::booking::{Booking, End, HardwareKind, Offer, Refunded, Status, WorkLog};
use ionet_rules::money::{Currency, IO_UNIT, Io, MicroUsd, Units, Usdc};
use ionet_rules::params::Params;
use ionet_rules::pool::Reserves;
use ionet_rules::worklog::EndReason;

use crate::strategies::NOW;

const PARAMS: Params = Params::DEFAULT;
const HOUR: i64 = 3_600;

fn booked(currency: Currency, minutes: u32) -> Booking {
    let offer = Offer {
        currency,
        hardware: HardwareKind::Gpu,
        quantity: 4,
        minutes,
        rate: Units(115_000),
        rate_micro_usd: MicroUsd(115_000),
        valid_until_unix_secs: NOW,
    };
    Booking::book(&offer, &PARAMS, NOW).unwrap()
}

fn running(minutes: u32) -> Booking {
    let mut booking = booked(Currency::Usdc, minutes);
    booking.pay(0, booking.total().unwrap(), &PARAMS, NOW).unwrap();
    booking.start(NOW).unwrap();
    booking
}

fn log(sequence: u32, device_minutes: u64) -> WorkLog {
    WorkLog { sequence, device_minutes, end: None }
}

fn last_log(sequence: u32, device_minutes: u64, reason: EndReason, at_unix_secs: i64) -> WorkLog {
    WorkLog { sequence, device_minutes, end: Some(End { reason, at_unix_secs }) }
}

/// A refused step: the given error, and not one byte of the booking changed.
#[track_caller]
fn refused<T: std::fmt::Debug + PartialEq>(booking: &Booking, error: RuleError, step: impl FnOnce(&mut Booking) -> Result<T, RuleError>) {
    let mut tried = *booking;
    assert_eq!(step(&mut tried), Err(error));
    assert_eq!(tried, *booking, "a refused step moved something");
}

#[test]
fn four_devices_for_an_hour_at_0_115_usdc_total_0_47035() {
    let booking = booked(Currency::Usdc, 60);
    assert_eq!((booking.cost, booking.fees), (Units(460_000), Units(10_350)));
    assert_eq!(booking.total(), Ok(Units(470_350)));
    // In IO there is no facilitation fee.
    assert_eq!(booked(Currency::Io, 60).total(), Ok(Units(461_150)));
}

#[test]
fn partial_payments_add_up_and_an_overpayment_is_refused() {
    let mut booking = booked(Currency::Usdc, 60);
    refused(&booking, RuleError::ZeroAmount, |b| b.pay(0, Units(0), &PARAMS, NOW));
    refused(&booking, RuleError::Overpayment, |b| b.pay(0, Units(470_351), &PARAMS, NOW));
    refused(&booking, RuleError::Overpayment, |b| b.pay(0, Units(u64::MAX), &PARAMS, NOW));
    booking.pay(0, Units(200_000), &PARAMS, NOW + 10).unwrap();
    assert_eq!((booking.status(), booking.due()), (Ok(Status::PartiallyPaid), Ok(Units(270_350))));
    // The same payment sent twice is taken once.
    refused(&booking, RuleError::WrongSequence, |b| b.pay(0, Units(200_000), &PARAMS, NOW + 10));
    refused(&booking, RuleError::Overpayment, |b| b.pay(1, Units(270_351), &PARAMS, NOW + 10));
    refused(&booking, RuleError::NotStartable, |b| b.start(NOW + 10));
    booking.pay(1, Units(270_350), &PARAMS, NOW + 20).unwrap();
    assert_eq!((booking.status(), booking.due()), (Ok(Status::Paid), Ok(Units(0))));
    refused(&booking, RuleError::NotPayable, |b| b.pay(2, Units(1), &PARAMS, NOW + 20));
}

#[test]
fn the_payment_window_is_restarted_by_each_payment_and_then_everything_goes_back() {
    let mut booking = booked(Currency::Usdc, 60);
    let window = i64::from(PARAMS.payment_window_secs);
    booking.pay(0, Units(100_000), &PARAMS, NOW + window).unwrap();
    refused(&booking, RuleError::PaymentWindowOpen, |b| b.expire(NOW + 2 * window));
    booking.pay(1, Units(100_000), &PARAMS, NOW + 2 * window).unwrap();
    let late = NOW + 3 * window + 1;
    refused(&booking, RuleError::PaymentWindowOver, |b| b.pay(2, Units(1), &PARAMS, late));
    assert_eq!(booking.expire(late), Ok(Units(200_000)));
    assert_eq!((booking.status(), booking.escrow()), (Ok(Status::Expired), Ok(Units(0))));
    assert!(booking.is_settled());
    refused(&booking, RuleError::NotPayable, |b| b.expire(late));
    refused(&booking, RuleError::NotPayable, |b| b.pay(2, Units(1), &PARAMS, late));
    refused(&booking, RuleError::NotExtendable, |b| b.extend(0, 60, Units(1), &PARAMS, late));
    refused(&booking, RuleError::NotRefundable, Booking::refund);
    refused(&booking, RuleError::NotRunning, |b| b.work(&log(0, 1), &PARAMS, late));
}

#[test]
fn three_hours_are_logged_once() {
    let mut booking = running(180);
    refused(&booking, RuleError::WorkTooEarly, |b| b.work(&last_log(0, 720, EndReason::HiredTimeOver, 0), &PARAMS, NOW + 3 * HOUR - 1));
    refused(&booking, RuleError::WorkTooLarge, |b| b.work(&last_log(0, 721, EndReason::HiredTimeOver, 0), &PARAMS, NOW + 3 * HOUR));
    let worked = booking.work(&last_log(0, 720, EndReason::HiredTimeOver, 0), &PARAMS, NOW + 3 * HOUR).unwrap();
    assert_eq!((worked.value, worked.value_micro_usd, worked.dust), (Units(1_380_000), MicroUsd(1_380_000), Units(0)));
    assert_eq!((booking.status(), booking.logs, booking.closed), (Ok(Status::Ended), 1, 1));
    assert_eq!(booking.ended_at_unix_secs, NOW + 3 * HOUR);
    refused(&booking, RuleError::NotRunning, |b| b.work(&log(1, 1), &PARAMS, NOW + 100 * HOUR));
    refused(&booking, RuleError::WrongSequence, |b| b.work(&log(0, 1), &PARAMS, NOW + 100 * HOUR));
    refused(&booking, RuleError::NotRefundable, Booking::refund);
    refused(&booking, RuleError::NotExtendable, |b| b.extend(0, 60, Units(470_350), &PARAMS, NOW + 3 * HOUR));
}

#[test]
fn forty_eight_hours_are_logged_twice() {
    let mut booking = running(48 * 60);
    refused(&booking, RuleError::WorkTooEarly, |b| b.work(&log(0, 5_760), &PARAMS, NOW + 24 * HOUR - 1));
    let first = booking.work(&log(0, 5_760), &PARAMS, NOW + 24 * HOUR).unwrap();
    refused(&booking, RuleError::WrongSequence, |b| b.work(&log(0, 5_760), &PARAMS, NOW + 24 * HOUR));
    refused(&booking, RuleError::WorkTooEarly, |b| b.work(&log(1, 5_760), &PARAMS, NOW + 47 * HOUR));
    let second = booking.work(&last_log(1, 5_760, EndReason::HiredTimeOver, 0), &PARAMS, NOW + 48 * HOUR).unwrap();
    assert_eq!(first.value.plus(second.value), Ok(booking.cost));
    assert_eq!((booking.logs, booking.worked_micro_usd), (2, MicroUsd(22_080_000)));
}

#[test]
fn an_early_end_refunds_all_but_the_first_hour() {
    // Ended after ten minutes of three hours: the first hour is charged, two hours go back, the fees do not.
    let mut booking = running(180);
    let at = NOW + 600;
    refused(&booking, RuleError::WorkTooLarge, |b| b.work(&last_log(0, 241, EndReason::CustomerEnded, at), &PARAMS, at));
    refused(&booking, RuleError::WorkTooEarly, |b| b.work(&last_log(0, 240, EndReason::CustomerEnded, at + 1), &PARAMS, at));
    refused(&booking, RuleError::NotRefundable, Booking::refund);
    booking.work(&last_log(0, 240, EndReason::CustomerEnded, at), &PARAMS, at).unwrap();
    assert_eq!(booking.refund(), Ok(Refunded { amount: Units(920_000), dust: Units(0) }));
    assert_eq!((booking.worked, booking.fees_taken, booking.escrow()), (Units(460_000), booking.fees, Ok(Units(0))));
    refused(&booking, RuleError::NotRefundable, Booking::refund);
    refused(&booking, RuleError::NotExtendable, |b| b.extend(0, 60, Units(470_350), &PARAMS, at));
}

#[test]
fn an_early_end_after_the_first_hour_charges_started_minutes() {
    let mut booking = running(180);
    let at = NOW + 90 * 60 + 1;
    refused(&booking, RuleError::WorkTooLarge, |b| b.work(&last_log(0, 4 * 91 + 1, EndReason::CustomerEnded, at), &PARAMS, at));
    booking.work(&last_log(0, 4 * 91, EndReason::CustomerEnded, at), &PARAMS, at).unwrap();
    // 4 x 89 minutes at 0.115 an hour: 682 333.3.
    assert_eq!(booking.refund(), Ok(Refunded { amount: Units(682_333), dust: Units(1) }));
    assert_eq!(booking.dust, Units(1));
}

#[test]
fn a_network_that_fails_gives_every_undelivered_minute_back() {
    let mut booking = running(180);
    let at = NOW + 90 * 60 + 59;
    refused(&booking, RuleError::WorkTooLarge, |b| b.work(&last_log(0, 4 * 90 + 1, EndReason::NetworkFailed, at), &PARAMS, at));
    booking.work(&last_log(0, 4 * 90, EndReason::NetworkFailed, at), &PARAMS, at).unwrap();
    assert_eq!(booking.refund().unwrap().amount, Units(690_000));
    // Inside the first hour nothing is charged at all.
    let mut booking = running(180);
    let at = NOW + 59 * 60;
    refused(&booking, RuleError::WorkTooLarge, |b| b.work(&last_log(0, 1, EndReason::NetworkFailed, at), &PARAMS, at));
    booking.work(&last_log(0, 0, EndReason::NetworkFailed, at), &PARAMS, at).unwrap();
    assert_eq!(booking.refund().unwrap().amount, booking.cost);
}

#[test]
fn a_paid_cluster_that_never_starts_gets_its_fees_back_too() {
    let mut booking = booked(Currency::Io, 180);
    booking.pay(0, booking.total().unwrap(), &PARAMS, NOW).unwrap();
    refused(&booking, RuleError::NotRunning, |b| b.work(&last_log(0, 0, EndReason::CustomerEnded, NOW), &PARAMS, NOW));
    refused(&booking, RuleError::WorkTooLarge, |b| b.work(&last_log(0, 1, EndReason::NetworkFailed, NOW), &PARAMS, NOW));
    booking.work(&last_log(0, 0, EndReason::NetworkFailed, NOW + 60), &PARAMS, NOW + 60).unwrap();
    assert_eq!(booking.refund().unwrap().amount, booking.paid);
    assert_eq!((booking.ended_at_unix_secs, booking.fees_taken), (NOW + 60, Units(0)));
}

#[test]
fn a_cluster_that_never_started_cannot_have_ended_in_the_future_or_before_it_was_booked() {
    let mut booking = booked(Currency::Usdc, 180);
    booking.pay(0, booking.total().unwrap(), &PARAMS, NOW).unwrap();
    for at in [i64::MIN, 0, NOW - 1, NOW + 61, i64::MAX] {
        refused(&booking, RuleError::WorkTooEarly, |b| b.work(&last_log(0, 0, EndReason::NetworkFailed, at), &PARAMS, NOW + 60));
    }
}

#[test]
fn an_extension_costs_the_original_rate_and_the_cluster_runs_on() {
    let mut booking = running(60);
    let price = booking.extension_price(60, &PARAMS).unwrap();
    assert_eq!((price.cost, price.fees, price.total), (Units(460_000), Units(10_350), Units(470_350)));
    let now = NOW + 59 * 60;
    refused(&booking, RuleError::Overpayment, |b| b.extend(0, 60, Units(470_351), &PARAMS, now));
    refused(&booking, RuleError::NotPayable, |b| b.extend(0, 60, Units(470_349), &PARAMS, now));
    refused(&booking, RuleError::WrongSequence, |b| b.extend(1, 60, Units(470_350), &PARAMS, now));
    refused(&booking, RuleError::MinutesOutOfRange, |b| b.extend(0, 0, Units(0), &PARAMS, now));
    refused(&booking, RuleError::MinutesOutOfRange, |b| b.extend(0, u32::MAX, Units(1), &PARAMS, now));
    refused(&booking, RuleError::NotExtendable, |b| b.extend(0, 60, Units(470_350), &PARAMS, NOW + HOUR));
    let extended = booking.extend(0, 60, Units(470_350), &PARAMS, now).unwrap();
    assert_eq!((extended.paid, extended.fees), (Units(470_350), Units(10_350)));
    assert_eq!((booking.status(), booking.minutes_hired), (Ok(Status::Running), 120));
    refused(&booking, RuleError::WrongSequence, |b| b.extend(0, 60, Units(470_350), &PARAMS, now));
    refused(&booking, RuleError::WorkTooEarly, |b| b.work(&last_log(0, 240, EndReason::HiredTimeOver, 0), &PARAMS, NOW + HOUR));
    booking.work(&last_log(0, 480, EndReason::HiredTimeOver, 0), &PARAMS, NOW + 2 * HOUR).unwrap();
    assert_eq!((booking.escrow(), booking.fees_taken), (Ok(Units(0)), Units(20_700)));
}

#[test]
fn worked_usdc_becomes_io_and_is_earned_once() {
    let mut booking = running(60);
    booking.work(&last_log(0, 240, EndReason::HiredTimeOver, 0), &PARAMS, NOW + HOUR).unwrap();
    assert_eq!((booking.supplier_paid, booking.rest_due, booking.rest_fee_due), (Units(383_985), Units(76_015), Units(23_000)));
    let reserves = Reserves { usdc: Usdc(1_000_000_000_000), io: Io(1_000_000 * IO_UNIT) };
    let price = MicroUsd(1_000_000);
    refused(&booking, RuleError::WrongSequence, |b| b.repurchase(1, reserves, price, &PARAMS));
    refused(&booking, RuleError::PoolOffOracle, |b| b.repurchase(0, reserves, MicroUsd(1_030_000), &PARAMS));
    refused(&booking, RuleError::PoolEmpty, |b| b.repurchase(0, Reserves { io: Io(0), ..reserves }, price, &PARAMS));
    refused(&booking, RuleError::NothingDue, |b| b.earn(0, &PARAMS));
    let (usdc_in, io_out) = booking.repurchase(0, reserves, price, &PARAMS).unwrap();
    assert_eq!((usdc_in, io_out), (Usdc(76_015), Io(7_601_499)));
    refused(&booking, RuleError::WrongSequence, |b| b.repurchase(0, reserves, price, &PARAMS));
    refused(&booking, RuleError::NothingDue, |b| b.repurchase(1, reserves, price, &PARAMS));
    assert!(!booking.is_settled());
    let (amount, split) = booking.earn(0, &PARAMS).unwrap();
    assert_eq!((amount, split.burned, split.incentives), (io_out, Io(1_149_999), Io(1_150_000)));
    refused(&booking, RuleError::WrongSequence, |b| b.earn(0, &PARAMS));
    refused(&booking, RuleError::NothingDue, |b| b.earn(1, &PARAMS));
    assert!(booking.is_settled());
}

#[test]
fn work_paid_in_io_is_earned_without_a_repurchase() {
    let mut booking = booked(Currency::Io, 60);
    booking.pay(0, booking.total().unwrap(), &PARAMS, NOW).unwrap();
    booking.start(NOW).unwrap();
    booking.work(&last_log(0, 240, EndReason::HiredTimeOver, 0), &PARAMS, NOW + HOUR).unwrap();
    let reserves = Reserves { usdc: Usdc(1_000_000), io: Io(IO_UNIT) };
    refused(&booking, RuleError::CurrencyMismatch, |b| b.repurchase(0, reserves, MicroUsd(1_000_000), &PARAMS));
    // S = 460 000 - 23 000 - 1 150 = 435 850; nine tenths are 392 265.
    let (amount, split) = booking.earn(0, &PARAMS).unwrap();
    assert_eq!((booking.supplier_paid, amount, split.burned), (Units(392_265), Io(67_735), Io(11_500)));
    assert!(booking.is_settled());
}
