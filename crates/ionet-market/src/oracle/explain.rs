//! Every input of a price, as a quote shows it.

use ionet_types::MicroUsd;
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::curve::{Bound, Inputs, NANO_PER_MICRO, TARGET_UTILISATION_BPS, scarcity_ppm, utilisation_bps};

/// Why a cell's price is what it is: what the formula of [`super::curve`] was given, and what came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// Whose price.
    pub cell: Cell,
    /// The model's price in the price list, per GPU-hour (CPU: per device-hour), as all prices here.
    pub reference: MicroUsd,
    /// Thousandths of a GPU that the cell offers.
    pub offered_milli: u64,
    /// Thousandths of them that are hired.
    pub hired_milli: u64,
    /// Thousandths of a GPU that the model offers in all cells.
    pub model_offered_milli: u64,
    /// Thousandths of them that are hired.
    pub model_hired_milli: u64,
    /// Utilisation that the price is for, after shrinking, basis points.
    pub utilisation_bps: u64,
    /// What scarcity makes of the reference price, millionths.
    pub scarcity_ppm: u64,
    /// Multiplier of the tier, basis points.
    pub tier_bps: u64,
    /// Multiplier of the region, basis points.
    pub region_bps: u64,
    /// The price below which too much of the supply is not offered.
    pub supply_floor: MicroUsd,
    /// What scarcity, tier and region ask, before the bounds.
    pub asked: MicroUsd,
    /// The lowest that the price may aim at.
    pub lowest: MicroUsd,
    /// The highest that the price may aim at.
    pub highest: MicroUsd,
    /// Which of them cut it, if any.
    pub bound: Option<Bound>,
    /// What the price moves towards.
    pub target: MicroUsd,
    /// The price now.
    pub price: MicroUsd,
    /// When the network was last looked at, unix seconds.
    pub observed_at_unix_secs: i64,
}

impl Explanation {
    /// Whether utilisation, factors, bounds and target follow from the counts, the reference, the multipliers and the floor by the published
    /// formula. The price itself is on its way to the target, and its way is not in here.
    pub fn adds_up(&self) -> bool {
        let network = utilisation_bps(self.model_hired_milli, self.model_offered_milli, TARGET_UTILISATION_BPS);
        let utilisation_bps = utilisation_bps(self.hired_milli, self.offered_milli, network);
        let inputs = Inputs {
            reference_micro_usd: self.reference.0,
            utilisation_bps,
            tier_bps: self.tier_bps,
            region_bps: self.region_bps,
            supply_floor_micro_usd: self.supply_floor.0,
        };
        let target = inputs.target();
        let same = |nano: u64, said: MicroUsd| nano.div_ceil(NANO_PER_MICRO) == said.0;
        self.utilisation_bps == utilisation_bps
            && self.scarcity_ppm == scarcity_ppm(utilisation_bps)
            && same(target.asked_nano, self.asked)
            && same(target.lowest_nano, self.lowest)
            && same(target.highest_nano, self.highest)
            && same(target.nano, self.target)
            && target.bound == self.bound
    }
}
