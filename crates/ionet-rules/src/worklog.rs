//! When work is logged and how much a log may claim (docs/economy.md, section 1, work): every 24 h of running or when the hired
//! time ends, whichever comes first.

use crate::{RuleError, RuleResult};

/// Minutes of running after which a log is written.
pub const LOG_PERIOD_MINUTES: u32 = 24 * 60;
/// Minutes that are sold whole: an early end by the customer refunds all but these.
pub const FIRST_HOUR_MINUTES: u32 = 60;

/// Why a cluster ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum EndReason {
    /// The hired time is over.
    HiredTimeOver = 1,
    /// The customer ended it early.
    CustomerEnded = 2,
    /// The network failed to deliver and found no replacement in time.
    NetworkFailed = 3,
}

impl EndReason {
    /// The reason stored as this byte; `None` for 0, still going.
    pub const fn from_u8(byte: u8) -> RuleResult<Option<Self>> {
        match byte {
            0 => Ok(None),
            1 => Ok(Some(Self::HiredTimeOver)),
            2 => Ok(Some(Self::CustomerEnded)),
            3 => Ok(Some(Self::NetworkFailed)),
            _ => Err(RuleError::UnknownValue),
        }
    }

    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::HiredTimeOver => "hired_time_over",
            Self::CustomerEnded => "customer_ended",
            Self::NetworkFailed => "network_failed",
        }
    }
}

/// A stretch of a cluster's running time that one log covers, in minutes since its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// Number of the log, from 0.
    pub sequence: u32,
    /// First minute.
    pub from_minute: u32,
    /// Minute after the last one.
    pub to_minute: u32,
    /// Whether the hired time ends with this period.
    pub last: bool,
}

impl Period {
    /// Length in minutes.
    pub const fn minutes(self) -> u32 {
        self.to_minute.saturating_sub(self.from_minute)
    }

    /// Seconds after the start at which this period is over.
    pub const fn over_after_secs(self) -> i64 {
        (self.to_minute as i64).saturating_mul(60)
    }
}

/// The period of log number `sequence` of a cluster hired for `minutes_hired`; `None` when the hired time ended before it.
#[expect(clippy::arithmetic_side_effects, reason = "each difference and sum is bounded by the comparison before it")]
pub const fn period(sequence: u32, minutes_hired: u32) -> Option<Period> {
    let Some(from_minute) = sequence.checked_mul(LOG_PERIOD_MINUTES) else { return None };
    if from_minute >= minutes_hired {
        return None;
    }
    let rest = minutes_hired - from_minute;
    let (to_minute, last) = if rest <= LOG_PERIOD_MINUTES { (minutes_hired, true) } else { (from_minute + LOG_PERIOD_MINUTES, false) };
    Some(Period { sequence, from_minute, to_minute, last })
}

/// Up to which minute a cluster that ran `ran_secs` and then ended for `reason` is charged, at most.
///
/// Ended by the customer: each started minute, and never less than the first hour. Failed by the network: each whole minute, and nothing at
/// all inside the first hour, for which a supplier earns nothing. Run to its end: all of it.
pub fn billable_minutes(reason: EndReason, ran_secs: i64, minutes_hired: u32) -> u32 {
    let ran_secs = u64::try_from(ran_secs).unwrap_or(0);
    let capped = |minutes: u64| u32::try_from(minutes).unwrap_or(u32::MAX).min(minutes_hired);
    match reason {
        EndReason::HiredTimeOver => minutes_hired,
        EndReason::CustomerEnded => capped(ran_secs.div_ceil(60)).max(FIRST_HOUR_MINUTES.min(minutes_hired)),
        EndReason::NetworkFailed => match capped(ran_secs / 60) {
            minutes if minutes < FIRST_HOUR_MINUTES.min(minutes_hired) => 0,
            minutes => minutes,
        },
    }
}
