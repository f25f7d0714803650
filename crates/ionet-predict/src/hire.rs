//! What is recorded of a hire of one device: how the device stood when it began, and what came of it.

use serde::{Deserialize, Serialize};

/// Seconds in a minute.
const MINUTE_SECS: i64 = 60;

/// What sort of machine it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// No graphics card.
    #[default]
    Cpu,
    /// Graphics cards for games.
    Consumer,
    /// Graphics cards for workstations.
    Workstation,
    /// Accelerators for data centres.
    DataCentre,
}

/// How a device stood when a hire began: only what was known then. Values beyond what a field can mean count as the nearest that it can.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    /// Reputation, 0 to 1,000.
    pub reputation: u16,
    /// Uptime of the last 30 days, basis points.
    pub uptime_30d_bps: u16,
    /// Failures in the last 30 days.
    pub failures_30d: u32,
    /// Failures in the last 7 days.
    pub failures_7d: u32,
    /// Days since the network first saw it.
    pub age_days: u32,
    /// Hours since Monday 00:00 UTC, 0 to 167.
    pub hour_of_week: u8,
    /// Connectivity tier, 0 to 4.
    pub tier: u8,
    /// What sort of machine it is.
    pub class: Class,
}

/// What came of a hire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The device served to the end.
    Served,
    /// The customer ended it after so many minutes; the device had served until then.
    Ended {
        /// Minutes since the beginning.
        after_minutes: u32,
    },
    /// The device failed, or its supplier stopped it, after so many minutes.
    Failed {
        /// Minutes since the beginning: fewer than were hired.
        after_minutes: u32,
    },
}

/// One hire of one device that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hire {
    /// When it began, unix seconds.
    pub started_at_unix_secs: i64,
    /// Minutes that were hired.
    pub minutes: u32,
    /// How the device stood.
    pub features: Features,
    /// What came of it.
    pub outcome: Outcome,
}

impl Hire {
    /// Whether it can have been: hired for some time, and not over after its end.
    pub(crate) fn is_possible(&self) -> bool {
        match self.outcome {
            Outcome::Served => self.minutes > 0,
            Outcome::Ended { after_minutes } => after_minutes > 0 && after_minutes <= self.minutes,
            Outcome::Failed { after_minutes } => after_minutes < self.minutes,
        }
    }

    /// When it failed, minutes since the beginning.
    pub(crate) fn failed_after_minutes(&self) -> Option<u32> {
        match self.outcome {
            Outcome::Failed { after_minutes } => Some(after_minutes),
            Outcome::Served | Outcome::Ended { .. } => None,
        }
    }

    /// The minutes that it was to last: those hired, or those until the customer ended it.
    pub(crate) fn wanted_minutes(&self) -> u32 {
        match self.outcome {
            Outcome::Ended { after_minutes } => after_minutes,
            Outcome::Served | Outcome::Failed { .. } => self.minutes,
        }
    }

    /// Whether the device lasted as long as it was wanted.
    pub(crate) fn survived(&self) -> bool {
        self.failed_after_minutes().is_none()
    }

    /// When its outcome was known.
    pub(crate) fn over_at_unix_secs(&self) -> i64 {
        let minutes = self.failed_after_minutes().unwrap_or_else(|| self.wanted_minutes());
        self.started_at_unix_secs.saturating_add(i64::from(minutes) * MINUTE_SECS)
    }

    /// For how many of its minutes anybody was watching, had the watch ended at this moment.
    pub(crate) fn watched_minutes(&self, until_unix_secs: i64) -> u32 {
        let passed = until_unix_secs.saturating_sub(self.started_at_unix_secs) / MINUTE_SECS;
        self.wanted_minutes().min(u32::try_from(passed.max(0)).unwrap_or(u32::MAX))
    }
}
