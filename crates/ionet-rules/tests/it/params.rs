//! Parameters: each bound holds, and each field is bounded.

use ionet_rules::RuleError;
use ionet_rules::params::Params;
use proptest::prelude::*;

use crate::strategies::{params, wild_params};

type Setter = fn(&mut Params, u32);

/// Each field with the least and the greatest value it may have.
const BOUNDS: [(&str, u32, u32, u32, Setter); 11] = [
    ("payment_window_secs", 60, 86_400, u32::MAX, |p, v| p.payment_window_secs = v),
    ("price_max_age_secs", 60, 3_600, u32::MAX, |p, v| p.price_max_age_secs = v),
    ("reservation_customer_bps", 0, 100, 65_535, |p, v| p.reservation_customer_bps = v as u16),
    ("reservation_supplier_bps", 0, 100, 65_535, |p, v| p.reservation_supplier_bps = v as u16),
    ("facilitation_usdc_bps", 0, 500, 65_535, |p, v| p.facilitation_usdc_bps = v as u16),
    ("facilitation_io_bps", 0, 500, 65_535, |p, v| p.facilitation_io_bps = v as u16),
    ("network_fee_bps", 0, 1_000, 65_535, |p, v| p.network_fee_bps = v as u16),
    ("network_fee_burn_bps", 0, 10_000, 65_535, |p, v| p.network_fee_burn_bps = v as u16),
    ("dollar_share_bps", 3_000, 9_000, 65_535, |p, v| p.dollar_share_bps = v as u16),
    ("pool_guard_bps", 10, 1_000, 65_535, |p, v| p.pool_guard_bps = v as u16),
    ("price_scatter_bps", 10, 2_000, 65_535, |p, v| p.price_scatter_bps = v as u16),
];

#[test]
fn every_field_is_refused_just_outside_its_bounds() {
    for (name, low, high, most, set) in BOUNDS {
        let with = |value| {
            let mut params = Params::DEFAULT;
            set(&mut params, value);
            params.check()
        };
        assert_eq!((with(low), with(high)), (Ok(()), Ok(())), "{name}");
        for outside in [low.checked_sub(1), Some(high + 1), Some(most)].into_iter().flatten() {
            assert_eq!(with(outside), Err(RuleError::ParamOutOfBounds), "{name} = {outside}");
        }
    }
}

#[test]
fn unused_bytes_stay_zero() {
    for index in 0..7 {
        let mut params = Params::DEFAULT;
        params.reserved[index] = 1;
        assert_eq!(params.check(), Err(RuleError::ParamOutOfBounds));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_lies_within_the_bounds_is_accepted(params in params()) {
        prop_assert_eq!(params.check(), Ok(()));
    }

    #[test]
    fn accepted_fees_leave_the_supplier_most_of_its_work(params in wild_params()) {
        if params.check().is_ok() {
            let fees = params.reservation_supplier_bps + params.facilitation_usdc_bps + params.network_fee_bps;
            prop_assert!(fees < 5_000);
        }
    }
}
