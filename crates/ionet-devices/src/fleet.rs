//! Who is there, of a million devices, in memory: heartbeats come in, silence is noticed, anybody may ask. Each is done in constant time; a
//! device costs less than 200 bytes, its keys included.
//!
//! The table knows what a device is up to because it is told ([`Fleet::set_duty`], from [`Life::duty`](crate::Life::duty)), and sees for
//! itself whether it is there. `now` is given: a clock that goes back is waited for, and a stretch in which nobody called
//! [`Fleet::advance`] is an absence of the hub, during which nobody was seen and nobody was down.

mod proof;
mod shards;
mod slot;
mod wheel;
mod words;

use std::hash::BuildHasher;

use hashbrown::HashTable;
use ionet_types::agent::{Heartbeat, Session};
pub use proof::{Arrived, Proven, prove};
pub use shards::Shards;
use slot::{Slot, Slots, Tie};
use wheel::Wheel;
pub use words::{Beat, Counts, Dropped, Glance, Options, Place, Uptime};

use crate::life::{Duty, State};
use crate::minutes::{HOUR_SECS, Minutes, hour_of};
use crate::timelock::{Hour, Limits, Verdict};
use crate::watching::{Link, Presence, Watching};

impl Options {
    /// A hub that has not looked for longer than this was itself away, seconds.
    pub const fn asleep_secs(self) -> u32 {
        let secs = self.silence_secs / ASLEEP_PART;
        if secs == 0 { 1 } else { secs }
    }
}

/// Part of the silence after which a hub that has not looked was itself away. Together with a heartbeat, which may be another third, it has to
/// be less than the silence: else a hub that stood still would find everybody silent before it reads what has waited for it.
const ASLEEP_PART: u32 = 3;

/// A device's clock that moves against the hub's by more than this between two heartbeats was set, seconds.
pub const CLOCK_STEP_SECS: i32 = 60;

/// The table. `S` hashes device keys, which strangers choose: give it a random seed ([`std::hash::RandomState`]).
#[derive(Debug)]
pub struct Fleet<S> {
    options: Options,
    hasher: S,
    index: HashTable<u32>,
    slots: Slots,
    wheel: Wheel,
    counts: Counts,
    watching: Watching,
    /// Last look, unix seconds.
    looked: u32,
}

impl<S: BuildHasher> Fleet<S> {
    /// An empty table.
    pub fn new(options: Options, watching: Watching, hasher: S, now_unix_secs: i64) -> Self {
        let now = secs(now_unix_secs);
        Self {
            options,
            hasher,
            index: HashTable::new(),
            slots: Slots::default(),
            wheel: Wheel::new(now),
            counts: Counts::default(),
            watching,
            looked: now,
        }
    }

    /// Enters a device, or tells anew what is known of one. `link` is what is kept of its presence ([`Life::link`](crate::Life::link)), for a
    /// hub that has just begun: a device that was connected when the hub went away was so until then. A device that is here by the table
    /// itself stays so.
    pub fn register(&mut self, key: &[u8; 32], duty: Duty, limits: Limits, link: Link, now_unix_secs: i64) -> Result<(), Dropped> {
        let now = self.clock(now_unix_secs);
        let number = if let Some(number) = self.find(key) {
            number
        } else {
            if self.len() >= self.options.max_devices {
                return Err(Dropped::Full);
            }
            let number = self.slots.add();
            let slot = self.slots.get_mut(number);
            (slot.key, slot.tie, slot.duty) = (*key, Tie::Never, duty);
            let (slots, hasher) = (&self.slots, &self.hasher);
            self.index.insert_unique(hasher.hash_one(key), number, |number| hasher.hash_one(slots.get(*number).key));
            let slot = self.slots.get_mut(number);
            slot.state = State::of(duty, Presence::Never);
            self.counts.0[slot.state as usize] += 1;
            self.wheel.put(&mut self.slots, number, u32::MAX);
            number
        };
        let slot = self.slots.get_mut(number);
        (slot.duty, slot.is_consumer) = (duty, limits == Limits::CONSUMER);
        if slot.tie != Tie::Here {
            match link {
                Link::Never => {}
                Link::Here { since_unix_secs, seen_unix_secs } => {
                    let went = self.watching.absences().iter().find(|absence| absence.to_unix_secs > seen_unix_secs);
                    let heard = went.map_or(seen_unix_secs, |absence| absence.from_unix_secs.max(seen_unix_secs));
                    (slot.tie, slot.since, slot.heard) = (Tie::Here, secs(since_unix_secs), secs(heard));
                }
                Link::Away { since_unix_secs } => {
                    (slot.tie, slot.since, slot.heard) = (Tie::Away, secs(since_unix_secs), secs(since_unix_secs));
                }
            }
        }
        self.settle(number, now);
        Ok(())
    }

    /// Forgets a device.
    pub fn forget(&mut self, key: &[u8; 32]) {
        let slots = &self.slots;
        let Ok(entry) = self.index.find_entry(self.hasher.hash_one(key), |number| slots.get(*number).key == *key) else { return };
        let (number, _) = entry.remove();
        self.wheel.take(&mut self.slots, number);
        self.counts.0[self.slots.get(number).state as usize] -= 1;
        self.slots.remove(number);
    }

    /// Tells what a device is up to now.
    pub fn set_duty(&mut self, key: &[u8; 32], duty: Duty, now_unix_secs: i64) -> Result<(), Dropped> {
        let now = self.clock(now_unix_secs);
        let number = self.find(key).ok_or(Dropped::NotKnown)?;
        self.slots.get_mut(number).duty = duty;
        self.count(number, now);
        Ok(())
    }

    /// A device has proved its key on a connection; an older session of it is over. `ran_on`: its agent says that it has been running since
    /// before the device was last heard, so a gap that is the hub's fault, or shorter than the silence, was none.
    pub fn join(&mut self, key: &[u8; 32], session: Session, ran_on: bool, now_unix_secs: i64) -> Result<Place, Dropped> {
        let now = self.clock(now_unix_secs);
        let number = self.find(key).ok_or(Dropped::NotKnown)?;
        let presence = self.presence(self.slots.get(number), now);
        let silence_secs = self.options.silence_secs;
        let slot = self.slots.get_mut(number);
        let was_here = match presence {
            Presence::Here { .. } | Presence::Unknown { .. } => true,
            Presence::Down { .. } => now.saturating_sub(slot.heard) <= silence_secs,
            Presence::Never | Presence::Inactive { .. } => false,
        };
        slot.turn_to(hour(now));
        if ran_on && was_here && slot.tie != Tie::Never {
            slot.mark_up(slot.heard, now);
        } else {
            slot.mark_up(now, now);
        }
        if !(ran_on && was_here && slot.tie == Tie::Here) {
            slot.since = now;
        }
        (slot.tie, slot.heard, slot.session) = (Tie::Here, now, session);
        (slot.sequence, slot.skew_secs, slot.generation) = (0, 0, slot.generation.wrapping_add(1));
        let generation = slot.generation;
        self.settle(number, now);
        Ok(Place { number, generation })
    }

    /// As [`Fleet::join`], by what the agent says of when it began, unix seconds on the hub's clock: it ran on if it was running when the device
    /// was last heard.
    pub fn join_since(
        &mut self,
        key: &[u8; 32],
        session: Session,
        running_since_unix_secs: Option<i64>,
        now_unix_secs: i64,
    ) -> Result<Place, Dropped> {
        let number = self.find(key).ok_or(Dropped::NotKnown)?;
        let heard = i64::from(self.slots.get(number).heard);
        self.join(key, session, running_since_unix_secs.is_some_and(|since| since <= heard), now_unix_secs)
    }

    /// A connection is over. Nothing when the device has another one already.
    pub fn leave(&mut self, place: Place, now_unix_secs: i64) {
        let now = self.clock(now_unix_secs);
        if self.at(place).is_none_or(|slot| slot.tie != Tie::Here) {
            return;
        }
        let slot = self.slots.get_mut(place.number);
        (slot.tie, slot.since, slot.generation) = (Tie::Away, now, slot.generation.wrapping_add(1));
        self.settle(place.number, now);
    }

    /// Takes a heartbeat up to be checked, unless it is of no use whatever its signature.
    pub fn arrived(&self, place: Place, heartbeat: &Heartbeat) -> Result<Arrived, Dropped> {
        let slot = self.at(place).ok_or(Dropped::SessionOver)?;
        heartbeat.follows(slot.sequence)?;
        Ok(Arrived { place, key: slot.key, session: slot.session, heartbeat: *heartbeat })
    }

    /// Takes a heartbeat in.
    pub fn take(&mut self, proven: &Proven, now_unix_secs: i64) -> Result<Beat, Dropped> {
        let now = self.clock(now_unix_secs);
        let Proven { place, heartbeat } = proven;
        let slot = self.at(*place).ok_or(Dropped::SessionOver)?;
        heartbeat.follows(slot.sequence)?;
        let in_time = slot.tie == Tie::Here && now.saturating_sub(slot.heard) <= self.options.silence_secs;
        // The connection has held while nobody looked: the device was there.
        let was_here = in_time || matches!(self.presence(slot, now), Presence::Unknown { .. });
        let slot = self.slots.get_mut(place.number);
        slot.turn_to(hour(now));
        slot.mark_up(if was_here { slot.heard } else { now }, now);
        let skew_secs = i32::try_from(heartbeat.unix_secs.saturating_sub(now.into()).clamp(i32::MIN.into(), i32::MAX.into()))
            .expect("clamped to what fits");
        let clock_stepped = slot.sequence > 0 && skew_secs.abs_diff(slot.skew_secs) > CLOCK_STEP_SECS.unsigned_abs();
        (slot.skew_secs, slot.sequence) = (skew_secs, heartbeat.sequence);
        let returned = slot.tie != Tie::Here;
        if returned {
            (slot.tie, slot.since) = (Tie::Here, now);
        }
        let was_stale = !in_time || self.watching.since_unix_secs().is_none_or(|since| i64::from(slot.heard) < since);
        slot.heard = now;
        let minute = Minutes::touched(slot.hour.into(), now.into(), now.into());
        let limits = slot.limits();
        let verdict = slot.present.sample(minute, &heartbeat.load, limits, slot.duty == Duty::Hired);
        let offence = if verdict == Verdict::Within { None } else { slot.present.offence() };
        if was_stale {
            self.settle(place.number, now);
        }
        Ok(Beat { verdict, offence, skew_secs, clock_stepped, returned })
    }

    /// Notices who is silent, up to now: tells each session that has just become so, which is to be closed. To be called every second or
    /// so; after a break of more than a third of the silence the hub itself was away, and nobody is blamed for that time.
    pub fn advance(&mut self, now_unix_secs: i64, mut silent: impl FnMut(Place, &[u8; 32])) {
        let now = self.clock(now_unix_secs);
        if now.saturating_sub(self.looked) > self.options.asleep_secs() {
            self.watching.away(self.looked.into());
            self.hub_back(now.into());
        }
        self.looked = now;
        while let Some(mut number) = self.wheel.step(now) {
            while number != slot::NOBODY {
                let next = self.slots.get(number).next;
                self.look_at(number, now, &mut silent);
                number = next;
            }
        }
    }

    /// Whether the hub was itself away until now and has not looked since: before anything else that has waited for it is taken in, it is to
    /// [`Fleet::advance`].
    pub fn has_slept(&self, now_unix_secs: i64) -> bool {
        self.clock(now_unix_secs).saturating_sub(self.looked) > self.options.asleep_secs()
    }

    /// The hub was last known to be there at this moment, and is away.
    pub fn hub_away(&mut self, from_unix_secs: i64) {
        self.watching.away(from_unix_secs);
        self.settle_all(self.looked);
    }

    /// The hub is there again.
    pub fn hub_back(&mut self, now_unix_secs: i64) {
        let now = self.clock(now_unix_secs);
        self.watching.back(now.into());
        self.looked = now;
        self.settle_all(now);
    }

    /// When the hub was there to see.
    pub const fn watching(&self) -> &Watching {
        &self.watching
    }

    /// What is known of a device.
    pub fn glance(&self, key: &[u8; 32], now_unix_secs: i64) -> Option<Glance> {
        let slot = self.slots.get(self.find(key)?);
        Some(self.glance_at(slot, self.clock(now_unix_secs)))
    }

    /// An hour of a device, named by the hours since 1970: the present or the one before, nothing of others.
    pub fn uptime(&self, key: &[u8; 32], hour: i64) -> Option<Uptime> {
        let slot = self.slots.get(self.find(key)?);
        let present = i64::from(slot.hour);
        let seen = match hour {
            _ if hour == present => slot.present,
            _ if hour == present - 1 => slot.before,
            _ => Hour::default(),
        };
        let unknown = self.watching.absences().iter().fold(Minutes::NONE, |minutes, absence| {
            minutes.union(Minutes::touched(hour, absence.from_unix_secs, absence.to_unix_secs.saturating_sub(1)))
        });
        Some(Uptime { hour: seen, unknown: unknown.without(seen.up) })
    }

    /// How many devices are in each state, as of the last look.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// How many devices there are.
    pub fn len(&self) -> u32 {
        u32::try_from(self.index.len()).unwrap_or(u32::MAX)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// Every device with what is known of it, in no particular order.
    pub fn iter(&self, now_unix_secs: i64) -> impl Iterator<Item = (&[u8; 32], Glance)> {
        let now = self.clock(now_unix_secs);
        self.slots.numbers().map(move |number| {
            let slot = self.slots.get(number);
            (&slot.key, self.glance_at(slot, now))
        })
    }

    /// The devices that are not heard although they should be: down, or unknown.
    pub fn silent(&self, now_unix_secs: i64) -> impl Iterator<Item = (&[u8; 32], Glance)> {
        self.iter(now_unix_secs).filter(|(_, glance)| matches!(glance.presence, Presence::Down { .. } | Presence::Unknown { .. }))
    }

    /// A clock that goes back is waited for.
    fn clock(&self, now_unix_secs: i64) -> u32 {
        secs(now_unix_secs).max(self.looked)
    }

    fn find(&self, key: &[u8; 32]) -> Option<u32> {
        self.index.find(self.hasher.hash_one(key), |number| self.slots.get(*number).key == *key).copied()
    }

    fn at(&self, place: Place) -> Option<&Slot> {
        self.slots.find(place.number).filter(|slot| slot.generation == place.generation)
    }

    /// A device's link: one that is silent has left when it was last heard, unless the hub left before it could notice.
    fn link(&self, slot: &Slot, now: u32) -> Link {
        let since_unix_secs = slot.since.into();
        match slot.tie {
            Tie::Free | Tie::Never => Link::Never,
            Tie::Away => Link::Away { since_unix_secs },
            Tie::Here => {
                let heard = i64::from(slot.heard);
                let absence = self.watching.absences().iter().find(|absence| absence.to_unix_secs > heard);
                let watched_until = absence.map_or(now.into(), |absence| absence.from_unix_secs);
                if watched_until.saturating_sub(heard) > self.options.silence_secs.into() {
                    Link::Away { since_unix_secs: heard }
                } else {
                    Link::Here { since_unix_secs, seen_unix_secs: heard }
                }
            }
        }
    }

    fn presence(&self, slot: &Slot, now: u32) -> Presence {
        self.watching.presence(self.link(slot, now), now.into())
    }

    fn glance_at(&self, slot: &Slot, now: u32) -> Glance {
        let presence = self.presence(slot, now);
        Glance {
            state: State::of(slot.duty, presence),
            duty: slot.duty,
            presence,
            heard_unix_secs: slot.heard.into(),
            skew_secs: slot.skew_secs,
        }
    }

    /// A device's turn on the wheel.
    fn look_at(&mut self, number: u32, now: u32, silent: &mut impl FnMut(Place, &[u8; 32])) {
        let slot = self.slots.get(number);
        if let (Tie::Here, Presence::Down { since_unix_secs } | Presence::Inactive { since_unix_secs }) =
            (slot.tie, self.presence(slot, now))
        {
            silent(Place { number, generation: slot.generation }, &slot.key);
            let slot = self.slots.get_mut(number);
            (slot.tie, slot.since) = (Tie::Away, secs(since_unix_secs));
        }
        let presence = self.count(number, now);
        self.put(number, presence);
    }

    /// Counts a device by its state now.
    fn count(&mut self, number: u32, now: u32) -> Presence {
        let slot = self.slots.get(number);
        let presence = self.presence(slot, now);
        let (before, state) = (slot.state, State::of(slot.duty, presence));
        if before != state {
            self.counts.0[before as usize] -= 1;
            self.counts.0[state as usize] += 1;
            self.slots.get_mut(number).state = state;
        }
        presence
    }

    /// Puts a device that is in no list where its next change is due.
    fn put(&mut self, number: u32, presence: Presence) {
        let due = match presence {
            Presence::Here { .. } => self.slots.get(number).heard.saturating_add(self.options.silence_secs).saturating_add(1),
            Presence::Unknown { .. } => self.watching.grace_ends_unix_secs().map_or(u32::MAX, |end| secs(end.saturating_add(1))),
            // Days away, or never: each turn of the wheel is soon enough.
            Presence::Never | Presence::Down { .. } | Presence::Inactive { .. } => u32::MAX,
        };
        self.wheel.put(&mut self.slots, number, due);
    }

    /// Counts a device anew, and looks at it when its next change is due.
    fn settle(&mut self, number: u32, now: u32) {
        self.wheel.take(&mut self.slots, number);
        let presence = self.count(number, now);
        self.put(number, presence);
    }

    /// The hub has gone or come back: everybody is seen in another light.
    fn settle_all(&mut self, now: u32) {
        self.wheel.clear(now);
        for number in 0..self.slots.used() {
            if self.slots.find(number).is_some() {
                let presence = self.count(number, now);
                self.put(number, presence);
            }
        }
    }
}

/// Unix seconds in 32 bits.
fn secs(unix_secs: i64) -> u32 {
    u32::try_from(unix_secs.clamp(0, u32::MAX.into())).expect("clamped to what fits")
}

fn hour(now: u32) -> u32 {
    secs(hour_of(now.into()).min(i64::from(u32::MAX) / HOUR_SECS))
}

#[cfg(test)]
#[path = "fleet/tests.rs"]
mod tests;
