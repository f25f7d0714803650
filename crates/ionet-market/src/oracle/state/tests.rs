//! The laws of prices, whatever happens on the network; and a month of it.

use ionet_types::hardware::HardwareKind;
use proptest::prelude::*;

use super::*;
use crate::oracle::History;
use crate::oracle::observe::Supply;
use crate::prices::Model;

const CELLS: [&str; 6] = ["cpu:0:europe", "h100:3:europe", "h100:3:asia", "h100:4:asia", "rtx-4090:1:europe", "abacus:1:europe"];

fn cell(index: usize) -> Cell {
    CELLS[index].parse().unwrap()
}

fn multipliers() -> Multipliers {
    Multipliers::new([9_000, 9_500, 10_000, 10_500, 11_000], [("asia".parse().unwrap(), 8_000)].into()).unwrap()
}

/// One call of `update`: seconds after the last, and of each cell machines, how many of them are hired, and their floor.
type Call = (i64, Vec<(u8, u8, u64)>);

fn calls(most_secs: i64) -> impl Strategy<Value = Vec<Call>> {
    let cell = (0_u8..40, 0_u8..40, prop_oneof![Just(0), 1_u64..9_000_000]);
    prop::collection::vec((0..most_secs, prop::collection::vec(cell, CELLS.len())), 1..40)
}

fn observe(call: &Call, more_hired: u8) -> Observations {
    let mut seen = Observations::default();
    for (index, &(machines, hired, floor)) in call.1.iter().enumerate() {
        for number in 0..machines {
            let hired_milli = if number < hired.saturating_add(more_hired) { 8_000 } else { 0 };
            seen.add(&cell(index), Supply { offered_milli: 8_000, hired_milli, floor: MicroUsd(floor) });
        }
    }
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is seen, and however often: within any hour no price moves by more than the bound, all prices keep their bounds, and what
    /// explains a price gives it.
    #[test]
    fn steps_and_bounds(calls in calls(5_000)) {
        let list = PriceList::default();
        let mut oracle = Oracle::new(multipliers(), &list, 1_000);
        let mut now = 1_000;
        let mut paths: BTreeMap<Cell, Vec<(i64, u64)>> = BTreeMap::new();
        for call in &calls {
            now += call.0;
            let updated = oracle.update(&list, &observe(call, 0), now);
            let abacus = call.1[5].0 > 0;
            prop_assert_eq!(updated.unpriced.len(), usize::from(abacus));
            for index in 0..CELLS.len() {
                let cell = cell(index);
                let price = oracle.price(&cell, now);
                prop_assert_eq!(price.is_none(), index == 5);
                let Some(price) = price else { continue };
                let reason = oracle.explain(&cell, now).unwrap();
                prop_assert_eq!(reason.price, price);
                prop_assert!(reason.lowest <= reason.target && reason.target <= reason.highest);
                prop_assert!(reason.lowest <= price && price <= reason.highest);
                let asked = u128::from(reason.reference.0) * u128::from(reason.scarcity_ppm) * u128::from(reason.tier_bps) * u128::from(reason.region_bps);
                prop_assert!(u128::from(reason.asked.0).abs_diff(asked / 100_000_000_000_000) <= 1);
                prop_assert!(reason.target >= reason.supply_floor.min(reason.highest));
                paths.entry(cell).or_default().push((now, price.0));
            }
        }
        for path in paths.values() {
            for (index, (from, before)) in path.iter().enumerate() {
                for (_, after) in path[index..].iter().take_while(|(to, _)| to - from <= 3_600) {
                    // Five per cent, and what rounding to one micro-USD makes of it.
                    prop_assert!(*after * 100 <= *before * 105 + 200 && *after * 100 + 200 >= *before * 95, "{before} -> {after}");
                }
            }
        }
    }

    /// More of the same network hired: no price is ever lower for it.
    #[test]
    fn scarcer_is_never_cheaper(calls in calls(20_000), more in 0_u8..40) {
        let list = PriceList::default();
        let (mut calm, mut busy) = (Oracle::new(multipliers(), &list, 0), Oracle::new(multipliers(), &list, 0));
        let mut now = 0;
        for call in &calls {
            now += call.0;
            calm.update(&list, &observe(call, 0), now);
            busy.update(&list, &observe(call, more), now);
            for index in 0..CELLS.len() {
                prop_assert!(busy.price(&cell(index), now) >= calm.price(&cell(index), now));
            }
        }
    }

    /// To be told the same more often changes no price; to be stored and read changes nothing at all.
    #[test]
    fn how_often_does_not_matter(calls in calls(20_000), times in 1_i64..30) {
        let list = PriceList::default();
        let (mut seldom, mut often) = (Oracle::new(multipliers(), &list, 0), Oracle::new(multipliers(), &list, 0));
        let (mut now, mut last) = (0, Observations::default());
        let mut points = (Vec::new(), Vec::new());
        for call in &calls {
            for part in 1..times {
                points.1.extend(often.update(&list, &last, now + call.0 * part / times).points);
            }
            now += call.0;
            last = observe(call, 0);
            points.0.extend(seldom.update(&list, &last, now).points);
            points.1.extend(often.update(&list, &last, now).points);
            for index in 0..CELLS.len() {
                prop_assert_eq!(seldom.price(&cell(index), now), often.price(&cell(index), now));
            }
            let text = serde_json::to_string(&often).unwrap();
            let read: Oracle = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read, &often);
            often = read;
        }
        // Where both closed an hour, they agree on prices; an index that skipped hours has compared fewer of them.
        for point in &points.0 {
            prop_assert!(points.1.iter().any(|other| other.from_unix_secs == point.from_unix_secs && other.series == point.series));
        }
    }

    /// The index of each hour lies within the moves of the prices, whatever models and cells come and go.
    #[test]
    fn the_index_never_jumps(calls in calls(3_000)) {
        let mut list = PriceList::default();
        let mut oracle = Oracle::new(multipliers(), &list, 0);
        let mut history = History::default();
        let mut now = 0;
        for (number, call) in calls.iter().enumerate() {
            now += call.0;
            if number == calls.len() / 2 {
                // A model leaves the list, another enters at an absurd price.
                let mut models: Vec<Model> = list.models().iter().filter(|model| model.hardware.as_str() != "rtx-4090").cloned().collect();
                let words = vec!["abacus".to_owned()];
                models.push(Model { hardware: "abacus".parse().unwrap(), kind: HardwareKind::Gpu, name: "Abacus".to_owned(), rate_micro_usd: ionet_types::MicroUsd(90_000_000_000), words });
                list = PriceList::new(models).unwrap();
            }
            history.push(oracle.update(&list, &observe(call, 0), now).points);
        }
        for series in history.series() {
            let points: Vec<_> = history.hours(series).collect();
            for pair in points.windows(2) {
                // Each hour in between may move it by the bound.
                let hours = i32::try_from((pair[1].from_unix_secs - pair[0].from_unix_secs) / 3_600).unwrap();
                let ratio = pair[1].index_micro_points as f64 / pair[0].index_micro_points as f64;
                let within = 0.95_f64.powi(hours) - 1e-6..=1.05_f64.powi(hours) + 1e-6;
                prop_assert!(within.contains(&ratio), "{series:?} moved by {ratio} in {hours} h");
            }
        }
    }

    /// A network of one machine: hired or not, at any floor, it cannot move its own price far.
    #[test]
    fn one_machine_alone(hired: bool, floor in 0_u64..1_000_000_000) {
        let list = PriceList::default();
        let mut oracle = Oracle::new(multipliers(), &list, 0);
        let mut seen = Observations::default();
        seen.add(&cell(1), Supply { offered_milli: 8_000, hired_milli: if hired { 8_000 } else { 0 }, floor: MicroUsd(floor) });
        oracle.update(&list, &seen, 0);
        oracle.update(&list, &seen, 90 * 24 * HOUR_SECS);
        let (price, start) = (oracle.price(&cell(1), 90 * 24 * HOUR_SECS).unwrap().0, 2_000_000 * 10_500 / 10_000);
        prop_assert!(price.abs_diff(start) * 10 <= start, "{price} from {start}");
    }

    /// A clock that jumps, and states that nobody would expect: no panic.
    #[test]
    fn no_time_is_too_strange(times in prop::collection::vec(any::<i64>(), 1..8), offered: u32, hired: u32, floor: u64) {
        let list = PriceList::default();
        let mut oracle = Oracle::new(multipliers(), &list, times[0]);
        let mut seen = Observations::default();
        seen.add(&cell(1), Supply { offered_milli: offered, hired_milli: hired, floor: MicroUsd(floor) });
        for &now in &times {
            oracle.update(&list, &seen, now);
            let _ = oracle.explain(&cell(1), now);
        }
    }
}

#[test]
fn a_cell_that_is_new_begins_as_its_model() {
    let list = PriceList::default();
    let mut oracle = Oracle::new(multipliers(), &list, 0);
    let (old, new) = (cell(1), cell(2));
    let mut seen = Observations::default();
    for _ in 0..100 {
        seen.add(&old, Supply { offered_milli: 8_000, hired_milli: 8_000, floor: MicroUsd(0) });
    }
    oracle.update(&list, &seen, 0);
    let day = 24 * HOUR_SECS;
    let before = oracle.price(&new, day).unwrap();
    assert!(before.0 > 2_000_000, "{before}");
    seen.add(&new, Supply { offered_milli: 1_000, hired_milli: 0, floor: MicroUsd(0) });
    oracle.update(&list, &seen, day);
    assert_eq!(oracle.price(&new, day).unwrap(), before);
    // Without a device for a month, it is priced as its model again.
    assert!(oracle.cells().any(|known| *known == new));
    assert!(oracle.update(&list, &Observations::default(), 40 * day).points.len() > 1);
    oracle.update(&list, &Observations::default(), 80 * day);
    assert_eq!(oracle.cells().count(), 0);
}

/// Small, fast and the same everywhere; good enough to shake a market.
struct Chance(u64);

impl Chance {
    /// Even between -1 and 1.
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
    }
}

/// Customers as the simulation has them.
#[derive(Debug, Clone, Copy)]
struct Demand {
    /// By how many per cent demand falls when the price rises by one.
    elasticity: f64,
    /// Hours that demand takes to follow.
    delay_hours: f64,
    /// How far it breathes with the day and is shaken by chance.
    waves: f64,
    /// Seconds between the oracle's updates.
    interval_secs: i64,
}

impl Demand {
    /// The price at each full hour of 30 days on a network of 2,000 GPUs, of which 60 % are wanted at the reference price, and after ten days
    /// twice as many.
    fn prices(self) -> Vec<f64> {
        let list = PriceList::default();
        let mut oracle = Oracle::new(Multipliers::default(), &list, 0);
        let (cell, gpus, reference) = (cell(1), 2_000.0, 2_000_000.0);
        let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
        let mut hired = 0.7 * gpus;
        let mut hourly = Vec::new();
        for at in (0..30 * 24 * HOUR_SECS).step_by(usize::try_from(self.interval_secs).unwrap()) {
            let day = at as f64 / 86_400.0;
            let price = oracle.price(&cell, at).unwrap().0 as f64;
            let level = if day < 10.0 { 0.6 } else { 1.2 };
            let wave = 1.0 + self.waves * ((day * std::f64::consts::TAU).sin() + chance.next());
            let wanted = (gpus * level * wave * (price / reference).powf(-self.elasticity)).min(gpus);
            hired += (wanted - hired) * (self.interval_secs as f64 / (self.delay_hours * 3_600.0)).min(1.0);
            let mut seen = Observations::default();
            for number in 0..250_u32 {
                let hired_milli = ((hired - f64::from(number) * 8.0).clamp(0.0, 8.0) * 1_000.0) as u32;
                seen.add(&cell, Supply { offered_milli: 8_000, hired_milli, floor: MicroUsd(1_000_000) });
            }
            oracle.update(&list, &seen, at);
            if at % HOUR_SECS == 0 {
                hourly.push(price);
            }
        }
        hourly
    }
}

/// Sum of all moves, as logarithms.
fn variation(prices: &[f64]) -> f64 {
    prices.windows(2).map(|pair| (pair[1] / pair[0]).ln().abs()).sum()
}

/// A month in which demand doubles: prices settle where demand meets the formula, go there on a straight way, and stay. Also where demand
/// reacts strongly and late, and is told seldom.
#[test]
fn prices_settle_and_do_not_oscillate() {
    for (elasticity, delay_hours, interval_secs) in
        [(0.3, 1.0, 60), (1.0, 6.0, 300), (2.0, 6.0, 3_600), (2.0, 24.0, 3_600), (3.0, 12.0, 3_600)]
    {
        let demand = Demand { elasticity, delay_hours, waves: 0.0, interval_secs };
        let prices = demand.prices();
        for (from, to) in [(0, 240), (240, 720)] {
            let (first, last) = (prices[from], prices[to - 1]);
            let moved = (last / first).ln().abs();
            let summary =
                format!("{demand:?}, days {} to {}: {first} to {last}, variation {}", from / 24, to / 24, variation(&prices[from..to]));
            // Some overshoot is in the nature of late customers; it must die out.
            assert!(variation(&prices[from..to]) < 1.6 * moved + 0.15, "{summary}");
            assert!(variation(&prices[to - 96..to]) < 0.02, "it does not come to rest: {summary}");
        }
        assert!(prices[719] > prices[239] * 1.1, "twice the demand must cost more: {demand:?}");
    }
}

/// The same month with days, nights and chance: the mean price of a day settles, and within a day it moves no more than demand does.
#[test]
fn a_restless_month_stays_bounded() {
    for (elasticity, delay_hours, interval_secs) in [(0.5, 1.0, 60), (1.0, 6.0, 300), (2.0, 12.0, 3_600)] {
        let demand = Demand { elasticity, delay_hours, waves: 0.1, interval_secs };
        let prices = demand.prices();
        let days: Vec<f64> = prices.chunks(24).map(|day| day.iter().sum::<f64>() / 24.0).collect();
        let summary =
            format!("{demand:?}: days {:?}, variation {:.2}", days.iter().map(|day| day.round()).collect::<Vec<_>>(), variation(&prices));
        for days in [&days[5..10], &days[20..]] {
            let mean = days.iter().sum::<f64>() / days.len() as f64;
            assert!(days.iter().all(|day| (day / mean - 1.0).abs() < 0.02), "not settled: {summary}");
        }
        // Up and down once a day, by a third at most: twenty per cent more or less demand where the formula is steepest.
        let within = |day: &[f64]| (day.iter().copied().fold(0.0, f64::max) / day.iter().copied().fold(f64::INFINITY, f64::min)).ln();
        let widest = prices.chunks(24).skip(20).map(within).fold(0.0, f64::max);
        assert!(widest < 0.3, "within a day by {widest:.3}: {summary}");
        assert!(variation(&prices[480..]) < 10.0 * 2.2 * widest + 0.1, "more than one wave a day: {summary}");
    }
}
