//! The minutes of an hour as bits, one for each: sixty bits of uptime for each device are cheap to keep for a million of them.

use serde::{Deserialize, Serialize};

/// Seconds of an hour.
pub const HOUR_SECS: i64 = 3_600;
const MINUTES: u32 = 60;

/// A set of minutes of one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minutes(u64);

impl Minutes {
    /// No minute.
    pub const NONE: Self = Self(0);
    /// The whole hour.
    pub const ALL: Self = Self((1 << MINUTES) - 1);

    /// The minutes of the hour beginning at `hour * 3600` that the stretch from `from` to `to` (unix seconds, both included) touches.
    pub fn touched(hour: i64, from_unix_secs: i64, to_unix_secs: i64) -> Self {
        let begin = hour.saturating_mul(HOUR_SECS);
        let end = begin.saturating_add(HOUR_SECS - 1);
        let (from, to) = (from_unix_secs.max(begin), to_unix_secs.min(end));
        if from > to {
            return Self::NONE;
        }
        let minute = |moment: i64| u32::try_from(moment.saturating_sub(begin) / 60).unwrap_or(0).min(MINUTES - 1);
        let (first, last) = (minute(from), minute(to));
        Self((Self::ALL.0 >> (MINUTES - 1 - (last - first))) << first)
    }

    /// The set with these bits, bit 0 for the first minute; bits beyond the hour are dropped.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// Its bits, bit 0 for the first minute.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// How many there are.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// The minutes of both.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The minutes that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether all minutes of `other` are in it.
    pub const fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }
}

/// The hour that a moment lies in: hours since 1970.
pub const fn hour_of(unix_secs: i64) -> i64 {
    unix_secs.div_euclid(HOUR_SECS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_moment_is_one_minute_and_an_hour_is_sixty() {
        assert_eq!(Minutes::touched(0, 0, 0).bits(), 1);
        assert_eq!(Minutes::touched(0, 59, 60).bits(), 0b11);
        assert_eq!(Minutes::touched(0, -500, 5_000), Minutes::ALL);
        assert_eq!(Minutes::touched(1, 0, 3_599), Minutes::NONE);
        assert_eq!(Minutes::touched(1, 3_599, 3_600).bits(), 1);
        assert_eq!(Minutes::ALL.count(), 60);
        assert_eq!((hour_of(-1), hour_of(3_599), hour_of(3_600)), (-1, 0, 1));
    }

    proptest! {
        #[test]
        fn a_stretch_touches_the_minutes_that_a_count_by_seconds_gives(hour in -3_i64..3, from in -12_000_i64..12_000, span in 0_i64..5_000) {
            let counted = (from..=from + span)
                .filter(|second| hour_of(*second) == hour)
                .fold(0_u64, |bits, second| bits | 1 << (second.rem_euclid(HOUR_SECS) / 60));
            prop_assert_eq!(Minutes::touched(hour, from, from + span).bits(), counted);
        }

        #[test]
        fn sets_are_sets(a: u64, b: u64) {
            let (a, b) = (Minutes::from_bits(a), Minutes::from_bits(b));
            prop_assert!(a.union(b).contains(a) && a.union(b).contains(b));
            prop_assert_eq!(a.without(b).count() + b.count(), a.union(b).count());
            prop_assert_eq!(a.contains(b), b.without(a) == Minutes::NONE);
        }

        #[test]
        fn no_moment_panics(hour: i64, from: i64, to: i64) {
            prop_assert!(Minutes::ALL.contains(Minutes::touched(hour, from, to)));
        }
    }
}
