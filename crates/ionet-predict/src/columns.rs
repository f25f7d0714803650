//! The numbers that the regression sees: bounded by what a field can mean, so that no record can be an outlier of any size.

use crate::hire::{Class, Features};
use crate::periods::Period;

/// How many there are.
pub(crate) const COUNT: usize = 14;

/// Those of a device in a period.
pub(crate) fn of(features: &Features, period: Period) -> [f64; COUNT] {
    let hour = f64::from(features.hour_of_week.min(167));
    let of_day = hour / 24.0 * std::f64::consts::TAU;
    let count = |count: u32, most: u32| f64::from(count.min(most)).ln_1p();
    let is = |class| f64::from(u8::from(features.class == class));
    let time = period.ln_minutes();
    [
        f64::from(features.reputation.min(1_000)) / 1_000.0,
        f64::from(10_000 - features.uptime_30d_bps.min(10_000)) / 10_000.0,
        count(features.failures_30d, 1_000),
        count(features.failures_7d, 1_000),
        count(features.age_days, 10_000),
        of_day.sin(),
        of_day.cos(),
        f64::from(u8::from(features.hour_of_week >= 120)),
        f64::from(features.tier.min(4)),
        is(Class::Consumer),
        is(Class::Workstation),
        is(Class::DataCentre),
        time,
        time * time,
    ]
}
