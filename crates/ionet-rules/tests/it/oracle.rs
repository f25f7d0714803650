//! The price: what somebody fresh said, in the middle of what the others said, or none.

use ionet_rules::RuleError;
use ionet_rules::money::{IO_UNIT, MicroUsd};
use ionet_rules::oracle::{MAX_ORACLES, MAX_PRICE, Submission, io_for_record, last_median, price, submit};
use ionet_rules::params::Params;
use proptest::prelude::*;

use crate::strategies::{NOW, amount, params, time};

fn submission() -> impl Strategy<Value = Submission> {
    let near = (900_000u64..1_100_000, -1_300i64..=10).prop_map(|(price, age)| (price, NOW + age));
    let wild = (0u64..=MAX_PRICE.0, time());
    prop_oneof![5 => near, 1 => wild].prop_map(|(price, at_unix_secs)| Submission { price: MicroUsd(price), at_unix_secs })
}

fn at(price: u64, at_unix_secs: i64) -> Submission {
    Submission { price: MicroUsd(price), at_unix_secs }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_price_is_a_fresh_submission_in_the_middle_and_within_the_scatter(
        set in prop::collection::vec(submission(), 0..=MAX_ORACLES + 1), params in params(),
    ) {
        // Said again without sorting: what counts is how many are below and above.
        let fresh: Vec<u64> = set
            .iter()
            .filter(|one| one.price.0 != 0 && one.at_unix_secs <= NOW && NOW.saturating_sub(one.at_unix_secs) <= i64::from(params.price_max_age_secs))
            .map(|one| one.price.0)
            .collect();
        match price(&set, &params, NOW) {
            Ok(MicroUsd(median)) => {
                prop_assert!(fresh.contains(&median));
                let below = fresh.iter().filter(|one| **one < median).count();
                let above = fresh.iter().filter(|one| **one > median).count();
                prop_assert!(2 * below < fresh.len() && 2 * above <= fresh.len());
                prop_assert!(2 * fresh.len() >= set.len() && set.len() <= MAX_ORACLES);
                let allowed = u128::from(median) * u128::from(params.price_scatter_bps);
                prop_assert!(fresh.iter().all(|one| u128::from(one.abs_diff(median)) * 10_000 <= allowed));
            }
            Err(RuleError::PriceStale) => {
                prop_assert!(set.len() > MAX_ORACLES || fresh.is_empty() || 2 * fresh.len() < set.len());
            }
            Err(error) => prop_assert_eq!(error, RuleError::PriceScattered),
        }
    }

    #[test]
    fn the_order_of_the_oracles_does_not_matter(set in prop::collection::vec(submission(), 1..=MAX_ORACLES), params in params(), turn in 0usize..8) {
        let mut turned = set.clone();
        turned.rotate_left(turn % set.len());
        prop_assert_eq!(price(&set, &params, NOW), price(&turned, &params, NOW));
        turned.reverse();
        prop_assert_eq!(price(&set, &params, NOW), price(&turned, &params, NOW));
    }

    #[test]
    fn less_than_half_of_the_oracles_cannot_move_the_price_beyond_the_honest(
        honest in prop::collection::vec(990_000u64..1_010_000, 4), lie in 1u64..=MAX_PRICE.0, liars in 0usize..=3,
    ) {
        let mut set: Vec<_> = honest.iter().map(|price| at(*price, NOW)).collect();
        set.extend((0..liars).map(|_| at(lie, NOW)));
        if let Ok(MicroUsd(median)) = price(&set, &Params::DEFAULT, NOW) {
            prop_assert!(*honest.iter().min().unwrap() <= median && median <= *honest.iter().max().unwrap());
        }
    }

    #[test]
    fn a_submission_replaces_only_an_older_one(last in submission(), new in any::<u64>(), now in time()) {
        match submit(last, MicroUsd(new), now) {
            Ok(next) => {
                prop_assert_eq!(next, at(new, now));
                prop_assert!(new != 0 && new <= MAX_PRICE.0);
                prop_assert!(last.price.is_zero() || now > last.at_unix_secs);
            }
            Err(RuleError::PriceOutOfRange) => prop_assert!(new == 0 || new > MAX_PRICE.0),
            Err(error) => {
                prop_assert_eq!(error, RuleError::PriceNotNewer);
                prop_assert!(now <= last.at_unix_secs);
            }
        }
    }
}

#[test]
fn half_of_the_set_must_be_fresh() {
    let params = Params::DEFAULT;
    let age = i64::from(params.price_max_age_secs);
    let (fresh, stale) = (at(1_000_000, NOW - age), at(1_000_000, NOW - age - 1));
    assert_eq!(price(&[], &params, NOW), Err(RuleError::PriceStale));
    assert_eq!(price(&[fresh], &params, NOW), Ok(MicroUsd(1_000_000)));
    assert_eq!(price(&[stale], &params, NOW), Err(RuleError::PriceStale));
    assert_eq!(price(&[fresh, stale], &params, NOW), Ok(MicroUsd(1_000_000)));
    assert_eq!(price(&[fresh, stale, stale], &params, NOW), Err(RuleError::PriceStale));
    assert_eq!(price(&[at(1_000_000, NOW + 1)], &params, NOW), Err(RuleError::PriceStale));
    assert_eq!(price(&[Submission::default()], &params, 0), Err(RuleError::PriceStale));
}

#[test]
fn scattered_prices_give_none() {
    let params = Params::DEFAULT;
    let set = |prices: &[u64]| prices.iter().map(|price| at(*price, NOW)).collect::<Vec<_>>();
    assert_eq!(price(&set(&[1_000_000, 1_050_000]), &params, NOW), Ok(MicroUsd(1_000_000)));
    assert_eq!(price(&set(&[1_000_000, 1_050_001]), &params, NOW), Err(RuleError::PriceScattered));
    assert_eq!(price(&set(&[1_000_000, 950_000, 1_040_000]), &params, NOW), Ok(MicroUsd(1_000_000)));
    assert_eq!(price(&set(&[1_000_000, 949_999, 1_040_000]), &params, NOW), Err(RuleError::PriceScattered));
}

#[test]
fn unchecked_extremes_are_answered_not_panicked_over() {
    let params = Params { price_scatter_bps: u16::MAX, price_max_age_secs: u32::MAX, ..Params::DEFAULT };
    let set = [at(u64::MAX, NOW), at(u64::MAX - 1, NOW)];
    assert_eq!(price(&set, &params, NOW), Err(RuleError::Overflow));
    assert_eq!(price(&[at(1, i64::MAX)], &params, i64::MIN), Err(RuleError::PriceStale));
    assert_eq!(price(&[at(1, i64::MIN)], &params, i64::MAX), Err(RuleError::PriceStale));
}

proptest! {
    #[test]
    fn a_record_s_value_in_io_never_keeps_work_from_being_logged(
        value in amount(), set in prop::collection::vec((amount(), time()), 0..=MAX_ORACLES + 1),
    ) {
        let set: Vec<_> = set.into_iter().map(|(price, at_unix_secs)| at(price, at_unix_secs)).collect();
        let median = last_median(&set);
        prop_assert!(median.is_zero() || set.iter().any(|one| one.price == median));
        prop_assert_eq!(median.is_zero(), set.iter().take(MAX_ORACLES).all(|one| one.price.is_zero()));
        let io = io_for_record(MicroUsd(value), &set);
        if !io.is_zero() {
            prop_assert!(u128::from(io.0) * u128::from(median.0) <= u128::from(value) * u128::from(IO_UNIT));
        }
    }
}
