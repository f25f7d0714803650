//! What a supplier asks for its devices: a strategy, written by hand as TOML or JSON, and checked field by field.
//!
//! ```toml
//! min_hire_minutes = 120              # no hire shorter than this
//! interruptible_discount_bps = 3000   # interruptible hires may cost 30 % less
//! shared = false                      # only whole machines, though the agent would share this one
//!
//! [[floors]]                          # the first entry that fits counts
//! model = "h100"                      # without it: every model
//! from_minutes = 10080                # hires of at least a week; without it: of any length
//! floor_micro_usd = 1500000           # per GPU-hour
//!
//! [[floors]]
//! model = "h100"
//! days = ["sat", "sun"]               # UTC; without it: every day
//! from_hour = 22                      # from 22:00 to 06:00 UTC of the days named; without it: all day
//! to_hour = 6
//! floor_micro_usd = 1600000
//!
//! [[floors]]
//! floor_micro_usd = 0
//! follow_bps = 9500                   # at least 95 % of the market's price
//! ```
//!
//! For each hour of a hire the first entry counts that fits its model, its length and that hour; the floor of the hire is the highest of its
//! hours. No entry: the market's price, whatever it is. [`Strategy::floor`] says what follows from that for longer hires.

mod floor;

use ionet_rules::booking::{MAX_MINUTES, MAX_RATE};
use ionet_types::hardware::HardwareModel;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use floor::Hire;

/// Longest text of a strategy, bytes.
pub const MAX_TEXT: usize = 64 * 1024;
/// Most entries of a strategy.
pub const MAX_ENTRIES: usize = 32;
/// The largest discount for interruptible hires, basis points.
pub const MAX_INTERRUPTIBLE_DISCOUNT_BPS: u16 = 9_000;
/// The largest share of the market's price that a floor may follow at, basis points.
pub const MAX_FOLLOW_BPS: u16 = 20_000;

/// Why a strategy is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StrategyError {
    /// The text is too long to be looked at.
    #[error("a strategy has at most {MAX_TEXT} bytes; this has {0}")]
    TooLong(usize),
    /// Not TOML or JSON of the right shape. The reader's message names the field or the line.
    #[error("the strategy is not readable: {0}")]
    Malformed(String),
    /// More entries than are looked at.
    #[error("floors: at most {MAX_ENTRIES} entries; there are {0}")]
    TooManyEntries(usize),
    /// A value is out of range.
    #[error("{field}: {value} is not allowed; allowed are {allowed}")]
    OutOfRange {
        /// Which, such as `floors[2].to_hour`.
        field: String,
        /// What it says.
        value: u64,
        /// What it may say.
        allowed: String,
    },
    /// Only one of two fields that belong together.
    #[error("floors[{0}]: from_hour and to_hour belong together, and differ")]
    HalfAWindow(usize),
}

impl StrategyError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "strategy_too_long",
            Self::Malformed(_) => "strategy_malformed",
            Self::TooManyEntries(_) => "strategy_entries_too_many",
            Self::OutOfRange { .. } => "strategy_value_out_of_range",
            Self::HalfAWindow(_) => "strategy_window_incomplete",
        }
    }
}

/// A day of the week, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are the days")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// One entry as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Which model; all of them without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<HardwareModel>,
    /// Only hires of at least so many minutes.
    #[serde(default)]
    pub from_minutes: u32,
    /// Only hours of these days, UTC; of all days when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Day>,
    /// Only hours from this one of the day on, 0 to 23, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_hour: Option<u8>,
    /// Only hours before this one, 1 to 24, UTC. When it is less than `from_hour`, the hours around midnight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_hour: Option<u8>,
    /// The least that a GPU-hour costs (CPU: a device-hour), micro-USD.
    pub floor_micro_usd: u64,
    /// And no less than this share of the market's price, basis points.
    #[serde(default)]
    pub follow_bps: u16,
}

/// A strategy as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Shortest hire that is accepted, minutes.
    #[serde(default)]
    pub min_hire_minutes: u32,
    /// By how much an interruptible hire may be below the floors, basis points.
    #[serde(default)]
    pub interruptible_discount_bps: u16,
    /// `false`: the device is given whole, although its agent lets customers share it. Otherwise what the agent says counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shared: Option<bool>,
    /// Floors: of those that fit, the first counts.
    #[serde(default)]
    pub floors: Vec<Entry>,
}

/// A supplier's strategy, checked. The default takes every hire at the market's price.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Strategy {
    written: Written,
}

impl Strategy {
    /// One floor for every model, length and hour, micro-USD per GPU-hour.
    pub fn flat(floor_micro_usd: u64) -> Result<Self, StrategyError> {
        Written { floors: vec![Entry { floor_micro_usd, ..Entry::default() }], ..Written::default() }.try_into()
    }

    /// The strategy in a text: JSON when it begins with `{`, else TOML.
    pub fn parse(text: &str) -> Result<Self, StrategyError> {
        if text.len() > MAX_TEXT {
            return Err(StrategyError::TooLong(text.len()));
        }
        let malformed = |error: String| StrategyError::Malformed(error.trim_end().to_owned());
        let written: Written = if text.trim_start().starts_with('{') {
            serde_json::from_str(text).map_err(|error| malformed(error.to_string()))?
        } else {
            toml::from_str(text).map_err(|error| malformed(error.to_string()))?
        };
        written.try_into()
    }

    /// As it was written.
    pub fn written(&self) -> &Written {
        &self.written
    }
}

impl TryFrom<Written> for Strategy {
    type Error = StrategyError;

    fn try_from(written: Written) -> Result<Self, StrategyError> {
        let within = |field: &str, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(StrategyError::OutOfRange { field: field.to_owned(), value, allowed: format!("{low} to {high}") })
            }
        };
        within("min_hire_minutes", written.min_hire_minutes.into(), 0, MAX_MINUTES.into())?;
        let discount = written.interruptible_discount_bps;
        within("interruptible_discount_bps", discount.into(), 0, MAX_INTERRUPTIBLE_DISCOUNT_BPS.into())?;
        if written.floors.len() > MAX_ENTRIES {
            return Err(StrategyError::TooManyEntries(written.floors.len()));
        }
        for (index, entry) in written.floors.iter().enumerate() {
            let field = |name: &str| format!("floors[{index}].{name}");
            within(&field("from_minutes"), entry.from_minutes.into(), 0, MAX_MINUTES.into())?;
            within(&field("floor_micro_usd"), entry.floor_micro_usd, 0, MAX_RATE)?;
            within(&field("follow_bps"), entry.follow_bps.into(), 0, MAX_FOLLOW_BPS.into())?;
            within(&field("days"), u64::try_from(entry.days.len()).unwrap_or(u64::MAX), 0, 7)?;
            match (entry.from_hour, entry.to_hour) {
                (None, None) => {}
                (Some(from), Some(to)) if from != to => {
                    within(&field("from_hour"), from.into(), 0, 23)?;
                    within(&field("to_hour"), to.into(), 1, 24)?;
                }
                _ => return Err(StrategyError::HalfAWindow(index)),
            }
        }
        Ok(Self { written })
    }
}

impl From<Strategy> for Written {
    fn from(strategy: Strategy) -> Self {
        strategy.written
    }
}

#[cfg(test)]
mod tests;
