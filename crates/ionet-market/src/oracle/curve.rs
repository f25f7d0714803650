//! From how scarce devices are to what they should cost: the published formula.
//!
//! With `u` the utilisation of a cell, 0 to 1, the price that the oracle moves towards is
//!
//! ```text
//! reference x (0.65 + 0.5 u + 15 max(0, u - 0.7)^2) x tier x region
//! ```
//!
//! raised to the supply's floor where that is higher, and kept within 0.5 to 3 times the reference. The reference price is that of a
//! utilisation of 70 %, an idle network asks 0.65 of it, and a network without a free device 2.5 times as much.
//!
//! Utilisation is shrunk: a cell counts as if it had 64 more GPUs, used as its model is in the whole network, and a model as if it had 64
//! more, used at 70 %. So one machine with eight GPUs, alone on the network, moves the target by a few per cent, and a thousand of them
//! speak for themselves.

use ionet_rules::booking::MAX_RATE;
use serde::{Deserialize, Serialize};

/// Ten thousand basis points are the whole.
pub(crate) const WHOLE_BPS: u64 = 10_000;
/// Utilisation at which the price is the reference price, basis points.
pub const TARGET_UTILISATION_BPS: u64 = 7_000;
/// Thousandths of a GPU that are added to a cell, and to a model, before its utilisation is taken.
pub const PRIOR_MILLI: u64 = 64_000;
/// The target is never below this share of the reference price, basis points.
pub const LOWEST_BPS: u64 = 5_000;
/// The target is never above this share of the reference price, basis points.
pub const HIGHEST_BPS: u64 = 30_000;
/// Prices are computed in billionths of a dollar, so that small steps are not lost.
pub(crate) const NANO_PER_MICRO: u64 = 1_000;
/// The highest price, in billionths of a dollar.
pub(crate) const MAX_NANO: u64 = MAX_RATE * NANO_PER_MICRO;

/// What of an offer is hired, in basis points; `prior_bps` is what it is believed to be before a device is seen. Rounded down, and at most
/// the whole, also where more is hired than offered.
pub fn utilisation_bps(hired_milli: u64, offered_milli: u64, prior_bps: u64) -> u64 {
    let hired = u128::from(hired_milli.min(offered_milli)) * u128::from(WHOLE_BPS);
    let prior = u128::from(PRIOR_MILLI) * u128::from(prior_bps.min(WHOLE_BPS));
    let share = (hired + prior) / (u128::from(offered_milli) + u128::from(PRIOR_MILLI));
    u64::try_from(share).expect("hired is at most offered, and the prior at most the whole")
}

/// The factor on the reference price, in millionths, at a utilisation in basis points: it rises by at least 50 with each of them.
pub fn scarcity_ppm(utilisation_bps: u64) -> u64 {
    let utilisation = utilisation_bps.min(WHOLE_BPS);
    let scarce = utilisation.saturating_sub(TARGET_UTILISATION_BPS);
    650_000 + 50 * utilisation + 15 * scarce * scarce / 100
}

/// What kept a target from being what scarcity asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Too much of the supply is not offered for less.
    SupplyFloor,
    /// The lowest share of the reference price.
    Lowest,
    /// The highest share of the reference price.
    Highest,
}

/// The inputs of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Inputs {
    /// Reference price, micro-USD per GPU-hour.
    pub(crate) reference_micro_usd: u64,
    pub(crate) utilisation_bps: u64,
    pub(crate) tier_bps: u64,
    pub(crate) region_bps: u64,
    /// The supply's floor, micro-USD per GPU-hour.
    pub(crate) supply_floor_micro_usd: u64,
}

/// Where a price should go, billionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Target {
    /// What scarcity asks.
    pub(crate) asked_nano: u64,
    pub(crate) lowest_nano: u64,
    pub(crate) highest_nano: u64,
    /// What it is within the bounds.
    pub(crate) nano: u64,
    pub(crate) bound: Option<Bound>,
}

impl Inputs {
    pub(crate) fn target(&self) -> Target {
        let reference = u128::from(self.reference_micro_usd.min(MAX_RATE)) * u128::from(NANO_PER_MICRO);
        let whole = u128::from(WHOLE_BPS);
        let cap = |nano: u128| u64::try_from(nano).unwrap_or(u64::MAX).min(MAX_NANO);
        // One factor at a time: each division keeps the order of what goes in. Factors within their bounds stay far below 128 bits; those
        // that a stranger's quote names may be anything.
        let scarce = reference * u128::from(scarcity_ppm(self.utilisation_bps)) / 1_000_000;
        let tiered = scarce * u128::from(self.tier_bps) / whole;
        let asked = cap(tiered.saturating_mul(u128::from(self.region_bps)) / whole);
        let lowest = cap(reference * u128::from(LOWEST_BPS) / whole);
        let highest = cap(reference * u128::from(HIGHEST_BPS) / whole);
        let floor = self.supply_floor_micro_usd.saturating_mul(NANO_PER_MICRO);
        let raised = asked.max(floor);
        let (nano, bound) = match raised {
            _ if raised > highest => (highest, Some(Bound::Highest)),
            _ if raised < lowest => (lowest, Some(Bound::Lowest)),
            _ if floor > asked => (floor, Some(Bound::SupplyFloor)),
            _ => (asked, None),
        };
        Target { asked_nano: asked, lowest_nano: lowest, highest_nano: highest, nano, bound }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn inputs() -> impl Strategy<Value = Inputs> {
        (1..=MAX_RATE, 0..=WHOLE_BPS, 2_000_u64..50_000, 2_000_u64..50_000, 0..=MAX_RATE).prop_map(
            |(reference_micro_usd, utilisation_bps, tier_bps, region_bps, supply_floor_micro_usd)| Inputs {
                reference_micro_usd,
                utilisation_bps,
                tier_bps,
                region_bps,
                supply_floor_micro_usd,
            },
        )
    }

    #[test]
    fn the_published_points() {
        assert_eq!([0, 7_000, 8_500, 10_000].map(scarcity_ppm), [650_000, 1_000_000, 1_412_500, 2_500_000]);
        assert_eq!(utilisation_bps(0, 0, 7_000), 7_000);
        // A machine with eight GPUs, alone: from idle to hired, cell and model together.
        let alone = |hired| scarcity_ppm(utilisation_bps(hired, 8_000, utilisation_bps(hired, 8_000, TARGET_UTILISATION_BPS)));
        assert!(alone(0) > 900_000 && alone(8_000) < 1_100_000, "{} {}", alone(0), alone(8_000));
    }

    proptest! {
        /// Each basis point of scarcity costs more, as long as no bound cuts it and the reference has room for the difference.
        #[test]
        fn scarcer_is_dearer(mut inputs in inputs(), more in 1..=WHOLE_BPS) {
            let (before, bps) = (inputs.target(), inputs.utilisation_bps);
            inputs.utilisation_bps = (inputs.utilisation_bps + more).min(WHOLE_BPS);
            let after = inputs.target();
            prop_assert!(after.nano >= before.nano);
            prop_assert!(after.asked_nano >= before.asked_nano);
            // From a tenth of a cent on, a basis point is more than what rounding takes.
            if inputs.reference_micro_usd >= 1_000 && bps < inputs.utilisation_bps && after.asked_nano < MAX_NANO {
                prop_assert!(after.asked_nano > before.asked_nano);
                prop_assert!(before.bound.is_some() || after.bound.is_some() || after.nano > before.nano);
            }
        }

        #[test]
        fn no_factor_is_too_strange(reference_micro_usd: u64, utilisation_bps: u64, tier_bps: u64, region_bps: u64, supply_floor_micro_usd: u64) {
            let target = Inputs { reference_micro_usd, utilisation_bps, tier_bps, region_bps, supply_floor_micro_usd }.target();
            prop_assert!(target.nano <= MAX_NANO);
        }

        #[test]
        fn each_step_of_the_curve_goes_up(bps in 0..WHOLE_BPS) {
            let step = scarcity_ppm(bps + 1) - scarcity_ppm(bps);
            prop_assert!((50..1_000).contains(&step), "{}", step);
        }

        #[test]
        fn a_target_keeps_its_bounds(inputs in inputs()) {
            let target = inputs.target();
            prop_assert!(target.lowest_nano <= target.nano && target.nano <= target.highest_nano.max(1));
            let free = (target.lowest_nano..=target.highest_nano).contains(&target.asked_nano)
                && inputs.supply_floor_micro_usd * NANO_PER_MICRO <= target.asked_nano;
            prop_assert_eq!(target.bound.is_none(), free);
            prop_assert!(!free || target.nano == target.asked_nano);
            if target.bound == Some(Bound::SupplyFloor) {
                prop_assert_eq!(target.nano, inputs.supply_floor_micro_usd * NANO_PER_MICRO);
            }
            // The floor is kept unless the highest price is below it.
            prop_assert!(target.nano >= (inputs.supply_floor_micro_usd * NANO_PER_MICRO).min(target.highest_nano));
        }

        #[test]
        fn utilisation_is_a_share_and_grows_with_what_is_hired(hired: u64, offered: u64, prior: u64, more: u64) {
            let share = utilisation_bps(hired, offered, prior);
            prop_assert!(share <= WHOLE_BPS);
            prop_assert!(utilisation_bps(hired.saturating_add(more), offered, prior) >= share);
            prop_assert!(utilisation_bps(hired, offered, prior.saturating_add(more)) >= share);
        }

        /// However it is used, a machine with eight GPUs moves a cell's utilisation by no more than its part of cell and prior.
        #[test]
        fn one_machine_cannot_swing_a_cell(hired in 0_u64..1_000_000, free in 0_u64..1_000_000, prior in 0..=WHOLE_BPS) {
            let offered = hired + free + 8_000;
            let swing = utilisation_bps(hired + 8_000, offered, prior) - utilisation_bps(hired, offered, prior);
            prop_assert!(swing <= 8_000 * WHOLE_BPS / (offered + PRIOR_MILLI) + 1);
            prop_assert!(swing <= 1_112);
        }
    }
}
