//! For how long a cluster is hired, and what longer hires are cheaper by.
//!
//! The discount grows by the same share with each doubling of the hours, from one hour to a month of 30 days, in straight lines between
//! the doublings. It is so large as a customer's fees allow and no larger. The chain refunds an early end at the hire's own rate and keeps
//! the fees on all of it; so whoever books longer than needed, for the lower rate, loses the fees on the rest. At 40 % of the fees for each
//! doubling that loss is always the greater one: no hire is made cheaper by booking a longer one and ending it, by using less than was
//! booked, or by booking in pieces. Fees of 2.25 % (USDC) make 0.9 % for each doubling and 8.5 % for a month; 0.25 % (IO) a tenth of it.
//!
//! Rates are whole base units per hour, rounded up. What that leaves is less than one base unit for each device-hour.

use std::fmt;
use std::str::FromStr;

use ionet_rules::booking::MAX_MINUTES;
use ionet_rules::money::Currency;
use ionet_rules::params::Params;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Discount for each doubling, as a share of the customer's fees, in per cent.
const FEE_SHARE_PERCENT: u32 = 40;
/// The largest discount for each doubling, basis points: a network with higher fees gives no more.
const MOST_PER_DOUBLING_BPS: u32 = 100;
/// Minutes after which a hire gets no cheaper: 30 days.
const LAST_MINUTE: u64 = 30 * 24 * 60;
/// One doubling, in the unit that the position within it is counted in: so fine that every minute of the last one is whole.
const DOUBLING: u64 = 60 << 9;
/// No discount at all.
const WHOLE: u64 = 10_000 * DOUBLING;

/// A unit of hired time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
}

impl Unit {
    /// All of them, the shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// Its minutes.
    pub const fn minutes(self) -> u32 {
        match self {
            Self::Hour => 60,
            Self::Day => 24 * 60,
            Self::Week => 7 * 24 * 60,
            Self::Month => 30 * 24 * 60,
        }
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// Why a hired time is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HiredTimeError {
    /// Not a number and a unit.
    #[error("a duration is a number and a unit: hours, days, weeks or months (of 30 days), such as `3 days`")]
    Malformed,
    /// Nothing, or more than a booking can hold.
    #[error("quantity: {quantity} {}s is not between 1 and {}", .unit.name(), MAX_MINUTES / .unit.minutes())]
    OutOfRange {
        /// How many.
        quantity: u32,
        /// Of what.
        unit: Unit,
    },
}

impl HiredTimeError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Malformed => "duration_malformed",
            Self::OutOfRange { .. } => "duration_out_of_range",
        }
    }
}

/// A hired time as people say it: so many hours, days, weeks or months. Its text is `3 days`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Said", into = "Said")]
pub struct HiredTime {
    said: Said,
}

/// The same, unchecked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    quantity: u32,
    unit: Unit,
}

impl HiredTime {
    /// So many of these: at least one, and at most ten years.
    pub fn new(quantity: u32, unit: Unit) -> Result<Self, HiredTimeError> {
        Said { quantity, unit }.try_into()
    }

    /// These minutes in the longest unit that they are whole in; `None` when they are no whole hours, or more than a booking can hold.
    pub fn from_minutes(minutes: u32) -> Option<Self> {
        let unit = Unit::ALL.into_iter().rev().find(|unit| minutes.is_multiple_of(unit.minutes()))?;
        Self::new(minutes / unit.minutes(), unit).ok()
    }

    /// How many.
    pub const fn quantity(self) -> u32 {
        self.said.quantity
    }

    /// Of what.
    pub const fn unit(self) -> Unit {
        self.said.unit
    }

    /// The minutes.
    pub const fn minutes(self) -> u32 {
        // Checked when it was made: at most MAX_MINUTES.
        self.said.quantity * self.said.unit.minutes()
    }
}

impl TryFrom<Said> for HiredTime {
    type Error = HiredTimeError;

    fn try_from(said: Said) -> Result<Self, HiredTimeError> {
        if (1..=MAX_MINUTES / said.unit.minutes()).contains(&said.quantity) {
            Ok(Self { said })
        } else {
            Err(HiredTimeError::OutOfRange { quantity: said.quantity, unit: said.unit })
        }
    }
}

impl From<HiredTime> for Said {
    fn from(time: HiredTime) -> Self {
        time.said
    }
}

impl fmt::Display for HiredTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.quantity() == 1 { "" } else { "s" };
        write!(f, "{} {}{plural}", self.quantity(), self.unit().name())
    }
}

impl FromStr for HiredTime {
    type Err = HiredTimeError;

    /// Reads `3 days`, `1 month`, `3d`; `h`, `d`, `w` and `mo` are short for the units.
    fn from_str(text: &str) -> Result<Self, HiredTimeError> {
        let text = text.trim();
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (quantity, unit) = text.split_at(digits);
        let unit = match unit.trim_start() {
            "h" | "hour" | "hours" => Unit::Hour,
            "d" | "day" | "days" => Unit::Day,
            "w" | "week" | "weeks" => Unit::Week,
            "mo" | "month" | "months" => Unit::Month,
            _ => return Err(HiredTimeError::Malformed),
        };
        Self::new(quantity.parse().map_err(|_| HiredTimeError::Malformed)?, unit)
    }
}

/// The discounts of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discounts {
    per_doubling_bps: u64,
}

impl Discounts {
    /// Those that this currency's fees allow.
    pub fn new(currency: Currency, params: &Params) -> Self {
        let facilitation = match currency {
            Currency::Usdc => params.facilitation_usdc_bps,
            Currency::Io => params.facilitation_io_bps,
        };
        let fees = u32::from(params.reservation_customer_bps) + u32::from(facilitation);
        Self { per_doubling_bps: u64::from((fees * FEE_SHARE_PERCENT / 100).min(MOST_PER_DOUBLING_BPS)) }
    }

    /// The discount for these minutes, basis points, rounded down: what is published.
    pub fn bps(self, minutes: u32) -> u64 {
        self.per_doubling_bps * doublings(u64::from(minutes)) / DOUBLING
    }

    /// A rate per hour for these minutes, rounded up. Never more for longer hires; and the minutes times it are always more.
    ///
    /// A rate so small that rounding it would upset that gets cheaper no longer than for as many minutes as three quarters of it.
    pub fn rate(self, rate: u64, minutes: u32) -> u64 {
        self.after(rate, 0, minutes)
    }

    /// What a rate for hires of `from` minutes may go down to for longer ones of `to`: by the discount between them, rounded up.
    pub fn after(self, rate: u64, from: u32, to: u32) -> u64 {
        let last = rate / 4 * 3;
        let left = |minutes: u32| WHOLE - self.per_doubling_bps * doublings(u64::from(minutes).min(last));
        let (from, to) = (u128::from(left(from)), u128::from(left(to.max(from))));
        u64::try_from((u128::from(rate) * to).div_ceil(from)).expect("a longer hire's share is at most a shorter one's")
    }
}

/// How often an hour was doubled, in [`DOUBLING`]s.
fn doublings(minutes: u64) -> u64 {
    let minutes = minutes.min(LAST_MINUTE);
    let hours = minutes / 60;
    let Some(whole) = hours.checked_ilog2() else { return 0 };
    let within = minutes - (60 << whole);
    u64::from(whole) * DOUBLING + within * (DOUBLING / (60 << whole))
}

#[cfg(test)]
mod tests;
