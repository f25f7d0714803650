//! What a strategy makes of one hire.

use ionet_types::MicroUsd;
use ionet_types::hardware::HardwareModel;

use super::{Day, Entry, Strategy};
use crate::durations::Discounts;

/// The whole, in basis points.
const WHOLE_BPS: u128 = 10_000;
/// Seconds in an hour.
const HOUR_SECS: i64 = 3_600;
/// Hours in a week.
const WEEK_HOURS: i64 = 7 * 24;
/// The hour of the week, counted from Monday, that the epoch began in: a Thursday.
const EPOCH_HOUR: i64 = 3 * 24;
/// Shortest hire that floors are told the oracle for, minutes.
const USUAL_MINUTES: u32 = 60;

/// A hire that a supplier is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hire<'a> {
    /// Which model.
    pub model: &'a HardwareModel,
    /// The oracle's price of it, per GPU-hour, before any discount.
    pub price: MicroUsd,
    /// When it begins, unix seconds.
    pub from_unix_secs: i64,
    /// For how long.
    pub minutes: u32,
    /// Whether it may be interrupted.
    pub interruptible: bool,
    /// The discounts of the currency that it is paid in.
    pub discounts: Discounts,
}

impl Strategy {
    /// The least that a GPU-hour of this hire costs, rounded up; `None` when it is shorter than the supplier accepts.
    ///
    /// A floor for long hires that is lower than the one for shorter ones is raised to what the published discount between the two lengths
    /// makes of the latter. Otherwise a customer could book the long hire, end it early, and be refunded at the lower rate.
    pub fn floor(&self, hire: &Hire<'_>) -> Option<MicroUsd> {
        let written = self.written();
        if hire.minutes < written.min_hire_minutes {
            return None;
        }
        let floor = self.raw(hire, hire.minutes);
        let steps = written.floors.iter().map(|entry| entry.from_minutes);
        // A step's last minute is the dearest of all that are shorter than the next.
        let shorter = steps.filter(|step| (1..=hire.minutes).contains(step)).map(|step| step - 1);
        let shorter = shorter.filter(|&minutes| minutes > 0 && minutes >= written.min_hire_minutes);
        let floor = shorter.map(|minutes| hire.discounts.after(self.raw(hire, minutes), minutes, hire.minutes)).fold(floor, u64::max);
        Some(MicroUsd(floor))
    }

    /// What is fixed in money now, for the shortest usual hire: what the oracle counts as this supply's floor.
    pub fn fixed(&self, model: &HardwareModel, now_unix_secs: i64) -> MicroUsd {
        let minutes = self.written().min_hire_minutes.max(USUAL_MINUTES);
        MicroUsd(self.entry(model, minutes, hour_of_week(now_unix_secs)).map_or(0, |entry| entry.floor_micro_usd))
    }

    /// The highest floor of the hours of a hire of these minutes.
    fn raw(&self, hire: &Hire<'_>, minutes: u32) -> u64 {
        if self.written().floors.is_empty() {
            return 0;
        }
        let first = hire.from_unix_secs.div_euclid(HOUR_SECS);
        let last = hire.from_unix_secs.saturating_add(i64::from(minutes) * 60 - 1).div_euclid(HOUR_SECS);
        // After a week the hours repeat.
        let hours = last.saturating_sub(first).saturating_add(1).clamp(1, WEEK_HOURS);
        let from = hour_of_week(hire.from_unix_secs);
        let floors = (0..hours).map(|hour| (from + hour) % WEEK_HOURS).filter_map(|hour| self.entry(hire.model, minutes, hour));
        let floor = floors.map(|entry| entry.floor_at(hire.price)).max().unwrap_or(0);
        let left = WHOLE_BPS - if hire.interruptible { u128::from(self.written().interruptible_discount_bps) } else { 0 };
        share_up(floor, left)
    }

    /// The entry that counts for an hour of the week.
    fn entry(&self, model: &HardwareModel, minutes: u32, hour_of_week: i64) -> Option<&Entry> {
        self.written().floors.iter().find(|entry| {
            entry.model.as_ref().is_none_or(|only| only == model) && entry.from_minutes <= minutes && entry.has_hour(hour_of_week)
        })
    }
}

impl Entry {
    fn floor_at(&self, price: MicroUsd) -> u64 {
        self.floor_micro_usd.max(share_up(price.0, u128::from(self.follow_bps)))
    }

    fn has_hour(&self, hour_of_week: i64) -> bool {
        const DAYS: [Day; 7] = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];
        let hour = hour_of_week % 24;
        let of_day =
            self.days.is_empty() || self.days.iter().any(|day| usize::try_from(hour_of_week / 24).is_ok_and(|at| DAYS[at] == *day));
        let of_hours = match (self.from_hour.map(i64::from), self.to_hour.map(i64::from)) {
            (Some(from), Some(to)) if from < to => (from..to).contains(&hour),
            (Some(from), Some(to)) => hour >= from || hour < to,
            _ => true,
        };
        of_day && of_hours
    }
}

/// The hour since Monday 00:00 UTC.
fn hour_of_week(unix_secs: i64) -> i64 {
    unix_secs.div_euclid(HOUR_SECS).saturating_add(EPOCH_HOUR).rem_euclid(WEEK_HOURS)
}

fn share_up(amount: u64, bps: u128) -> u64 {
    u64::try_from((u128::from(amount) * bps).div_ceil(WHOLE_BPS)).unwrap_or(u64::MAX)
}
