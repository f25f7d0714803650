//! The oracle itself: what it knows of each cell and model, and where their prices are.

use std::collections::{BTreeMap, BTreeSet};

use ionet_types::MicroUsd;
use ionet_types::hardware::HardwareModel;
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::curve::{Inputs, MAX_NANO, NANO_PER_MICRO, TARGET_UTILISATION_BPS, Target, WHOLE_BPS, scarcity_ppm, utilisation_bps};
use super::explain::Explanation;
use super::index::{Chain, Close, Point};
use super::observe::{Observations, Seen};
use super::policy::Multipliers;
use super::walk::{Walk, minute_of};
use crate::prices::PriceList;

/// Most cells that have a price of their own; a device in any other is priced as its model is in the whole network.
pub const MAX_CELLS: usize = 20_000;
/// A cell without a device is forgotten after 30 days. Until then its price goes on, towards that of its model.
const FORGET_AFTER_SECS: i64 = 30 * 24 * HOUR_SECS;
/// Seconds in an hour.
const HOUR_SECS: i64 = 3_600;

/// A model in the whole network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    reference_micro_usd: u64,
    offered_milli: u64,
    hired_milli: u64,
    /// Its price before multipliers: that of a cell that nothing is known of.
    walk: Walk,
}

/// A cell that devices were seen in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    offered_milli: u64,
    hired_milli: u64,
    supply_floor_micro_usd: u64,
    walk: Walk,
    /// When it last had a device, unix seconds.
    seen_at_unix_secs: i64,
    /// What was hired and offered since the hour began, thousandths of a GPU times seconds.
    hired_milli_secs: u64,
    offered_milli_secs: u64,
}

/// What an update brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Updated {
    /// The hour that was closed: one point for each series, the network's first. Empty in between.
    pub points: Vec<Point>,
    /// Models that have devices and no entry in the price list: they have no price.
    pub unpriced: BTreeSet<HardwareModel>,
    /// Cells beyond [`MAX_CELLS`], priced as their model.
    pub untracked: usize,
}

/// The pricing oracle. All that it knows is in here, and can be stored and read again as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Oracle {
    multipliers: Multipliers,
    at_unix_secs: i64,
    models: BTreeMap<HardwareModel, Whole>,
    cells: BTreeMap<Cell, Known>,
    chain: Chain,
}

impl Oracle {
    /// An oracle that has seen nothing: every model costs its reference price, times the multipliers.
    pub fn new(multipliers: Multipliers, prices: &PriceList, now_unix_secs: i64) -> Self {
        let mut oracle =
            Self { multipliers, at_unix_secs: now_unix_secs, models: BTreeMap::new(), cells: BTreeMap::new(), chain: Chain::default() };
        oracle.aim_models(prices, &BTreeMap::new());
        oracle
    }

    /// Changes the multipliers: targets follow at the next update, and prices by their bounded steps.
    pub fn set_multipliers(&mut self, multipliers: Multipliers) {
        self.multipliers = multipliers;
    }

    /// When the network was last looked at, unix seconds.
    pub fn at_unix_secs(&self) -> i64 {
        self.at_unix_secs
    }

    /// Tells the oracle how the network is now. Prices move on to `now_unix_secs` by the targets that they had, and aim at the new ones from
    /// there. A clock that went backwards stands still until it has caught up.
    ///
    /// It may be called at any moments: the more often, the sooner a change is noticed, and never does a price move faster for it.
    pub fn update(&mut self, prices: &PriceList, seen: &Observations, now_unix_secs: i64) -> Updated {
        let points = self.pass_time(now_unix_secs);
        let mut updated = Updated { points, ..Updated::default() };
        let mut wholes: BTreeMap<&HardwareModel, (u64, u64)> = BTreeMap::new();
        for (cell, seen) in seen.seen() {
            let whole = wholes.entry(&cell.model).or_default();
            *whole = (whole.0.saturating_add(seen.offered_milli), whole.1.saturating_add(seen.hired_milli));
        }
        updated.unpriced = wholes.keys().filter(|model| prices.model(model).is_none()).map(|model| (*model).clone()).collect();
        self.aim_models(prices, &wholes);
        self.aim_cells(seen, &mut updated);
        updated
    }

    /// The price of a cell per GPU-hour (CPU: per device-hour), rounded up; `None` when the price list had no such model at the last update.
    pub fn price(&self, cell: &Cell, now_unix_secs: i64) -> Option<MicroUsd> {
        let whole = self.models.get(&cell.model)?;
        let minute = minute_of(now_unix_secs);
        let nano = self.cells.get(cell).map_or_else(|| self.start_nano(cell, whole, minute), |known| known.walk.at(minute));
        Some(micro_up(nano))
    }

    /// Why a cell's price is what it is.
    pub fn explain(&self, cell: &Cell, now_unix_secs: i64) -> Option<Explanation> {
        let whole = self.models.get(&cell.model)?;
        let seen = self.cells.get(cell).map_or_else(Seen::default, Known::seen);
        let (inputs, target) = self.target(cell, &seen, whole);
        Some(Explanation {
            cell: cell.clone(),
            reference: MicroUsd(whole.reference_micro_usd),
            offered_milli: seen.offered_milli,
            hired_milli: seen.hired_milli,
            model_offered_milli: whole.offered_milli,
            model_hired_milli: whole.hired_milli,
            utilisation_bps: inputs.utilisation_bps,
            scarcity_ppm: scarcity_ppm(inputs.utilisation_bps),
            tier_bps: inputs.tier_bps,
            region_bps: inputs.region_bps,
            supply_floor: MicroUsd(inputs.supply_floor_micro_usd),
            asked: micro_up(target.asked_nano),
            lowest: micro_up(target.lowest_nano),
            highest: micro_up(target.highest_nano),
            bound: target.bound,
            target: micro_up(target.nano),
            price: self.price(cell, now_unix_secs)?,
            observed_at_unix_secs: self.at_unix_secs,
        })
    }

    /// The cells that have a price of their own.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.cells.keys()
    }

    /// Counts what was hired and offered, and closes the hour if it is over. Hours in which nobody updated have no point.
    fn pass_time(&mut self, now_unix_secs: i64) -> Vec<Point> {
        let (from, to) = (self.at_unix_secs, self.at_unix_secs.max(now_unix_secs));
        let hour = from.div_euclid(HOUR_SECS);
        let hour_end = hour.saturating_add(1).saturating_mul(HOUR_SECS);
        self.at_unix_secs = to;
        if to < hour_end {
            self.count(from, to);
            return Vec::new();
        }
        self.count(from, hour_end);
        let minute = minute_of(hour_end);
        let closes = self.cells.iter_mut().map(|(cell, known)| (cell.clone(), known.close(minute))).collect();
        let points = self.chain.close(hour.saturating_mul(HOUR_SECS), closes);
        self.count(to.div_euclid(HOUR_SECS).saturating_mul(HOUR_SECS), to);
        points
    }

    fn count(&mut self, from: i64, to: i64) {
        let secs = u64::try_from(to.saturating_sub(from)).unwrap_or(0);
        for known in self.cells.values_mut() {
            known.hired_milli_secs = known.hired_milli_secs.saturating_add(known.hired_milli.saturating_mul(secs));
            known.offered_milli_secs = known.offered_milli_secs.saturating_add(known.offered_milli.saturating_mul(secs));
        }
    }

    /// The models of the price list, as they are used in the whole network.
    fn aim_models(&mut self, prices: &PriceList, seen: &BTreeMap<&HardwareModel, (u64, u64)>) {
        let minute = minute_of(self.at_unix_secs);
        self.models.retain(|model, _| prices.model(model).is_some());
        self.cells.retain(|cell, _| prices.model(&cell.model).is_some());
        for model in prices.models() {
            let (offered_milli, hired_milli) = seen.get(&model.hardware).copied().unwrap_or_default();
            let reference_micro_usd = model.rate_micro_usd.0;
            let inputs = Inputs {
                reference_micro_usd,
                utilisation_bps: utilisation_bps(hired_milli, offered_milli, TARGET_UTILISATION_BPS),
                tier_bps: WHOLE_BPS,
                region_bps: WHOLE_BPS,
                supply_floor_micro_usd: 0,
            };
            let start = reference_micro_usd.saturating_mul(NANO_PER_MICRO).min(MAX_NANO);
            let whole = self.models.entry(model.hardware.clone()).or_insert_with(|| Whole {
                reference_micro_usd,
                offered_milli,
                hired_milli,
                walk: Walk::new(start, start, minute),
            });
            whole.walk.aim(inputs.target().nano, minute);
            (whole.reference_micro_usd, whole.offered_milli, whole.hired_milli) = (reference_micro_usd, offered_milli, hired_milli);
        }
    }

    fn aim_cells(&mut self, seen: &Observations, updated: &mut Updated) {
        let (at, minute) = (self.at_unix_secs, minute_of(self.at_unix_secs));
        self.cells.retain(|_, known| at.saturating_sub(known.seen_at_unix_secs) <= FORGET_AFTER_SECS);
        for known in self.cells.values_mut() {
            known.see(Seen::default());
        }
        for (cell, seen) in seen.seen() {
            let Some(whole) = self.models.get(&cell.model) else { continue };
            if !self.cells.contains_key(cell) {
                if self.cells.len() >= MAX_CELLS {
                    updated.untracked += 1;
                    continue;
                }
                let start = self.start_nano(cell, whole, minute);
                self.cells.insert(cell.clone(), Known::new(Walk::new(start, start, minute)));
            }
            let known = self.cells.get_mut(cell).expect("just inserted where it was missing");
            known.see(seen);
            known.seen_at_unix_secs = at;
        }
        let targets: Vec<u64> = self
            .cells
            .iter()
            // Cells of models that are not in the list were dropped before.
            .filter_map(|(cell, known)| Some(self.target(cell, &known.seen(), self.models.get(&cell.model)?).1.nano))
            .collect();
        for (known, target_nano) in self.cells.values_mut().zip(targets) {
            known.walk.aim(target_nano, minute);
        }
    }

    fn target(&self, cell: &Cell, seen: &Seen, whole: &Whole) -> (Inputs, Target) {
        let network = utilisation_bps(whole.hired_milli, whole.offered_milli, TARGET_UTILISATION_BPS);
        let inputs = Inputs {
            reference_micro_usd: whole.reference_micro_usd,
            utilisation_bps: utilisation_bps(seen.hired_milli, seen.offered_milli, network),
            tier_bps: self.multipliers.tier_bps(cell.tier),
            region_bps: self.multipliers.region_bps(&cell.region),
            supply_floor_micro_usd: seen.supply_floor_micro_usd,
        };
        (inputs, inputs.target())
    }

    /// Where the price of a cell begins that no device was seen in: as its model in the whole network.
    fn start_nano(&self, cell: &Cell, whole: &Whole, minute: i64) -> u64 {
        let (_, target) = self.target(cell, &Seen::default(), whole);
        let multipliers = u128::from(self.multipliers.tier_bps(cell.tier)) * u128::from(self.multipliers.region_bps(&cell.region));
        let nano = u128::from(whole.walk.at(minute)) * multipliers / u128::from(WHOLE_BPS * WHOLE_BPS);
        u64::try_from(nano).unwrap_or(u64::MAX).clamp(target.lowest_nano, target.highest_nano.max(target.lowest_nano))
    }
}

impl Known {
    fn new(walk: Walk) -> Self {
        Self {
            offered_milli: 0,
            hired_milli: 0,
            supply_floor_micro_usd: 0,
            walk,
            seen_at_unix_secs: 0,
            hired_milli_secs: 0,
            offered_milli_secs: 0,
        }
    }

    fn seen(&self) -> Seen {
        Seen { offered_milli: self.offered_milli, hired_milli: self.hired_milli, supply_floor_micro_usd: self.supply_floor_micro_usd }
    }

    fn see(&mut self, seen: Seen) {
        self.offered_milli = seen.offered_milli;
        self.hired_milli = seen.hired_milli;
        self.supply_floor_micro_usd = seen.supply_floor_micro_usd;
    }

    /// The hour's end: its price then, and what was counted, which begins anew.
    fn close(&mut self, minute: i64) -> Close {
        let close =
            Close { nano: self.walk.at(minute), hired_milli_secs: self.hired_milli_secs, offered_milli_secs: self.offered_milli_secs };
        (self.hired_milli_secs, self.offered_milli_secs) = (0, 0);
        close
    }
}

fn micro_up(nano: u64) -> MicroUsd {
    MicroUsd(nano.div_ceil(NANO_PER_MICRO))
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "customers are simulated in floats, prices are not")]
mod tests;
