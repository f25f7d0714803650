//! A strategy against its plain reading, and the laws of durations with floors in them.

use ionet_rules::money::Currency;
use ionet_rules::params::Params;
use ionet_types::MicroUsd;
use proptest::prelude::*;
use proptest::strategy::Strategy as Values;

use super::{Strategy, *};
use crate::durations::Discounts;

const MONDAY: i64 = 4 * 86_400;

fn model(name: &str) -> HardwareModel {
    name.parse().unwrap()
}

fn entries() -> impl Values<Value = Entry> {
    let models = prop::sample::select(vec![None, Some("h100"), Some("cpu")]);
    let days = prop::sample::subsequence(vec![Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun], 0..=7);
    let window = prop::option::of((0_u8..24, 1_u8..=24).prop_filter("a window has hours", |(from, to)| from != to));
    let length = prop_oneof![Just(0_u32), 1_u32..20_000];
    (models, length, days, window, 0_u64..5_000_000, prop_oneof![Just(0_u16), 1_u16..=MAX_FOLLOW_BPS]).prop_map(
        |(name, from_minutes, days, window, floor_micro_usd, follow_bps)| Entry {
            model: name.map(model),
            from_minutes,
            days,
            from_hour: window.map(|(from, _)| from),
            to_hour: window.map(|(_, to)| to),
            floor_micro_usd,
            follow_bps,
        },
    )
}

fn strategies() -> impl Values<Value = Strategy> {
    (prop_oneof![Just(0_u32), 1_u32..5_000], 0..=MAX_INTERRUPTIBLE_DISCOUNT_BPS, prop::collection::vec(entries(), 0..6)).prop_map(
        |(min_hire_minutes, interruptible_discount_bps, floors)| {
            Written { min_hire_minutes, interruptible_discount_bps, floors, ..Written::default() }.try_into().unwrap()
        },
    )
}

/// The floors of each minute of a hire, read from the strategy as a person would.
fn plain(strategy: &Strategy, hire: &Hire<'_>) -> u64 {
    const DAYS: [Day; 7] = [Day::Thu, Day::Fri, Day::Sat, Day::Sun, Day::Mon, Day::Tue, Day::Wed];
    let mut highest = 0;
    for minute in 0..i64::from(hire.minutes) {
        let at = hire.from_unix_secs + minute * 60;
        let (day, hour) = (DAYS[usize::try_from(at / 86_400 % 7).unwrap()], u8::try_from(at % 86_400 / 3_600).unwrap());
        for entry in &strategy.written().floors {
            let window = match (entry.from_hour, entry.to_hour) {
                (Some(from), Some(to)) if from < to => from <= hour && hour < to,
                (Some(from), Some(to)) => !(to <= hour && hour < from),
                _ => true,
            };
            if entry.model.as_ref().is_none_or(|only| only == hire.model)
                && hire.minutes >= entry.from_minutes
                && (entry.days.is_empty() || entry.days.contains(&day))
                && window
            {
                let follow = (u128::from(hire.price.0) * u128::from(entry.follow_bps)).div_ceil(10_000);
                highest = highest.max(entry.floor_micro_usd).max(u64::try_from(follow).unwrap());
                break;
            }
        }
    }
    highest
}

proptest! {
    /// A hire never costs less than any of its minutes' floors, less the supplier's own discount.
    #[test]
    fn never_below_what_is_written(strategy in strategies(), from in 0_i64..10_000_000, minutes in 1_u32..12_000, price in 1_u64..5_000_000, interruptible: bool, usdc: bool) {
        let currency = if usdc { Currency::Usdc } else { Currency::Io };
        let model = model("h100");
        let hire = Hire { model: &model, price: MicroUsd(price), from_unix_secs: from, minutes, interruptible, discounts: Discounts::new(currency, &Params::DEFAULT) };
        let floor = strategy.floor(&hire);
        prop_assert_eq!(floor.is_none(), minutes < strategy.written().min_hire_minutes);
        if let Some(floor) = floor {
            let written = plain(&strategy, &hire);
            let discount = if interruptible { u64::from(strategy.written().interruptible_discount_bps) } else { 0 };
            prop_assert!(u128::from(floor.0) * 10_000 >= u128::from(written) * u128::from(10_000 - discount));
            if strategy.written().floors.iter().all(|entry| entry.from_minutes == 0) {
                prop_assert_eq!(u128::from(floor.0), (u128::from(written) * u128::from(10_000 - discount)).div_ceil(10_000));
            }
        }
    }

    /// Whatever a supplier writes: a longer hire costs more in all, and to book it and end it early is not cheaper.
    #[test]
    fn no_arbitrage_by_floors(strategy in strategies(), from in 0_i64..10_000_000, minutes in 1_u32..30_000, more in 1_u32..30_000, price in 1_000_u64..5_000_000, usdc: bool) {
        let (currency, fees) = if usdc { (Currency::Usdc, 225) } else { (Currency::Io, 25) };
        let model = model("h100");
        let at = |minutes| Hire { model: &model, price: MicroUsd(price), from_unix_secs: from, minutes, interruptible: false, discounts: Discounts::new(currency, &Params::DEFAULT) };
        let longer = minutes + more;
        if let Some(short) = strategy.floor(&at(minutes)) {
            let long = strategy.floor(&at(longer)).unwrap();
            let (short, long, used, all) = (u128::from(short.0), u128::from(long.0), u128::from(minutes), u128::from(longer));
            prop_assert!(short == 0 || long * all > short * used);
            let (right, early) = (short * used * (10_000 + fees), long * (used * 10_000 + all * fees));
            // Rates are rounded to one micro-USD per hour.
            prop_assert!(early + 2 * used * (10_000 + fees) >= right, "{early} {right}");
        }
    }

    #[test]
    fn what_is_written_is_read(strategy in strategies()) {
        let json = serde_json::to_string(&strategy).unwrap();
        prop_assert_eq!(&Strategy::parse(&json).unwrap(), &strategy);
    }

    #[test]
    fn any_text_is_read_or_refused(text in ".{0,200}", floor: u64, price: u64, from: i64, minutes: u32, follow: u16, hour: u8) {
        let _ = Strategy::parse(&text);
        let text = format!("[[floors]]\nfloor_micro_usd = {floor}\nfollow_bps = {follow}\nfrom_hour = {hour}\nto_hour = 24\nfrom_minutes = {minutes}");
        if let Ok(strategy) = Strategy::parse(&text) {
            let model = model("cpu");
            let hire = Hire { model: &model, price: MicroUsd(price), from_unix_secs: from, minutes, interruptible: true, discounts: Discounts::new(Currency::Usdc, &Params::DEFAULT) };
            let _ = (strategy.floor(&hire), strategy.fixed(&model, from));
        }
    }
}

const EXAMPLE: &str = r#"
    min_hire_minutes = 120
    interruptible_discount_bps = 3000

    [[floors]]
    model = "h100"
    from_minutes = 10080
    floor_micro_usd = 1900000

    [[floors]]
    model = "h100"
    days = ["sat", "sun"]
    from_hour = 22
    to_hour = 6
    floor_micro_usd = 1600000

    [[floors]]
    floor_micro_usd = 0
    follow_bps = 9500
"#;

#[test]
fn the_example() {
    let strategy = Strategy::parse(EXAMPLE).unwrap();
    let h100 = model("h100");
    let floor = |from_unix_secs, minutes, interruptible| {
        let discounts = Discounts::new(Currency::Usdc, &Params::DEFAULT);
        let hire = Hire { model: &h100, price: MicroUsd(2_000_000), from_unix_secs, minutes, interruptible, discounts };
        strategy.floor(&hire).map(|floor| floor.0)
    };
    let saturday_night = MONDAY + 5 * 86_400 + 22 * 3_600;
    assert_eq!(floor(MONDAY, 60, false), None);
    assert_eq!(floor(MONDAY, 120, false), Some(1_900_000));
    assert_eq!(floor(MONDAY, 120, true), Some(1_330_000));
    assert_eq!(floor(saturday_night, 120, false), Some(1_600_000));
    // One minute of it is Sunday morning after six.
    assert_eq!(floor(saturday_night, 8 * 60 + 1, false), Some(1_900_000));
    assert_eq!(strategy.fixed(&h100, saturday_night), MicroUsd(1_600_000));
    assert_eq!(strategy.fixed(&h100, MONDAY), MicroUsd(0));
    assert_eq!(strategy.fixed(&model("cpu"), saturday_night), MicroUsd(0));
}

#[test]
fn a_long_hires_floor_falls_no_faster_than_the_discount() {
    let text = "[[floors]]\nfrom_minutes = 1440\nfloor_micro_usd = 500000\n[[floors]]\nfloor_micro_usd = 1000000";
    let strategy = Strategy::parse(text).unwrap();
    let cpu = model("cpu");
    let discounts = Discounts::new(Currency::Usdc, &Params::DEFAULT);
    let floor = |minutes| {
        strategy.floor(&Hire { model: &cpu, price: MicroUsd(1), from_unix_secs: 0, minutes, interruptible: false, discounts }).unwrap().0
    };
    assert_eq!(floor(1_439), 1_000_000);
    assert!((999_000..1_000_000).contains(&floor(1_440)), "{}", floor(1_440));
    assert!((950_000..960_000).contains(&floor(30 * 1_440)), "{}", floor(30 * 1_440));
}

#[test]
fn what_is_wrong_is_named() {
    let error = |text: &str| Strategy::parse(text).unwrap_err();
    assert_eq!(error("min_hire_minutes = 9999999").to_string(), "min_hire_minutes: 9999999 is not allowed; allowed are 0 to 5256000");
    let entry = |fields: &str| error(&format!("[[floors]]\nfloor_micro_usd = 1\n[[floors]]\nfloor_micro_usd = 1\n{fields}"));
    assert_eq!(entry("from_hour = 24\nto_hour = 2").to_string(), "floors[1].from_hour: 24 is not allowed; allowed are 0 to 23");
    assert_eq!(entry("from_hour = 4\nto_hour = 0").to_string(), "floors[1].to_hour: 0 is not allowed; allowed are 1 to 24");
    assert_eq!(entry("from_hour = 4"), StrategyError::HalfAWindow(1));
    assert_eq!(entry("follow_bps = 20001").code(), "strategy_value_out_of_range");
    for (text, field) in [
        ("flor = 1", "flor"),
        ("[[floors]]\nfollow_bps = 1", "floor_micro_usd"),
        ("[[floors]]\nfloor_micro_usd = -1", "-1"),
        ("[[floors]]\nfloor_micro_usd = 1\ndays = [\"someday\"]", "`sun`"),
        ("[[floors]]\nfloor_micro_usd = 1\nmodel = \"H100\"", "model"),
        (r#"{"min_hire_minutes":"x"}"#, "min_hire_minutes"),
    ] {
        let error = error(text);
        assert_eq!(error.code(), "strategy_malformed", "{error}");
        assert!(error.to_string().contains(field) || field == "min_hire_minutes", "{error}");
    }
    assert_eq!(error(&"#".repeat(MAX_TEXT + 1)).code(), "strategy_too_long");
    assert_eq!(error(&"[[floors]]\nfloor_micro_usd = 1\n".repeat(33)), StrategyError::TooManyEntries(33));
    assert_eq!(Strategy::parse("").unwrap(), Strategy::default());
    assert_eq!(Strategy::flat(MAX_RATE + 1).unwrap_err().code(), "strategy_value_out_of_range");
}
