//! Emission: the published rows, the total to the base unit, and the laws of both schedules.

use ionet_rules::emission::{EPOCHS, INITIAL_SUPPLY, SUPPLY_CAP, Schedule, mintable};
use ionet_rules::money::{IO_UNIT, Io};
use proptest::prelude::*;

const GOLDEN: &str = include_str!("../golden/emission.csv");

/// An amount of IO with 8 decimals, as base units.
fn base_units(text: &str) -> u64 {
    let (whole, decimals) = text.split_once('.').unwrap();
    assert_eq!(decimals.len(), 8);
    whole.parse::<u64>().unwrap() * IO_UNIT + decimals.parse::<u64>().unwrap()
}

#[test]
fn every_published_row_is_met_within_a_base_unit() {
    let mut rows = 0;
    for row in GOLDEN.lines().skip(1) {
        let cells: Vec<&str> = row.split(',').collect();
        let epoch: u64 = cells[0].parse().unwrap();
        let (emission, cumulative) = (base_units(cells[1]), base_units(cells[2]));
        assert!(Schedule::Constant.scheduled(epoch).0.abs_diff(emission) <= 1, "emission of epoch {epoch}");
        let clamped = cumulative.min(300_000_000 * IO_UNIT);
        assert!(Schedule::Constant.cumulative(epoch).0.abs_diff(clamped) <= 1, "total of epoch {epoch}");
        rows += 1;
    }
    assert_eq!(rows, 14);
}

#[test]
fn all_epochs_together_emit_exactly_the_total() {
    let total: u64 = (1..=EPOCHS).map(|epoch| Schedule::Constant.emission(epoch).0).sum();
    assert_eq!(total, 300_000_000 * IO_UNIT);
    assert_eq!(Schedule::Constant.emission(EPOCHS + 1), Io::ZERO);
    assert_eq!(Schedule::Constant.emission(u64::MAX), Io::ZERO);
    assert_eq!(Schedule::Constant.emission(0), Io::ZERO);
    assert_eq!(INITIAL_SUPPLY.0 + total, SUPPLY_CAP.0);
}

#[test]
fn an_epoch_never_emits_more_than_the_one_before_by_more_than_rounding() {
    let mut before = Schedule::Constant.scheduled(1);
    for epoch in 2..=EPOCHS {
        let emission = Schedule::Constant.scheduled(epoch);
        assert!(emission.0 <= before.0 + 1, "epoch {epoch}");
        before = emission;
    }
}

#[test]
fn the_halving_schedule_halves_and_stays_below_its_maximum() {
    let schedule = Schedule::Halving;
    let maximum = 22_300_000 * IO_UNIT;
    let period = 17_520;
    assert_eq!(schedule.cumulative(period).0, maximum / 2);
    assert_eq!(schedule.cumulative(2 * period).0, maximum / 4 * 3);
    assert!(schedule.emission(1).0.abs_diff(maximum / 2 / period) <= 1);
    assert!(schedule.emission(period + 1).0.abs_diff(maximum / 4 / period) <= 1);
    let ten_years: u64 = (1..=5 * period).map(|epoch| schedule.emission(epoch).0).sum();
    assert_eq!(ten_years, schedule.cumulative(5 * period).0);
    assert_eq!(schedule.cumulative(u64::MAX).0, maximum);
    assert_eq!(schedule.cumulative(64 * period).0, maximum);
    assert!(schedule.cumulative(30 * period).0 < maximum);
}

proptest! {
    #[test]
    fn totals_never_fall_and_emissions_add_up(epoch in 0_u64..400_000, further in 0_u64..2_000, halving: bool) {
        let schedule = if halving { Schedule::Halving } else { Schedule::Constant };
        let sum: u64 = (epoch + 1..=epoch + further).map(|epoch| schedule.emission(epoch).0).sum();
        prop_assert_eq!(schedule.cumulative(epoch).0 + sum, schedule.cumulative(epoch + further).0);
    }

    #[test]
    fn the_cap_holds(emission: u64, supply: u64) {
        let minted = mintable(Io(emission), Io(supply));
        prop_assert!(minted.0 <= emission);
        prop_assert!(minted.0 == 0 || supply + minted.0 <= SUPPLY_CAP.0);
        prop_assert!(minted.0 == emission || supply + minted.0 >= SUPPLY_CAP.0);
    }
}
