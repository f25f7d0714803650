//! The hub's books: work logs, and epochs. What is due, how much was delivered, who delivered it, whether an epoch may be closed and how long
//! a device was up is decided by the real code.

use std::collections::BTreeMap;

use ionet_hub::decisions::{Facts, Held, Period, continuous_secs, delivered, divide, downs, due, held, intent, minutes, watched_until};
use ionet_rules::booking::{Status, WorkLog};
use ionet_rules::worklog::LOG_PERIOD_MINUTES;
use ionet_types::{ClusterId, DeviceId};

use super::{Hub, Line, clock};
use crate::chain::{Chain, Paid};
use crate::random::Random;
use crate::{BEGIN_UNIX_SECS, Millis, unix_secs};

/// Length of an epoch, seconds: many in a run.
pub(crate) const EPOCH_SECS: i64 = 600;

impl Hub {
    /// Writes the work logs that are due. Now and then an answer is lost, and the next look has to find out what landed.
    pub(crate) fn meter(&mut self, chain: &mut Chain, now: Millis, random: &mut Random) {
        let at = unix_secs(now);
        let open: Vec<ClusterId> = self.disk.clusters.iter().filter(|(_, row)| !row.settled).map(|(id, _)| *id).collect();
        for id in open {
            let Some(row) = self.disk.clusters.get_mut(&id) else { continue };
            let intent = intent(row);
            while let Some(book) = chain.bookings.get(&id).copied() {
                let Ok(Some(due)) = due(&book, intent, at) else { break };
                let outages = self.disk.outages.get(&id).map_or(&[][..], Vec::as_slice);
                let device_minutes = delivered(&book, &due, outages, at);
                let is_taken = chain.worked(id, &WorkLog { sequence: due.sequence, device_minutes, end: due.end }, at);
                if !is_taken || random.chance(2_000) {
                    return;
                }
            }
            let is_over = chain.bookings.get(&id).is_some_and(|book| matches!(book.status(), Ok(Status::Ended)));
            let is_clear = !self.disk.reservations.values().any(|one| one.cluster_id == id);
            row.settled |= is_over && is_clear;
        }
    }

    /// Closes the next epoch if it is complete. Returns whether its file was there already, or nothing when none was closed. The hub may be
    /// killed between the file and the note of it: then the file stands as it is.
    pub(crate) fn close_next(&mut self, chain: &Chain, now: Millis, is_killed_between: bool) -> Option<bool> {
        let epoch = self.disk.closed + 1;
        if self.disk.archive.contains_key(&epoch) {
            self.disk.closed = epoch;
            return Some(true);
        }
        let over = u64::try_from((unix_secs(now) - BEGIN_UNIX_SECS) / EPOCH_SECS).unwrap_or(0);
        let (from, to) = bounds(epoch);
        let watches = self.watches(now);
        let facts = Facts {
            epoch,
            ends_at_unix_secs: to,
            minted: over,
            closed: self.disk.closed,
            accepted: 0,
            records_read_unix_secs: unix_secs(now),
            watches: &watches,
            grace: self.grace(),
            now: clock(now),
        };
        match held(&facts) {
            None => {}
            Some(Held::Devices) if self.flaws.closes_early => {}
            Some(_) => return None,
        }
        let mut lines: BTreeMap<DeviceId, Line> = BTreeMap::new();
        for device in self.disk.lives.keys() {
            let presences = self.disk.presences.get(device).map_or(&[][..], Vec::as_slice);
            let until = watched_until(&watches).unwrap_or(clock(now));
            let uptime_secs = downs(presences, &watches, self.grace(), until)
                .map_or((0, 0), |(first, downs)| (continuous_secs(first, &downs, from), continuous_secs(first, &downs, to)));
            lines.insert(*device, Line { uptime_secs, work: 0 });
        }
        for paid in chain.paid.iter().filter(|paid| (from..to).contains(&paid.at_unix_secs)) {
            for (device, share) in divide(paid.supplier, &self.minutes_of(chain, paid)).unwrap_or_default() {
                lines.entry(device).or_default().work += share;
            }
        }
        self.disk.archive.insert(epoch, lines);
        if !is_killed_between {
            self.disk.closed = epoch;
        }
        Some(false)
    }

    /// Minutes that each device delivered of what a work log pays for.
    pub(crate) fn minutes_of(&self, chain: &Chain, paid: &Paid) -> BTreeMap<DeviceId, u32> {
        let Some(book) = chain.bookings.get(&paid.cluster).filter(|book| book.started_at_unix_secs != 0) else {
            return BTreeMap::new();
        };
        let period_secs = i64::from(LOG_PERIOD_MINUTES) * 60;
        let from_unix_secs = book.started_at_unix_secs + i64::from(paid.sequence) * period_secs;
        let to_unix_secs = paid.at_unix_secs.min(from_unix_secs + period_secs);
        let assignments = self.disk.assignments.get(&paid.cluster).map_or(&[][..], Vec::as_slice);
        let outages = self.disk.outages.get(&paid.cluster).map_or(&[][..], Vec::as_slice);
        minutes(Period { from_unix_secs, to_unix_secs }, assignments, outages)
    }
}

/// When an epoch begins and ends, unix seconds.
pub(crate) fn bounds(epoch: u64) -> (i64, i64) {
    let ends = BEGIN_UNIX_SECS + i64::try_from(epoch).unwrap_or(i64::MAX / EPOCH_SECS) * EPOCH_SECS;
    (ends - EPOCH_SECS, ends)
}
