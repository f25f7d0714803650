//! The public price index: 1,000 points at the start, chained from hour to hour.
//!
//! From one hour to the next the index moves as the cost of a basket: the GPU-hours of each cell that were hired in the hour before, at
//! today's prices against those of the hour before (a chained Laspeyres index). Only cells that were there in both hours are compared, so
//! a model that joins or leaves moves nothing by being there or not; and where every cell's price moves by no more than so many per cent, so
//! does the index. A series with nothing hired takes what is offered as its basket.

use std::collections::BTreeMap;

use ionet_types::MicroUsd;
use ionet_types::hardware::HardwareModel;
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::curve::{NANO_PER_MICRO, WHOLE_BPS};

/// Where each series begins: 1,000 points, in millionths of a point.
pub const INDEX_BASE_MICRO_POINTS: u64 = 1_000_000_000;
/// Most models that have a series. A price list has a few dozen; beyond this a model has a price and no history.
pub const MAX_MODELS: usize = 1_000;

/// Whose price an index tells.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Series {
    /// All that the network rents out.
    Network,
    /// One model.
    Model(HardwareModel),
}

/// One hour (or day) of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Whose.
    pub series: Series,
    /// When it begins, unix seconds.
    pub from_unix_secs: i64,
    /// The index at its end, millionths of a point.
    pub index_micro_points: u64,
    /// The mean price per GPU-hour, each cell weighted by what was hired in it (by what was offered, when nothing was hired).
    pub price: MicroUsd,
    /// GPU-hours that were hired, in thousandths.
    pub hired_gpu_milli_hours: u64,
    /// GPU-hours that were offered, in thousandths.
    pub offered_gpu_milli_hours: u64,
}

impl Point {
    /// What of the offer was hired, basis points.
    pub fn utilisation_bps(&self) -> u64 {
        let hired = u128::from(self.hired_gpu_milli_hours.min(self.offered_gpu_milli_hours)) * u128::from(WHOLE_BPS);
        hired.checked_div(u128::from(self.offered_gpu_milli_hours)).map_or(0, |share| u64::try_from(share).expect("at most the whole"))
    }
}

/// One cell at the end of an hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Close {
    pub(crate) nano: u64,
    /// Thousandths of a GPU times seconds, hired and offered in the hour.
    pub(crate) hired_milli_secs: u64,
    pub(crate) offered_milli_secs: u64,
}

/// Where each series stands, and the hour that the next one is compared with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chain {
    network_micro_points: Option<u64>,
    models_micro_points: BTreeMap<HardwareModel, u64>,
    last: BTreeMap<Cell, Close>,
}

/// Sums over the cells of a series.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    hired: u128,
    offered: u128,
    /// Price times weight, weighted by what is hired and by what is offered.
    by_hired: u128,
    by_offered: u128,
}

impl Sums {
    fn add(&mut self, nano: u64, weights: &Close) {
        let (hired, offered) = (u128::from(weights.hired_milli_secs), u128::from(weights.offered_milli_secs));
        self.hired = self.hired.saturating_add(hired);
        self.offered = self.offered.saturating_add(offered);
        self.by_hired = self.by_hired.saturating_add(hired.saturating_mul(u128::from(nano)));
        self.by_offered = self.by_offered.saturating_add(offered.saturating_mul(u128::from(nano)));
    }
}

/// One series' sums of an hour.
#[derive(Debug, Clone, Copy, Default)]
struct Hour {
    /// This hour's prices and weights.
    own: Sums,
    /// The basket of the hour before, at its prices and at this hour's.
    before: Sums,
    now: Sums,
}

impl Hour {
    fn add(&mut self, close: &Close, last: Option<&Close>) {
        self.own.add(close.nano, close);
        if let Some(last) = last {
            self.before.add(last.nano, last);
            self.now.add(close.nano, last);
        }
    }

    fn index(&self, micro_points: u64) -> u64 {
        let (now, before) =
            if self.before.hired > 0 { (self.now.by_hired, self.before.by_hired) } else { (self.now.by_offered, self.before.by_offered) };
        ratio(micro_points, now, before)
    }

    fn point(&self, series: Series, from_unix_secs: i64, index_micro_points: u64) -> Point {
        let (sum, weight) = if self.own.hired > 0 { (self.own.by_hired, self.own.hired) } else { (self.own.by_offered, self.own.offered) };
        let price = (sum.checked_div(weight).unwrap_or(0)).div_ceil(u128::from(NANO_PER_MICRO));
        let hours = |milli_secs: u128| u64::try_from(milli_secs / 3_600).unwrap_or(u64::MAX);
        Point {
            series,
            from_unix_secs,
            index_micro_points,
            price: MicroUsd(u64::try_from(price).unwrap_or(u64::MAX)),
            hired_gpu_milli_hours: hours(self.own.hired),
            offered_gpu_milli_hours: hours(self.own.offered),
        }
    }
}

/// `value * numerator / denominator`, to the nearest; `value` when there is nothing to compare.
fn ratio(value: u64, numerator: u128, denominator: u128) -> u64 {
    // Sixty-three bits of each are kept, so that no product leaves 128 bits.
    let shift = (u128::BITS - numerator.max(denominator).leading_zeros()).saturating_sub(63);
    let (numerator, denominator) = (numerator >> shift, denominator >> shift);
    if numerator == 0 || denominator == 0 {
        return value;
    }
    u64::try_from((u128::from(value) * numerator + denominator / 2) / denominator).unwrap_or(u64::MAX)
}

impl Chain {
    /// Closes the hour that began at `from_unix_secs` with these cells. One point for each series that had an offer.
    pub(crate) fn close(&mut self, from_unix_secs: i64, cells: BTreeMap<Cell, Close>) -> Vec<Point> {
        let mut network = Hour::default();
        let mut models: BTreeMap<&HardwareModel, Hour> = BTreeMap::new();
        for (cell, close) in &cells {
            let last = self.last.get(cell);
            network.add(close, last);
            models.entry(&cell.model).or_default().add(close, last);
        }
        let mut points = Vec::new();
        let index = network.index(self.network_micro_points.unwrap_or(INDEX_BASE_MICRO_POINTS));
        if network.own.offered > 0 {
            points.push(network.point(Series::Network, from_unix_secs, index));
        }
        self.network_micro_points = Some(index);
        for (model, hour) in models {
            let known = self.models_micro_points.get(model).copied();
            if known.is_none() && self.models_micro_points.len() >= MAX_MODELS {
                continue;
            }
            let index = hour.index(known.unwrap_or(INDEX_BASE_MICRO_POINTS));
            self.models_micro_points.insert(model.clone(), index);
            if hour.own.offered > 0 {
                points.push(hour.point(Series::Model(model.clone()), from_unix_secs, index));
            }
        }
        self.last = cells;
        points
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, reason = "only what is computed in integers is compared in floats")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CELLS: [&str; 5] = ["cpu:0:a", "h100:3:a", "h100:4:a", "h100:4:b", "rtx-4090:1:b"];

    /// Hours of five cells, each there or not: factor on its price in basis points, hired, offered.
    fn hours() -> impl Strategy<Value = Vec<Vec<Option<(u64, u64, u64)>>>> {
        let cell = prop::option::weighted(0.7, (9_500_u64..=10_500, 0_u64..10_000_000, 1_u64..10_000_000));
        prop::collection::vec(prop::collection::vec(cell, CELLS.len()), 1..60)
    }

    fn close(nano: u64, hired: u64, offered: u64) -> Close {
        Close { nano, hired_milli_secs: hired, offered_milli_secs: offered }
    }

    proptest! {
        /// Whatever comes and goes, the index moves no further than the prices of cells that were there before and are there now.
        #[test]
        fn comings_and_goings_move_nothing(hours in hours()) {
            let mut chain = Chain::default();
            let mut nano = [115_000_000_u64, 2_000_000_000, 2_200_000_000, 1_900_000_000, 350_000_000];
            let mut before: BTreeMap<Series, u64> = BTreeMap::new();
            for (number, hour) in (0_i64..).zip(&hours) {
                let mut cells = BTreeMap::new();
                for (index, there) in hour.iter().enumerate() {
                    // A price moves whether anybody offers at it or not.
                    nano[index] = nano[index] * there.map_or(10_100, |(factor, ..)| factor) / 10_000;
                    if let Some((_, hired, offered)) = *there {
                        cells.insert(CELLS[index].parse::<Cell>().unwrap(), close(nano[index], hired.min(offered), offered));
                    }
                }
                let last = chain.last.clone();
                let points = chain.close(number * 3_600, cells.clone());
                for point in points {
                    let of = |cell: &Cell| match &point.series { Series::Network => true, Series::Model(model) => cell.model == *model };
                    let moves: Vec<f64> = cells.iter().filter(|(cell, _)| of(cell))
                        .filter_map(|(cell, now)| last.get(cell).map(|last| now.nano as f64 / last.nano as f64)).collect();
                    let index = point.index_micro_points as f64;
                    let old = before.get(&point.series).copied().unwrap_or(INDEX_BASE_MICRO_POINTS) as f64;
                    let low = moves.iter().copied().fold(f64::INFINITY, f64::min).min(if moves.is_empty() { 1.0 } else { f64::INFINITY });
                    let high = moves.iter().copied().fold(0.0, f64::max).max(if moves.is_empty() { 1.0 } else { 0.0 });
                    prop_assert!(index >= old * low - 2.0 && index <= old * high + 2.0, "{old} -> {index}, prices {low} to {high}");
                    let prices: Vec<u64> = cells.iter().filter(|(cell, _)| of(cell)).map(|(_, now)| now.nano.div_ceil(1_000)).collect();
                    prop_assert!(prices.iter().min().unwrap() <= &point.price.0 && &point.price.0 <= prices.iter().max().unwrap());
                    before.insert(point.series, point.index_micro_points);
                }
            }
        }

        /// With one cell the index is its price.
        #[test]
        fn one_cell_is_its_price(factors in prop::collection::vec(9_500_u64..=10_500, 1..100), hired in 0_u64..1_000) {
            let mut chain = Chain::default();
            let cell: Cell = "h100:3:a".parse().unwrap();
            let (first, mut nano) = (2_000_000_000_u64, 2_000_000_000_u64);
            let mut point = None;
            for (hour, factor) in (0_i64..).zip(factors) {
                if hour > 0 {
                    nano = nano * factor / 10_000;
                }
                point = chain.close(hour * 3_600, [(cell.clone(), close(nano, hired, 1_000))].into()).pop();
            }
            let want = 1e9 * nano as f64 / first as f64;
            prop_assert!((point.unwrap().index_micro_points as f64 - want).abs() < 200.0);
        }

        #[test]
        fn no_sum_overflows(cells in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u64>()), 1..5)) {
            let mut chain = Chain::default();
            for _ in 0..3 {
                let cells = CELLS.iter().zip(&cells).map(|(cell, &(nano, hired, offered))| (cell.parse().unwrap(), close(nano, hired, offered)));
                for point in chain.close(0, cells.collect()) {
                    prop_assert!(point.utilisation_bps() <= WHOLE_BPS);
                }
            }
        }
    }
}
