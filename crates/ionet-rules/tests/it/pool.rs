//! The pool: a swap never lowers the product of the reserves, and never goes through far from the oracle's price.

use ionet_rules::RuleError;
use ionet_rules::money::{BPS, IO_UNIT, Io, MicroUsd, Usdc};
use ionet_rules::pool::{Reserves, guarded_swap, swap};
use proptest::prelude::*;

use crate::strategies::amount;

fn product(reserves: Reserves) -> u128 {
    u128::from(reserves.usdc.0) * u128::from(reserves.io.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_swap_never_lowers_the_product(usdc in amount(), io in amount(), usdc_in in amount()) {
        let before = Reserves { usdc: Usdc(usdc), io: Io(io) };
        match swap(before, Usdc(usdc_in)) {
            Ok(out) => {
                prop_assert!(out < before.io, "the pool is never emptied");
                let after = Reserves { usdc: before.usdc.plus(Usdc(usdc_in)).unwrap(), io: before.io.minus(out).unwrap() };
                prop_assert!(product(after) >= product(before));
                // Rounded down by less than one base unit: one more would lower it.
                prop_assert!(u128::from(after.usdc.0) * u128::from(after.io.0 - 1) < product(before));
            }
            Err(RuleError::PoolEmpty) => prop_assert!(usdc == 0 || io == 0),
            Err(RuleError::ZeroAmount) => prop_assert_eq!(usdc_in, 0),
            Err(error) => {
                prop_assert_eq!(error, RuleError::Overflow);
                prop_assert!(usdc.checked_add(usdc_in).is_none());
            }
        }
    }

    #[test]
    fn two_small_swaps_never_beat_one_large(usdc in 1u64..1 << 50, io in 1u64..1 << 50, a in 1u64..1 << 40, b in 1u64..1 << 40) {
        let start = Reserves { usdc: Usdc(usdc), io: Io(io) };
        let whole = swap(start, Usdc(a + b)).unwrap();
        let first = swap(start, Usdc(a)).unwrap();
        let between = Reserves { usdc: Usdc(usdc + a), io: start.io.minus(first).unwrap() };
        let second = swap(between, Usdc(b)).unwrap();
        prop_assert!(first.0 + second.0 <= whole.0 + 1, "the rounding of the first swap is all there is to gain");
    }

    #[test]
    fn the_guard_lets_through_only_what_is_near_the_oracle(
        usdc in amount(), io in amount(), usdc_in in amount(), price in amount(), guard in 10u16..=1_000,
    ) {
        let reserves = Reserves { usdc: Usdc(usdc), io: Io(io) };
        let Ok(out) = guarded_swap(reserves, Usdc(usdc_in), MicroUsd(price), guard) else { return Ok(()) };
        prop_assert_eq!(Ok(out), swap(reserves, Usdc(usdc_in)));
        let received = u128::from(out.0) * u128::from(price);
        let paid = u128::from(usdc_in) * u128::from(IO_UNIT);
        let allowed = paid / u128::from(BPS) * u128::from(guard) + u128::from(guard) + u128::from(price);
        prop_assert!(received.abs_diff(paid) <= allowed);
    }

    #[test]
    fn a_deep_pool_at_the_oracle_s_price_serves(price in 1_000u64..1_000_000_000, usdc_in in 1u64..1_000_000_000) {
        // A thousand times as deep as the swap: it moves the price by a tenth of a percent.
        let usdc = usdc_in * 1_000;
        let io = u64::try_from(u128::from(usdc) * u128::from(IO_UNIT) / u128::from(price)).unwrap();
        let reserves = Reserves { usdc: Usdc(usdc), io: Io(io) };
        prop_assert!(guarded_swap(reserves, Usdc(usdc_in), MicroUsd(price), 200).is_ok());
    }
}

#[test]
fn the_guard_refuses_on_both_sides() {
    let price = MicroUsd(1_000_000);
    let pool = |usdc: u64, io: u64| Reserves { usdc: Usdc(usdc * 1_000_000), io: Io(io * IO_UNIT) };
    let swap_one = |reserves| guarded_swap(reserves, Usdc(1_000_000), price, 200);
    assert!(swap_one(pool(1_000_000, 1_000_000)).is_ok());
    assert!(swap_one(pool(1_000_000, 1_019_000)).is_ok());
    assert_eq!(swap_one(pool(1_000_000, 1_021_000)), Err(RuleError::PoolOffOracle));
    assert!(swap_one(pool(1_000_000, 981_000)).is_ok());
    assert_eq!(swap_one(pool(1_000_000, 979_000)), Err(RuleError::PoolOffOracle));
    // The pool's price is right, but the swap is too large for it.
    assert_eq!(swap_one(pool(40, 40)), Err(RuleError::PoolOffOracle));
}

#[test]
fn a_swap_too_small_for_one_base_unit_gives_none_and_is_judged_right() {
    // One IO at a million dollars: a base unit of it is worth a cent.
    let reserves = Reserves { usdc: Usdc(1_000_000_000_000_000), io: Io(100_000_000_000) };
    let price = MicroUsd(1_000_000_000_000);
    assert_eq!(guarded_swap(reserves, Usdc(9_000), price, 200), Ok(Io(0)));
    assert_eq!(guarded_swap(reserves, Usdc(25_000), price, 200), Ok(Io(2)));
}
