//! The laws of durations, against the bookings that the chain keeps.

use ionet_rules::booking::{Booking, End, HardwareKind, Offer, WorkLog, compute_cost};
use ionet_rules::money::{MicroUsd, Units};
use ionet_rules::worklog::{EndReason, billable_minutes, period};
use proptest::prelude::*;

use super::*;

const PARAMS: Params = Params::DEFAULT;

fn currencies() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec![Currency::Usdc, Currency::Io])
}

/// Lengths of which every magnitude is as likely, up to ten years.
fn minutes() -> impl Strategy<Value = u32> {
    prop_oneof![1_u32..200, 1_u32..10_000, 1_u32..=43_300, 1_u32..=MAX_MINUTES]
}

/// Rates of which every magnitude is as likely, up to 10,000 dollars.
fn rates() -> impl Strategy<Value = u64> {
    prop_oneof![1_u64..1_000, 1_u64..100_000, 1_u64..10_000_000, 1_u64..10_000_000_000]
}

fn offer(rate: u64, currency: Currency, quantity: u32, minutes: u32) -> Offer {
    Offer {
        currency,
        hardware: HardwareKind::Gpu,
        quantity,
        minutes,
        rate: Units(rate),
        rate_micro_usd: MicroUsd(rate),
        valid_until_unix_secs: i64::MAX,
    }
}

/// What a booking costs the customer who ends it after `used` minutes, by the rules of the chain.
fn paid_in_the_end(offer: &Offer, used: u32) -> u64 {
    let mut booking = Booking::book(offer, &PARAMS, 1).unwrap();
    let total = booking.total().unwrap();
    booking.pay(0, total, &PARAMS, 1).unwrap();
    booking.start(1).unwrap();
    let early = used < offer.minutes;
    let ends = 1 + i64::from(used) * 60;
    let billable = if early { billable_minutes(EndReason::CustomerEnded, i64::from(used) * 60, offer.minutes) } else { offer.minutes };
    let mut logged = 0;
    for sequence in 0.. {
        let period = period(sequence, offer.minutes).unwrap();
        let last = billable <= period.to_minute;
        let to = billable.min(period.to_minute);
        let reason = if early { EndReason::CustomerEnded } else { EndReason::HiredTimeOver };
        let end = last.then_some(End { reason, at_unix_secs: ends });
        let device_minutes = u64::from(to - logged) * u64::from(offer.quantity);
        booking.work(&WorkLog { sequence, device_minutes, end }, &PARAMS, ends).unwrap();
        logged = to;
        if last {
            break;
        }
    }
    if booking.closed == 0 {
        booking.refund().unwrap();
    }
    total.0 - booking.refunded.0
}

#[test]
fn the_published_discounts() {
    let month = 30 * 24 * 60;
    let table =
        |currency| [30, 60, 120, 24 * 60, 7 * 24 * 60, month, 10 * month].map(|minutes| Discounts::new(currency, &PARAMS).bps(minutes));
    assert_eq!(table(Currency::Usdc), [0, 0, 90, 405, 658, 846, 846]);
    assert_eq!(table(Currency::Io), [0, 0, 10, 45, 73, 94, 94]);
    let usdc = Discounts::new(Currency::Usdc, &PARAMS);
    assert_eq!([60, 24 * 60, month].map(|minutes| usdc.rate(2_000_000, minutes)), [2_000_000, 1_919_000, 1_830_688]);
}

/// Every neighbouring pair up to a month and beyond: the next minute always costs more, and the rate never rises.
#[test]
fn each_minute_costs_more_than_the_one_before() {
    for currency in [Currency::Usdc, Currency::Io] {
        let discounts = Discounts::new(currency, &PARAMS);
        for rate in [1, 7, 60, 75, 437, 438, 1_000, 16_500, 57_000, 115_000, 350_000, 2_000_000, 4_500_000_000] {
            let mut before = (0, u64::MAX, Units(0));
            for minutes in 1..=45_000 {
                let now = discounts.rate(rate, minutes);
                let product = now * u64::from(minutes);
                let cost = compute_cost(u64::from(minutes), Units(now)).unwrap();
                assert!(product > before.0 && now <= before.1 && cost >= before.2, "{rate} at {minutes} minutes");
                assert!(rate < 438 || cost > before.2, "{rate} at {minutes} minutes: {cost:?} after {:?}", before.2);
                before = (product, now, cost);
            }
        }
    }
}

proptest! {
    /// To book in pieces is never cheaper, to the last base unit, fees included.
    #[test]
    fn no_gain_in_pieces(rate in rates(), pieces in prop::collection::vec(minutes(), 1..8), quantity in 1_u32..100, currency in currencies()) {
        let discounts = Discounts::new(currency, &PARAMS);
        let pieces: Vec<u32> = pieces.into_iter().map(|minutes| minutes.min(MAX_MINUTES / 8)).collect();
        let whole: u32 = pieces.iter().sum();
        let total = |minutes| Booking::book(&offer(discounts.rate(rate, minutes), currency, quantity, minutes), &PARAMS, 0).unwrap().total().unwrap().0;
        prop_assert!(pieces.iter().map(|&minutes| total(minutes)).sum::<u64>() >= total(whole));
    }

    /// To book longer and not to use it is never cheaper.
    #[test]
    fn no_gain_in_booking_longer(rate in rates(), minutes in minutes(), more in minutes(), quantity in 1_u32..100, currency in currencies()) {
        let discounts = Discounts::new(currency, &PARAMS);
        let longer = minutes.saturating_add(more).min(MAX_MINUTES);
        let product = |minutes: u32| discounts.rate(rate, minutes) * u64::from(minutes);
        prop_assert!(longer == minutes || product(longer) > product(minutes));
        prop_assert!(discounts.rate(rate, longer) <= discounts.rate(rate, minutes));
        prop_assert!(discounts.rate(rate, minutes) <= rate && discounts.rate(rate, minutes) > 0);
        let total = |minutes| Booking::book(&offer(discounts.rate(rate, minutes), currency, quantity, minutes), &PARAMS, 0).unwrap().total().unwrap();
        prop_assert!(total(longer) >= total(minutes));
    }

    /// To book longer and to end early, with the chain's refund, is never cheaper than to book what is used, but for the rounding of the
    /// rate: less than one base unit for each device-hour, and one for each amount that is rounded.
    #[test]
    fn no_gain_in_ending_early(rate in rates(), used in 1_u32..=50_000, more in 1_u32..=50_000, quantity in 1_u32..20, currency in currencies()) {
        let discounts = Discounts::new(currency, &PARAMS);
        let at = |minutes| offer(discounts.rate(rate, minutes), currency, quantity, minutes);
        let right = paid_in_the_end(&at(used), used);
        let longer = paid_in_the_end(&at(used + more), used);
        let rounding = u64::from(used) * u64::from(quantity) / 60 * 10_225 / 10_000 + 4;
        prop_assert!(longer + rounding >= right, "{longer} instead of {right}, for {used} of {} minutes", used + more);
    }

    /// The same for any fees that the program accepts.
    #[test]
    fn no_gain_whatever_the_fees(fees in 0_u64..=1_000, used in 60_u64..=43_200, more in 1_u64..=43_200) {
        let params = Params { reservation_customer_bps: 0, facilitation_usdc_bps: u16::try_from(fees).unwrap(), ..PARAMS };
        let discounts = Discounts::new(Currency::Usdc, &params);
        // A rate so large that no rounding is left.
        let rate = 1_000_000_000_000;
        let at = |minutes: u64| u128::from(discounts.rate(rate, u32::try_from(minutes).unwrap()));
        let (used_, all) = (u128::from(used), u128::from(used + more));
        let right = at(used) * used_ * (10_000 + u128::from(fees));
        let longer = at(used + more) * (used_ * 10_000 + all * u128::from(fees));
        prop_assert!(longer + 20_000 * used_ >= right, "{longer} {right}");
    }

    /// A rate that goes down from one length to a longer one keeps the laws, too.
    #[test]
    fn a_floor_goes_down_no_faster(rate in rates(), from in minutes(), to in minutes(), currency in currencies()) {
        let discounts = Discounts::new(currency, &PARAMS);
        let (from, to) = (from.min(to), from.max(to));
        let after = discounts.after(rate, from, to);
        prop_assert!(after <= rate);
        prop_assert!(from == to || u128::from(after) * u128::from(to) > u128::from(rate) * u128::from(from));
        prop_assert_eq!(discounts.after(rate, to, from), rate);
    }

    #[test]
    fn a_time_is_its_text(quantity in 1_u32..=7_300, unit in prop::sample::select(Unit::ALL.to_vec())) {
        if let Ok(time) = HiredTime::new(quantity, unit) {
            prop_assert_eq!(time.to_string().parse::<HiredTime>().unwrap(), time);
            prop_assert_eq!(HiredTime::from_minutes(time.minutes()).unwrap().minutes(), time.minutes());
            prop_assert_eq!(serde_json::from_str::<HiredTime>(&serde_json::to_string(&time).unwrap()).unwrap(), time);
        } else {
            prop_assert!(u64::from(quantity) * u64::from(unit.minutes()) > u64::from(MAX_MINUTES));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,30}", minutes: u32) {
        let _ = text.parse::<HiredTime>();
        let _ = HiredTime::from_minutes(minutes);
    }
}

#[test]
fn times_are_bounded() {
    assert_eq!("3d".parse::<HiredTime>().unwrap().minutes(), 4_320);
    assert_eq!(HiredTime::from_minutes(30 * 24 * 60).unwrap().to_string(), "1 month");
    assert_eq!(HiredTime::from_minutes(61), None);
    assert_eq!("0 days".parse::<HiredTime>().unwrap_err().to_string(), "quantity: 0 days is not between 1 and 3650");
    assert_eq!("122 months".parse::<HiredTime>().unwrap_err().code(), "duration_out_of_range");
    assert_eq!("soon".parse::<HiredTime>().unwrap_err(), HiredTimeError::Malformed);
    assert!(serde_json::from_str::<HiredTime>(r#"{"quantity":0,"unit":"hour"}"#).is_err());
}
