//! Whether an epoch's inputs are complete. Until they are it is held, not closed: an hour late is better than a fleet at zero.

use ionet_store::Watch;

use super::uptime::Grace;

/// Why an epoch is not closed yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It is not over.
    Running,
    /// Its emission is not minted yet.
    Mint,
    /// The epoch before is not closed.
    Previous,
    /// The chain's records of it were not all read.
    Records,
    /// Devices that lost the hub may still come back.
    Devices,
    /// The chain has a root for it, but its file is not here.
    Archive,
}

impl Held {
    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Mint => "mint",
            Self::Previous => "previous",
            Self::Records => "records",
            Self::Devices => "devices",
            Self::Archive => "archive",
        }
    }

    /// One sentence for a person.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Running => "the epoch is not over yet",
            Self::Mint => "its emission was not minted yet",
            Self::Previous => "the epoch before it is not closed yet",
            Self::Records => "the chain's records were not read up to its end yet",
            Self::Devices => "the hub was away: devices that lost it are given time to come back before anybody counts as down",
            Self::Archive => "the network has accepted a root for it, but its file is missing here: restore the epochs folder",
        }
    }
}

/// What the gates look at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The epoch that is to be closed.
    pub epoch: u64,
    /// Its end, unix seconds.
    pub ends_at_unix_secs: i64,
    /// Last epoch that was minted.
    pub minted: u64,
    /// Last epoch that was closed.
    pub closed: u64,
    /// Epoch of the root that the chain has accepted.
    pub accepted: u64,
    /// Up to when the chain's records were read, unix seconds.
    pub records_read_unix_secs: i64,
    /// When the hub was there to see.
    pub watches: &'a [Watch],
    /// Its patience.
    pub grace: Grace,
    /// Now, unix seconds.
    pub now: i64,
}

/// What holds the epoch, if anything.
pub fn held(facts: &Facts) -> Option<Held> {
    let back = super::uptime::watching_since(facts.watches);
    if facts.now < facts.ends_at_unix_secs {
        return Some(Held::Running);
    }
    if facts.epoch != facts.closed.saturating_add(1) {
        return Some(Held::Previous);
    }
    if facts.epoch <= facts.accepted {
        return Some(Held::Archive);
    }
    if facts.minted < facts.epoch {
        return Some(Held::Mint);
    }
    if facts.records_read_unix_secs <= facts.ends_at_unix_secs {
        return Some(Held::Records);
    }
    // The hub has to have watched beyond the end, long enough to notice a silent device, and long enough since it came back. What is written
    // counts: were the hub killed now, it would be away since then.
    let watched = super::uptime::watched_until(facts.watches).unwrap_or(i64::MIN);
    let noticed = watched > facts.ends_at_unix_secs.saturating_add(facts.grace.before_secs);
    // A hub that has never been away has no one to wait for.
    let settled = facts.watches.len() < 2 || back.is_some_and(|back| watched > back.saturating_add(facts.grace.after_secs));
    if noticed && settled { None } else { Some(Held::Devices) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WATCH: [Watch; 1] = [Watch { from_unix_secs: 0, to_unix_secs: 10_000 }];

    fn ready() -> Facts<'static> {
        Facts {
            epoch: 2,
            ends_at_unix_secs: 7_200,
            minted: 2,
            closed: 1,
            accepted: 1,
            records_read_unix_secs: 7_201,
            watches: &WATCH,
            grace: Grace { before_secs: 30, after_secs: 120, blip_secs: 30 },
            now: 7_240,
        }
    }

    #[test]
    fn each_gate_holds_alone() {
        assert_eq!(held(&ready()), None);
        assert_eq!(held(&Facts { now: 7_199, ..ready() }), Some(Held::Running));
        assert_eq!(held(&Facts { minted: 1, ..ready() }), Some(Held::Mint));
        assert_eq!(held(&Facts { closed: 0, ..ready() }), Some(Held::Previous));
        assert_eq!(held(&Facts { accepted: 2, ..ready() }), Some(Held::Archive));
        assert_eq!(held(&Facts { records_read_unix_secs: 7_200, ..ready() }), Some(Held::Records));
        let early = [Watch { from_unix_secs: 0, to_unix_secs: 7_230 }];
        assert_eq!(held(&Facts { watches: &early, ..ready() }), Some(Held::Devices));
        assert_eq!(held(&Facts { watches: &[], ..ready() }), Some(Held::Devices));
    }

    #[test]
    fn a_hub_that_is_just_back_waits_for_its_devices() {
        let away = |until| [Watch { from_unix_secs: 0, to_unix_secs: 3_000 }, Watch { from_unix_secs: 50_000, to_unix_secs: until }];
        let facts = Facts { records_read_unix_secs: 50_001, now: 50_130, ..ready() };
        // It has to be written that the hub was there so long.
        assert_eq!(held(&Facts { watches: &away(50_120), ..facts }), Some(Held::Devices));
        assert_eq!(held(&Facts { watches: &away(50_121), ..facts }), None);
    }
}
