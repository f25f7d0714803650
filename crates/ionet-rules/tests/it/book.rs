//! Booking and prices: what an offer may say, what it costs, and that extending costs what booking at once would have cost.

use ionet_rules::RuleError;
use ionet_rules::booking::{Booking, HardwareKind, MAX_MINUTES, MAX_QUANTITY, MAX_RATE, Offer, Status, compute_cost, compute_value};
use ionet_rules::money::{Currency, MicroUsd, Units};
use ionet_rules::params::Params;
use proptest::prelude::*;

use crate::strategies::{NOW, amount, minutes, offer, params};

const OFFER: Offer = Offer {
    currency: Currency::Usdc,
    hardware: HardwareKind::Cpu,
    quantity: 4,
    minutes: 60,
    rate: Units(115_000),
    rate_micro_usd: MicroUsd(115_000),
    valid_until_unix_secs: NOW,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_charge_is_never_below_the_value_and_less_than_one_base_unit_above(minutes in amount(), rate in amount()) {
        match (compute_cost(minutes, Units(rate)), compute_value(minutes, Units(rate))) {
            (Ok(cost), Ok(value)) => prop_assert!(cost.0 - value.0 <= 1 && cost >= value),
            (Err(error), _) => prop_assert_eq!(error, RuleError::Overflow),
            (Ok(_), Err(_)) => prop_assert!(false, "a value that is counted as a charge is counted as a payout"),
        }
    }

    #[test]
    fn an_accepted_offer_is_booked_as_it_was_offered(offer in offer(), params in params()) {
        let Ok(booking) = Booking::book(&offer, &params, NOW) else { return Ok(()) };
        prop_assert_eq!(booking.check(), Ok(()));
        prop_assert_eq!(booking.status(), Ok(Status::Booked));
        prop_assert_eq!(booking.currency(), Ok(offer.currency));
        prop_assert_eq!((booking.rate, booking.rate_micro_usd), (offer.rate, offer.rate_micro_usd));
        prop_assert_eq!(booking.due(), booking.total());
        prop_assert_eq!(booking.escrow(), Ok(Units::ZERO));
        prop_assert_eq!(booking.device_minutes_hired(), u64::from(offer.quantity) * u64::from(offer.minutes));
        prop_assert_eq!(booking.pay_by_unix_secs, NOW + i64::from(params.payment_window_secs));
        // Everything that this booking can ever be asked to count, it can count.
        prop_assert!(compute_value(booking.device_minutes_hired(), Units(booking.rate_micro_usd.0)).is_ok());
    }

    #[test]
    fn extending_costs_what_booking_at_once_costs(mut offer in offer(), more in minutes(), params in params()) {
        let (Ok(short), Some(all)) = (Booking::book(&offer, &params, NOW), offer.minutes.checked_add(more)) else { return Ok(()) };
        offer.minutes = all;
        let long = Booking::book(&offer, &params, NOW);
        match (short.extension_price(more, &params), long) {
            (Ok(price), Ok(long)) => {
                prop_assert_eq!(short.cost.plus(price.cost), Ok(long.cost));
                prop_assert_eq!(price.cost.plus(price.fees), Ok(price.total));
                // Two fees rounded up twice instead of once each.
                let fees = short.fees.0 + price.fees.0;
                prop_assert!(fees >= long.fees.0 && fees <= long.fees.0 + 2);
            }
            (Err(_), Err(_)) => {}
            (price, long) => prop_assert!(
                // The fees of the sum may just fit where the sum of the rounded fees does not, and the other way round.
                matches!((price, long), (Err(RuleError::Overflow), Ok(_)) | (Ok(_), Err(RuleError::Overflow))),
                "{price:?} against {long:?}"
            ),
        }
    }
}

#[test]
fn an_offer_outside_its_range_is_refused() {
    let refused = |offer: Offer, error| assert_eq!(Booking::book(&offer, &Params::DEFAULT, NOW), Err(error), "{offer:?}");
    for quantity in [0, MAX_QUANTITY + 1, u32::MAX] {
        refused(Offer { quantity, ..OFFER }, RuleError::QuantityOutOfRange);
    }
    for minutes in [0, MAX_MINUTES + 1, u32::MAX] {
        refused(Offer { minutes, ..OFFER }, RuleError::MinutesOutOfRange);
    }
    for rate in [0, MAX_RATE + 1, u64::MAX] {
        refused(Offer { rate: Units(rate), rate_micro_usd: MicroUsd(rate), ..OFFER }, RuleError::RateOutOfRange);
        refused(Offer { rate: Units(rate), currency: Currency::Io, ..OFFER }, RuleError::RateOutOfRange);
        refused(Offer { rate_micro_usd: MicroUsd(rate), currency: Currency::Io, ..OFFER }, RuleError::RateOutOfRange);
    }
    // A dollar booking has one rate.
    refused(Offer { rate_micro_usd: MicroUsd(115_001), ..OFFER }, RuleError::RateOutOfRange);
    refused(Offer { valid_until_unix_secs: NOW - 1, ..OFFER }, RuleError::QuoteExpired);
    refused(Offer { valid_until_unix_secs: i64::MIN, ..OFFER }, RuleError::QuoteExpired);
    let most = Offer { quantity: MAX_QUANTITY, minutes: MAX_MINUTES, ..OFFER };
    refused(Offer { rate: Units(MAX_RATE), rate_micro_usd: MicroUsd(MAX_RATE), ..most }, RuleError::Overflow);
    assert!(Booking::book(&most, &Params::DEFAULT, NOW).is_ok());
}

#[test]
fn a_cheap_rate_in_io_does_not_hide_a_dollar_value_that_cannot_be_counted() {
    // Its cost is small, but its value in dollars would overflow at the first work log, with the customer's money in escrow.
    let offer = Offer {
        currency: Currency::Io,
        quantity: MAX_QUANTITY,
        minutes: MAX_MINUTES,
        rate: Units(1),
        rate_micro_usd: MicroUsd(MAX_RATE),
        ..OFFER
    };
    assert_eq!(Booking::book(&offer, &Params::DEFAULT, NOW), Err(RuleError::Overflow));
    let mut booking = Booking::book(&Offer { quantity: 1, minutes: 1_000_000, ..offer }, &Params::DEFAULT, NOW).unwrap();
    booking.quantity = MAX_QUANTITY;
    assert_eq!(booking.extension_price(MAX_MINUTES - 1_000_000, &Params::DEFAULT).err(), Some(RuleError::Overflow));
}

#[test]
fn stored_bytes_name_a_status_and_a_kind_or_are_refused() {
    let statuses = [Status::Booked, Status::PartiallyPaid, Status::Paid, Status::Running, Status::Ended, Status::Expired];
    let codes = ["booked", "partially_paid", "paid", "running", "ended", "expired"];
    for (byte, (status, code)) in (0..).zip(statuses.into_iter().zip(codes)) {
        assert_eq!((Status::from_u8(byte), status.code()), (Ok(status), code));
    }
    assert_eq!(Status::from_u8(6), Err(RuleError::UnknownValue));
    assert_eq!(HardwareKind::from_u8(0), Ok(HardwareKind::Cpu));
    assert_eq!(HardwareKind::from_u8(1), Ok(HardwareKind::Gpu));
    assert_eq!(HardwareKind::from_u8(2), Err(RuleError::UnknownValue));
}
