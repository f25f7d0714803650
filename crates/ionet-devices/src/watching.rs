//! When the hub was there to see, and what follows for a device that is not seen.
//!
//! A device counts as down only for time in which the hub watched and it was away. One that was here when the hub went away, or left so
//! shortly before that it may have been the hub's own doing, is *unknown*, and stays so until the hub has been back for the whole grace.
//! The hub's absences are kept once, here, so that a restart changes no record of any device.

use serde::{Deserialize, Serialize};

/// How long a device must have been away, while the hub watched, to count as inactive, seconds: five days (io.net's rule).
pub const INACTIVE_AFTER_SECS: i64 = 5 * 24 * 3_600;
/// Most absences that are kept apart; older ones are joined, in the devices' favour.
pub const MAX_ABSENCES: usize = 64;

/// How patient the hub is with devices around its own absence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace {
    /// How long before the hub went away a device's leaving may be the hub's own doing, seconds.
    pub before_secs: i64,
    /// How long a device may take to come back to a hub that is back, seconds.
    pub after_secs: i64,
}

/// A device's connection, as it was last seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "link", rename_all = "snake_case")]
pub enum Link {
    /// It has never connected.
    #[default]
    Never,
    /// It is connected.
    Here {
        /// Since when, unix seconds.
        since_unix_secs: i64,
        /// Its last sign of life, unix seconds.
        seen_unix_secs: i64,
    },
    /// It was seen to leave.
    Away {
        /// When, unix seconds.
        since_unix_secs: i64,
    },
}

/// What is known of a device's presence at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It has never connected.
    Never,
    /// It is here.
    Here {
        /// Since when, unix seconds.
        since_unix_secs: i64,
    },
    /// Nobody can tell: the hub is away, or has only just come back.
    Unknown {
        /// Since when nobody can tell, unix seconds.
        since_unix_secs: i64,
        /// Whether the hub is back and waits for the device.
        hub_is_back: bool,
    },
    /// The hub watches and it is away.
    Down {
        /// Since when the hub has seen it away, unix seconds.
        since_unix_secs: i64,
    },
    /// It has been down for longer than [`INACTIVE_AFTER_SECS`] of watched time.
    Inactive {
        /// Since when the hub has seen it away, unix seconds.
        since_unix_secs: i64,
    },
}

/// A stretch of time in which the hub was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Absence {
    /// When it went, unix seconds.
    pub from_unix_secs: i64,
    /// When it came back, unix seconds; `i64::MAX` while it is away.
    pub to_unix_secs: i64,
}

/// The hub's own presence: since when it watches, and when it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watching {
    grace: Grace,
    /// Oldest first, not overlapping; only the last may be open.
    absences: Vec<Absence>,
}

impl Watching {
    /// A hub that has never been away.
    pub const fn new(grace: Grace) -> Self {
        Self { grace, absences: Vec::new() }
    }

    /// A hub that was there in these stretches (from, until; unix seconds), oldest first, and is there now.
    pub fn from_watches(watches: impl IntoIterator<Item = (i64, i64)>, grace: Grace) -> Self {
        let mut this = Self::new(grace);
        let mut seen_until: Option<i64> = None;
        for (from, to) in watches {
            if let Some(until) = seen_until {
                this.away(until);
                this.back(from);
            }
            seen_until = Some(seen_until.unwrap_or(to).max(to));
        }
        this
    }

    /// Its patience.
    pub const fn grace(&self) -> Grace {
        self.grace
    }

    /// When it was not there, oldest first. Of those long ago only the sum is right.
    pub fn absences(&self) -> &[Absence] {
        &self.absences
    }

    /// Since when it has watched without a break; `None` while it is away, `i64::MIN` when it never was.
    pub fn since_unix_secs(&self) -> Option<i64> {
        let since = self.absences.last().map_or(i64::MIN, |absence| absence.to_unix_secs);
        (since != i64::MAX).then_some(since)
    }

    /// The hub was last known to be there at this moment. Nothing when it is away already.
    pub fn away(&mut self, from_unix_secs: i64) {
        let Some(since) = self.since_unix_secs() else { return };
        if self.absences.len() >= MAX_ABSENCES {
            let oldest = self.absences.remove(0);
            self.absences[0].from_unix_secs = oldest.from_unix_secs;
        }
        self.absences.push(Absence { from_unix_secs: from_unix_secs.max(since), to_unix_secs: i64::MAX });
    }

    /// The hub is there again. Nothing when it was not away.
    pub fn back(&mut self, now_unix_secs: i64) {
        if self.since_unix_secs().is_some() {
            return;
        }
        let Some(mut last) = self.absences.pop() else { return };
        // A clock that was set back cannot make an absence shorter than nothing.
        last.to_unix_secs = now_unix_secs.max(last.from_unix_secs).min(i64::MAX - 1);
        self.absences.push(last);
    }

    /// Seconds between two moments in which the hub was there.
    pub fn watched_secs(&self, from_unix_secs: i64, to_unix_secs: i64) -> i64 {
        let span = to_unix_secs.saturating_sub(from_unix_secs).max(0);
        let away = self.absences.iter().rev().take_while(|absence| absence.to_unix_secs > from_unix_secs).fold(0_i64, |sum, absence| {
            let (from, to) = (absence.from_unix_secs.max(from_unix_secs), absence.to_unix_secs.min(to_unix_secs));
            sum.saturating_add(to.saturating_sub(from).max(0))
        });
        span.saturating_sub(away)
    }

    /// What is known of a device's presence now.
    pub fn presence(&self, link: Link, now_unix_secs: i64) -> Presence {
        match link {
            Link::Never => Presence::Never,
            Link::Here { since_unix_secs, seen_unix_secs } => {
                match self.absences.iter().position(|absence| absence.to_unix_secs > seen_unix_secs) {
                    None => Presence::Here { since_unix_secs },
                    Some(first) => self.lost(first, seen_unix_secs, now_unix_secs),
                }
            }
            // The last one that excuses it: it may have left soon after one absence, and right before the next.
            Link::Away { since_unix_secs } => match self.absences.iter().rposition(|absence| self.excuses(absence, since_unix_secs)) {
                None => self.down(since_unix_secs, now_unix_secs),
                Some(first) => self.lost(first, since_unix_secs, now_unix_secs),
            },
        }
    }

    /// Seconds of watched time for which a device with this link has been seen to be away; 0 while it is here or nobody can tell.
    pub fn away_secs(&self, link: Link, now_unix_secs: i64) -> i64 {
        match self.presence(link, now_unix_secs) {
            Presence::Down { since_unix_secs } | Presence::Inactive { since_unix_secs } => {
                self.watched_secs(since_unix_secs, now_unix_secs)
            }
            Presence::Never | Presence::Here { .. } | Presence::Unknown { .. } => 0,
        }
    }

    /// Until when a device that gave its last sign at this moment may still be unknown, if the hub stays: the end of the grace, unix
    /// seconds.
    pub fn grace_ends_unix_secs(&self) -> Option<i64> {
        let last = self.absences.last().filter(|last| last.to_unix_secs != i64::MAX)?;
        Some(last.to_unix_secs.saturating_add(self.grace.after_secs))
    }

    /// Whether leaving at this moment may have to do with the absence.
    fn excuses(&self, absence: &Absence, left_unix_secs: i64) -> bool {
        left_unix_secs >= absence.from_unix_secs.saturating_sub(self.grace.before_secs)
            && left_unix_secs <= absence.to_unix_secs.saturating_add(self.grace.after_secs)
    }

    /// A device that was lost around the absence number `first`: down once the hub has been back for the whole grace in one piece.
    fn lost(&self, first: usize, seen_unix_secs: i64, now_unix_secs: i64) -> Presence {
        let absences = self.absences.get(first..).unwrap_or_default();
        for (absence, number) in absences.iter().zip(1..) {
            let until = absences.get(number).map_or(now_unix_secs, |next: &Absence| next.from_unix_secs.min(now_unix_secs));
            if until > absence.to_unix_secs.saturating_add(self.grace.after_secs) {
                return self.down(absence.to_unix_secs.max(seen_unix_secs), now_unix_secs);
            }
        }
        let went = absences.first().map_or(seen_unix_secs, |absence| absence.from_unix_secs);
        Presence::Unknown { since_unix_secs: went.max(seen_unix_secs), hub_is_back: self.since_unix_secs().is_some() }
    }

    fn down(&self, since_unix_secs: i64, now_unix_secs: i64) -> Presence {
        if self.watched_secs(since_unix_secs, now_unix_secs) > INACTIVE_AFTER_SECS {
            Presence::Inactive { since_unix_secs }
        } else {
            Presence::Down { since_unix_secs }
        }
    }
}

#[cfg(test)]
#[path = "watching_tests.rs"]
mod tests;
