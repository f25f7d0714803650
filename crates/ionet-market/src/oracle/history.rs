//! What the index was: every hour of the last 90 days, and every day of the last ten years.

use std::collections::{BTreeMap, VecDeque};

use ionet_types::MicroUsd;
use serde::{Deserialize, Serialize};

use super::index::{MAX_MODELS, Point, Series};

/// Hours that are kept of each series.
pub const HOURS_KEPT: usize = 90 * 24;
/// Days that are kept of each series.
pub const DAYS_KEPT: usize = 10 * 365;
/// Seconds in a day.
const DAY_SECS: i64 = 86_400;

/// Hours and days of one series, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    hours: VecDeque<Point>,
    days: VecDeque<Point>,
}

/// The points of all series, as many as are kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(Series, Kept)>", into = "Vec<(Series, Kept)>")]
pub struct History {
    series: BTreeMap<Series, Kept>,
}

impl History {
    /// Adds the points of an hour ([`super::Updated::points`]). A point that is not newer than the newest of its series is left out, so an
    /// hour can be added again.
    pub fn push(&mut self, points: impl IntoIterator<Item = Point>) {
        for point in points {
            if self.series.len() > MAX_MODELS && !self.series.contains_key(&point.series) {
                continue;
            }
            self.series.entry(point.series.clone()).or_default().push(point);
        }
    }

    /// The series that have points.
    pub fn series(&self) -> impl Iterator<Item = &Series> {
        self.series.keys()
    }

    /// The hours of a series, oldest first.
    pub fn hours(&self, series: &Series) -> impl Iterator<Item = &Point> {
        self.series.get(series).into_iter().flat_map(|kept| &kept.hours)
    }

    /// The days of a series that are over, oldest first. Days begin at 00:00 UTC.
    pub fn days(&self, series: &Series) -> impl Iterator<Item = &Point> {
        self.series.get(series).into_iter().flat_map(|kept| &kept.days)
    }
}

impl Kept {
    fn push(&mut self, point: Point) {
        if let Some(newest) = self.hours.back() {
            if newest.from_unix_secs >= point.from_unix_secs {
                return;
            }
            let day = day_of(newest);
            if day != day_of(&point) {
                let of_day: Vec<_> = self.hours.iter().rev().take_while(|hour| day_of(hour) == day).collect();
                self.days.extend(whole_day(&of_day, day));
            }
        }
        self.hours.push_back(point);
        self.hours.drain(..self.hours.len().saturating_sub(HOURS_KEPT));
        self.days.drain(..self.days.len().saturating_sub(DAYS_KEPT));
    }
}

fn day_of(point: &Point) -> i64 {
    point.from_unix_secs.div_euclid(DAY_SECS)
}

/// The hours of a day, newest first, as one point: the last index, the mean price by what was hired (else offered), the sums.
fn whole_day(hours: &[&Point], day: i64) -> Option<Point> {
    let last = hours.first()?;
    let sum = |of: fn(&Point) -> u64| hours.iter().map(|hour| u128::from(of(hour))).sum::<u128>();
    let (hired, offered) = (sum(|hour| hour.hired_gpu_milli_hours), sum(|hour| hour.offered_gpu_milli_hours));
    let weight = |hour: &Point| u128::from(if hired > 0 { hour.hired_gpu_milli_hours } else { hour.offered_gpu_milli_hours });
    let worth = hours.iter().fold(0_u128, |sum, hour| sum.saturating_add(weight(hour).saturating_mul(u128::from(hour.price.0))));
    let mean =
        worth.checked_div(hours.iter().map(|hour| weight(hour)).sum()).map_or(last.price.0, |mean| u64::try_from(mean).unwrap_or(u64::MAX));
    let whole = |sum: u128| u64::try_from(sum).unwrap_or(u64::MAX);
    Some(Point {
        series: last.series.clone(),
        from_unix_secs: day.saturating_mul(DAY_SECS),
        index_micro_points: last.index_micro_points,
        price: MicroUsd(mean),
        hired_gpu_milli_hours: whole(hired),
        offered_gpu_milli_hours: whole(offered),
    })
}

impl From<Vec<(Series, Kept)>> for History {
    fn from(series: Vec<(Series, Kept)>) -> Self {
        Self { series: series.into_iter().collect() }
    }
}

impl From<History> for Vec<(Series, Kept)> {
    fn from(history: History) -> Self {
        history.series.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(hour: i64, price: u64, hired: u64) -> Point {
        Point {
            series: Series::Network,
            from_unix_secs: hour * 3_600,
            index_micro_points: price * 1_000,
            price: MicroUsd(price),
            hired_gpu_milli_hours: hired,
            offered_gpu_milli_hours: 1_000,
        }
    }

    proptest! {
        /// Each day is its hours, and a series never grows beyond what is kept.
        #[test]
        fn days_are_their_hours(steps in prop::collection::vec((1_i64..30, 1_u64..1_000, 0_u64..1_000), 1..400)) {
            let mut history = History::default();
            let mut hour = 0;
            let mut all = Vec::new();
            for (after, price, hired) in steps {
                hour += after;
                all.push(point(hour, price, hired));
                history.push([point(hour, price, hired)]);
                history.push([point(hour, price + 1, hired), point(hour - 1, price, hired)]);
            }
            prop_assert!(history.hours(&Series::Network).eq(&all));
            let days: Vec<_> = history.days(&Series::Network).collect();
            let complete: std::collections::BTreeSet<i64> = all.iter().map(day_of).filter(|day| *day < day_of(all.last().unwrap())).collect();
            prop_assert_eq!(days.iter().map(|day| day_of(day)).collect::<Vec<_>>(), complete.into_iter().collect::<Vec<_>>());
            for day in days {
                let hours = || all.iter().filter(|hour| day_of(hour) == day_of(day));
                prop_assert_eq!(day.index_micro_points, hours().next_back().unwrap().index_micro_points);
                prop_assert_eq!(day.hired_gpu_milli_hours, hours().map(|hour| hour.hired_gpu_milli_hours).sum::<u64>());
                prop_assert!(hours().map(|hour| hour.price).min().unwrap() <= day.price && day.price <= hours().map(|hour| hour.price).max().unwrap());
            }
            let text = serde_json::to_string(&history).unwrap();
            prop_assert_eq!(serde_json::from_str::<History>(&text).unwrap(), history);
        }
    }

    #[test]
    fn what_is_old_goes() {
        let mut history = History::default();
        for hour in 0..24 * 365 {
            history.push([point(hour, 1, 1)]);
        }
        assert_eq!(history.hours(&Series::Network).count(), HOURS_KEPT);
        assert_eq!(history.days(&Series::Network).count(), 364);
        assert_eq!(history.hours(&Series::Network).last().unwrap().from_unix_secs, (24 * 365 - 1) * 3_600);
    }
}
