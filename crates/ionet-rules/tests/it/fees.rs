//! Fees: the customer's are charged up, the supplier's part is paid down, and every division gives back exactly what it divided.

use ionet_rules::fees::{customer_fees, split_earned, split_worked};
use ionet_rules::money::{Currency, Io, Units};
use ionet_rules::params::Params;
use ionet_rules::{RuleError, money};
use proptest::prelude::*;

use crate::strategies::{amount, currency, params};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn customer_fees_are_charged_up_by_less_than_two_base_units(cost in amount(), currency in currency(), params in params()) {
        let facilitation = match currency {
            Currency::Usdc => params.facilitation_usdc_bps,
            Currency::Io => params.facilitation_io_bps,
        };
        let bps = u128::from(params.reservation_customer_bps) + u128::from(facilitation);
        let exact = u128::from(cost) * bps;
        let fees = u128::from(customer_fees(Units(cost), currency, &params).unwrap().0) * u128::from(money::BPS);
        prop_assert!(fees >= exact && fees < exact + 2 * u128::from(money::BPS));
    }

    #[test]
    fn customer_fees_never_fall_with_the_cost(a in amount(), b in amount(), currency in currency(), params in params()) {
        let (low, high) = (a.min(b), a.max(b));
        prop_assert!(customer_fees(Units(low), currency, &params).unwrap() <= customer_fees(Units(high), currency, &params).unwrap());
    }

    #[test]
    fn a_worked_value_is_divided_without_rest(value in amount(), currency in currency(), params in params()) {
        let split = split_worked(Units(value), currency, &params).unwrap();
        prop_assert_eq!(split.supplier.plus(split.rest), Ok(Units(value)));
        prop_assert!(split.network_fee <= split.rest, "the network fee lies within the rest");
        // The supplier never gets more than the dollar share of the whole, nor more than is left after the fees.
        prop_assert!(split.supplier <= Units(value).share_down(params.dollar_share_bps).unwrap());
        let fees = Units(value).share_up(params.network_fee_bps).unwrap();
        prop_assert!(split.supplier.0 <= value - fees.0.min(value));
    }

    #[test]
    fn earned_io_is_divided_without_rest(amount in amount(), fee in amount(), params in params()) {
        match split_earned(Io(amount), Io(fee), &params) {
            Ok(split) => {
                prop_assert_eq!(split.burned.plus(split.incentives).and_then(|sum| sum.plus(split.treasury)), Ok(Io(amount)));
                prop_assert_eq!(split.burned.plus(split.incentives), Ok(Io(fee)));
                prop_assert!(split.burned <= Io(fee).share_up(params.network_fee_burn_bps).unwrap());
            }
            Err(error) => {
                prop_assert_eq!(error, RuleError::Overflow);
                prop_assert!(fee > amount, "only a fee larger than the whole is refused");
            }
        }
    }
}

#[test]
fn the_default_fees_are_those_of_the_economy() {
    let params = Params::DEFAULT;
    assert_eq!(customer_fees(Units(460_000), Currency::Usdc, &params), Ok(Units(9_200 + 1_150)));
    assert_eq!(customer_fees(Units(460_000), Currency::Io, &params), Ok(Units(1_150)));
    // V = 460 000: network 23 000, reservation 1 150, facilitation 9 200; S = 426 650; nine tenths of it for the suppliers.
    let split = split_worked(Units(460_000), Currency::Usdc, &params).unwrap();
    assert_eq!((split.supplier, split.network_fee, split.rest), (Units(383_985), Units(23_000), Units(76_015)));
    let earned = split_earned(Io(76_015), Io(23_000), &params).unwrap();
    assert_eq!((earned.burned, earned.incentives, earned.treasury), (Io(11_500), Io(11_500), Io(53_015)));
}
