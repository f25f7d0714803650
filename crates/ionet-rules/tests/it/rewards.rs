//! Rewards: the golden scores, an exact fourth root, pots and shares that never give more than there is, and the bonus for leaving tokens.

use ionet_rules::RuleError;
use ionet_rules::booking::HardwareKind;
use ionet_rules::money::{Io, MicroUsd};
use ionet_rules::multipliers::MAX_CENTI;
use ionet_rules::rewards::{
    Measurement, P_ONE, Pot, Pots, Tier, base_score, compute_credits, compute_weight, lock_multiplier_bps, mean_p, normalised_score, share,
    split_compute_reward, split_emission, split_with_co_staker, test_p, vested, weight, work_shares,
};
use ionet_rules::stake::MAX_PROCESSORS;
use ionet_rules::supply::SupplyParams;
use proptest::prelude::*;

use crate::strategies::amount;

fn reward_params() -> impl Strategy<Value = SupplyParams> {
    let drawn = (0u16..=10_000, 0u16..=10_000, 0u16..=20_000, 0u32..=63_072_000).prop_map(|drawn| SupplyParams {
        availability_bps: drawn.0,
        gpu_bps: drawn.1,
        bonus_bps: drawn.2,
        vesting_secs: drawn.3,
        ..SupplyParams::DEFAULT
    });
    prop_oneof![Just(SupplyParams::DEFAULT), drawn]
}

fn measurement() -> impl Strategy<Value = Measurement> {
    let value = || prop_oneof![4 => 0u32..100_000, 1 => any::<u32>(), 1 => Just(0)];
    (value(), value(), value(), value()).prop_map(|(bandwidth_mbps, memory_mb_per_sec, cpu_mhz, gflops)| Measurement {
        bandwidth_mbps,
        memory_mb_per_sec,
        cpu_mhz,
        gflops,
    })
}

/// The ratio to the reference in billionths, as the definition says.
fn ratio(value: u32, wanted: u32) -> u128 {
    if wanted == 0 { 1_000_000_000 } else { u128::from(value.min(wanted)) * 1_000_000_000 / u128::from(wanted) }
}

#[test]
fn the_golden_scores() {
    // Two RTX 3060 Ti at 0.25, tier 4: 1020.0, and 1020.5 when hired.
    assert_eq!(base_score(Tier::UltraHigh, 25, 2, false), Ok(10_200));
    assert_eq!(base_score(Tier::UltraHigh, 25, 2, true), Ok(10_205));
    // One A100 80GB at 5, tier 4: 100,200 on a screen with factor 100, so 10,020.0 with factor 10.
    assert_eq!(base_score(Tier::UltraHigh, 500, 1, false), Ok(100_200));
    // A worked example of 8,150 with factor 100 is multiplier times quantity = 0.4 at tier 3: 815.0 with factor 10.
    assert_eq!(base_score(Tier::High, 40, 1, false), Ok(8_150));
    assert_eq!(base_score(Tier::None, 0, 0, false), Ok(0));
}

#[test]
fn the_golden_normalised_scores() {
    // 8,150 of 115 million, times 8 million: 566.956.
    assert_eq!(normalised_score(8_150, 115_000_000, HardwareKind::Gpu), Ok(566_956));
    assert_eq!(normalised_score(8_150, 115_000_000, HardwareKind::Cpu), Ok(141_739));
    assert_eq!(normalised_score(0, 0, HardwareKind::Gpu), Ok(0));
    assert_eq!(normalised_score(1, 0, HardwareKind::Gpu), Err(RuleError::BooksDoNotBalance));
    // A normalised score of 1,927.051 earned 0.87866191 IO of a block of 4,559.62 IO when all of it went to availability: the same to the
    // precision that the published figures have.
    let params = SupplyParams { availability_bps: 10_000, ..SupplyParams::DEFAULT };
    let pot = split_emission(Io(455_962_000_000), &params).unwrap().get(Pot::AvailabilityGpu);
    let reward = share(pot, 1_927_051, 8_000_000_000).unwrap();
    assert!(reward.0.abs_diff(87_866_191) < 500, "{reward:?}");
}

#[test]
fn tiers_by_connection() {
    let tiers = [(1_600, 1_200, 4), (1_599, 1_200, 3), (1_600, 1_199, 3), (800, 600, 3), (800, 599, 2), (400, 300, 2), (399, 5_000, 1)];
    for (download, upload, tier) in tiers {
        assert_eq!(Tier::from_mbps(download, upload) as u8, tier, "{download}/{upload}");
    }
    assert_eq!(Tier::from_mbps(100, 10), Tier::Low);
    assert_eq!(Tier::from_mbps(99, 10_000), Tier::None);
    assert_eq!(Tier::from_mbps(10_000, 9), Tier::None);
    for byte in 0..=4 {
        assert_eq!(Tier::from_u8(byte).unwrap() as u8, byte);
    }
    assert!(Tier::from_u8(5).is_err());
}

#[test]
fn the_test_score_of_plain_cases() {
    let reference = Measurement { bandwidth_mbps: 1_000, memory_mb_per_sec: 3_350_000, cpu_mhz: 3_000, gflops: 67_000 };
    assert_eq!(test_p(&reference, &reference), P_ONE);
    // More than the reference counts as the reference.
    assert_eq!(test_p(&Measurement { gflops: 99_000, ..reference }, &reference), P_ONE);
    // One ratio of 1/16 halves P; one of zero makes it zero.
    assert_eq!(test_p(&Measurement { bandwidth_mbps: 625, ..reference }, &Measurement { bandwidth_mbps: 10_000, ..reference }), 500_000);
    assert_eq!(test_p(&Measurement { cpu_mhz: 0, ..reference }, &reference), 0);
    // Nothing is asked of a model without reference values.
    assert_eq!(test_p(&Measurement::default(), &Measurement::default()), P_ONE);
    // A missed test counts in the mean.
    assert_eq!(mean_p([P_ONE, 0, 500_000]), 500_000);
    assert_eq!(mean_p([]), 0);
    assert_eq!(mean_p([1, 0]), 0);
}

#[test]
fn the_default_split_of_an_emission() {
    // E(1) = 4,566.21 IO: 70/30, each 80/20.
    let pots = split_emission(Io(456_621_004_566), &SupplyParams::DEFAULT).unwrap();
    assert_eq!(pots.availability_gpu, Io(255_707_762_556));
    assert_eq!(pots.availability_cpu, Io(63_926_940_640));
    assert_eq!(pots.compute_gpu, Io(109_589_041_096));
    assert_eq!(pots.compute_cpu, Io(27_397_260_274));
    assert_eq!(pots.total(), Ok(Io(456_621_004_566)));
    assert_eq!(Pots::EMPTY.plus(&pots).and_then(|sum| sum.minus(&pots)), Ok(Pots::EMPTY));
}

#[test]
fn the_bonus_for_leaving_tokens() {
    let params = SupplyParams::DEFAULT;
    assert_eq!(lock_multiplier_bps(9_000, &params), Ok(10_000));
    assert_eq!(lock_multiplier_bps(6_000, &params), Ok(12_500));
    assert_eq!(lock_multiplier_bps(3_000, &params), Ok(15_000));
    assert_eq!(lock_multiplier_bps(2_999, &params), Err(RuleError::ParamOutOfBounds));
    assert_eq!(lock_multiplier_bps(9_001, &params), Err(RuleError::ParamOutOfBounds));
    // 100 USD of work at 90 %: ten credits.
    assert_eq!(compute_credits(MicroUsd(100_000_000), 9_000), Ok(MicroUsd(10_000_000)));
    assert_eq!(compute_weight(MicroUsd(10), 9_000, &params), Ok(100_000));
    let reward = split_compute_reward(Io(150), 3_000, &params).unwrap();
    assert_eq!((reward.free, reward.locked), (Io(100), Io(50)));
    assert_eq!(split_compute_reward(Io(150), 9_000, &params).unwrap().locked, Io(0));
    assert_eq!(vested(Io(180), 86_400, &params), Ok(Io(1)));
    assert_eq!(vested(Io(180), -1, &params), Ok(Io(0)));
    assert_eq!(vested(Io(180), i64::MAX, &params), Ok(Io(180)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_base_score_is_the_formula_to_the_last_digit(tier in 0u8..=4, centi in 0..=MAX_CENTI, processors in 0..=MAX_PROCESSORS, hired in any::<bool>()) {
        // Both sides times 400 of the formula, so that every coefficient is whole.
        let formula = (u128::from(tier) * 2 + u128::from(centi) * 8 * u128::from(processors)) * 100 + 20 * u128::from(hired);
        let score = base_score(Tier::from_u8(tier).unwrap(), centi, processors, hired).unwrap();
        prop_assert_eq!(u128::from(score) * 4, formula);
        prop_assert!(weight(score, P_ONE).is_ok(), "the bounds keep every weight within 64 bits");
        prop_assert_eq!(weight(score, P_ONE + 1), Err(RuleError::Overflow));
    }

    #[test]
    fn a_base_score_out_of_bounds_is_refused(centi in any::<u32>(), processors in any::<u32>()) {
        let inside = centi <= MAX_CENTI && processors <= MAX_PROCESSORS;
        prop_assert_eq!(base_score(Tier::Low, centi, processors, true).is_ok(), inside);
    }

    #[test]
    fn the_fourth_root_is_exact(measured in measurement(), reference in measurement()) {
        let p = u128::from(test_p(&measured, &reference));
        prop_assert!(p <= u128::from(P_ONE));
        let product = ratio(measured.bandwidth_mbps, reference.bandwidth_mbps)
            * ratio(measured.memory_mb_per_sec, reference.memory_mb_per_sec)
            * ratio(measured.cpu_mhz, reference.cpu_mhz)
            * ratio(measured.gflops, reference.gflops);
        // In billionths the root is p followed by three more digits: the greatest p with (1000 p)^4 <= product.
        prop_assert!((p * 1_000).pow(4) <= product);
        prop_assert!(p == u128::from(P_ONE) || ((p + 1) * 1_000).pow(4) > product);
    }

    #[test]
    fn a_better_measurement_never_scores_less(measured in measurement(), more in measurement(), reference in measurement()) {
        let better = Measurement {
            bandwidth_mbps: measured.bandwidth_mbps.saturating_add(more.bandwidth_mbps),
            memory_mb_per_sec: measured.memory_mb_per_sec.saturating_add(more.memory_mb_per_sec),
            cpu_mhz: measured.cpu_mhz.saturating_add(more.cpu_mhz),
            gflops: measured.gflops.saturating_add(more.gflops),
        };
        prop_assert!(test_p(&better, &reference) >= test_p(&measured, &reference));
    }

    #[test]
    fn the_mean_lies_between_the_tests(tests in prop::collection::vec(0..=P_ONE, 1..20)) {
        let mean = mean_p(tests.iter().copied());
        prop_assert!(*tests.iter().min().unwrap() <= mean && mean <= *tests.iter().max().unwrap());
    }

    #[test]
    fn the_pots_sum_to_the_emission(emission in amount(), params in reward_params()) {
        let pots = split_emission(Io(emission), &params).unwrap();
        prop_assert_eq!(pots.total(), Ok(Io(emission)));
    }

    #[test]
    fn shares_never_exceed_the_pot_and_leave_less_than_one_unit_each(pot in amount(), weights in prop::collection::vec(amount(), 1..50)) {
        let total: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        let given: u128 = weights.iter().map(|weight| u128::from(share(Io(pot), *weight, total).unwrap().0)).sum();
        prop_assert!(given <= u128::from(pot));
        prop_assert!(total == 0 || u128::from(pot) - given < weights.len() as u128);
        prop_assert!(total != 0 || given == 0);
    }

    #[test]
    fn a_co_staker_gets_its_share_and_the_owner_the_rest(reward in amount(), bps in 0u16..=10_000) {
        let (owner, co_staker) = split_with_co_staker(Io(reward), bps).unwrap();
        prop_assert_eq!(owner.plus(co_staker), Ok(Io(reward)));
        prop_assert_eq!(u128::from(co_staker.0), u128::from(reward) * u128::from(bps) / 10_000);
    }

    #[test]
    fn a_compute_reward_is_divided_without_rest(reward in amount(), d in 3_000u16..=9_000, params in reward_params(), secs in any::<i64>()) {
        let parts = split_compute_reward(Io(reward), d, &params).unwrap();
        prop_assert_eq!(parts.free.plus(parts.locked), Ok(Io(reward)));
        prop_assert!(parts.free.0 >= reward / 3, "the bonus is never more than two thirds");
        let multiplier = lock_multiplier_bps(d, &params).unwrap();
        prop_assert!((10_000..=30_000).contains(&multiplier));
        prop_assert!(multiplier > 10_000 || parts.locked == Io(0));
        prop_assert!(d == 3_000 || lock_multiplier_bps(d - 1, &params).unwrap() >= multiplier, "less in dollars never means a lower bonus");
        let now = vested(parts.locked, secs, &params).unwrap();
        prop_assert!(now <= vested(parts.locked, secs.saturating_add(1), &params).unwrap() && now <= parts.locked);
        prop_assert_eq!(vested(parts.locked, i64::from(params.vesting_secs), &params), Ok(parts.locked));
    }

    #[test]
    fn credits_are_what_the_dollars_leave(value in amount(), d in 3_000u16..=9_000) {
        let credits = compute_credits(MicroUsd(value), d).unwrap();
        prop_assert_eq!(MicroUsd(value).share_down(d).unwrap().plus(credits), Ok(MicroUsd(value)));
    }

    #[test]
    fn work_is_divided_without_rest(part in amount(), minutes in prop::collection::vec(any::<u32>(), 0..40)) {
        let shares: Vec<u64> = work_shares(part, &minutes).collect::<Result<_, _>>().unwrap();
        let sum: u128 = shares.iter().map(|share| u128::from(*share)).sum();
        let all: u128 = minutes.iter().map(|one| u128::from(*one)).sum();
        prop_assert_eq!(sum, if all == 0 { 0 } else { u128::from(part) });
        for (share, one) in shares.iter().zip(&minutes) {
            let exact = (u128::from(part) * u128::from(*one)).checked_div(all).unwrap_or(0);
            prop_assert!(u128::from(*share).abs_diff(exact) <= 1, "within one base unit of its part of the minutes");
        }
    }
}
