//! The hub: what it keeps on disk, what it has in memory, and the sessions of its agents. Deployments and books are in files of their own.

pub(crate) mod books;
pub(crate) mod deployments;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasherDefault, DefaultHasher};
use std::sync::Arc;

use ionet_devices::fleet::{Options, Place, Proven};
use ionet_devices::timelock::Limits;
use ionet_devices::{Event, Fleet, Life, Link, Watching};
use ionet_hub::Timing;
use ionet_hub::decisions::{Grace, away_since, watch_on};
use ionet_store::{Assignment, ClusterRow, Outage, Presence, Reservation, Watch};
use ionet_types::agent::heartbeat::HeartbeatSignature;
use ionet_types::agent::{DesiredState, Heartbeat, Load, ObservedState, Session};
use ionet_types::{ClusterId, DeviceId, Sha256};

use crate::{Millis, unix_secs};

/// What all devices are made of.
pub(crate) const HARDWARE: Sha256 = Sha256([7; 32]);
/// The hub's clock less the true time, seconds.
const CLOCK_SECS: i64 = 3;

/// A hub that stands still for longer than this takes notice, milliseconds. A shorter absence is none: the hub sees what happens meanwhile,
/// only later.
const NOTICED: Millis = 11_000;

type Table = Fleet<BuildHasherDefault<DefaultHasher>>;

/// How a hub may be broken on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Flaws {
    /// It takes no notice of its own absence.
    pub(crate) forgets_absences: bool,
    /// It closes epochs before the devices that lost it are back.
    pub(crate) closes_early: bool,
}

/// A line of a closed epoch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Line {
    /// Continuous uptime when the epoch began and when it ended, seconds.
    pub(crate) uptime_secs: (u64, u64),
    /// Paid for work, base units.
    pub(crate) work: u64,
}

/// What survives a crash.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) clusters: BTreeMap<ClusterId, ClusterRow>,
    pub(crate) reservations: BTreeMap<DeviceId, Reservation>,
    pub(crate) assignments: BTreeMap<ClusterId, Vec<Assignment>>,
    pub(crate) outages: BTreeMap<ClusterId, Vec<Outage>>,
    pub(crate) presences: BTreeMap<DeviceId, Vec<Presence>>,
    pub(crate) watches: Vec<Watch>,
    pub(crate) lives: BTreeMap<DeviceId, Life>,
    pub(crate) failed_at: BTreeMap<DeviceId, i64>,
    /// How often each device's history has it that it was away.
    pub(crate) reproached: BTreeMap<DeviceId, u32>,
    /// Published epochs, and the last one that the store has heard of.
    pub(crate) archive: BTreeMap<u64, BTreeMap<DeviceId, Line>>,
    pub(crate) closed: u64,
    pub(crate) tests: u64,
}

/// One agent's session.
pub(crate) struct OpenSession {
    pub(crate) connection: usize,
    pub(crate) place: Place,
    pub(crate) desired: Option<DesiredState>,
    /// What was told last, by revision.
    pub(crate) told: u64,
    pub(crate) observed: Option<Arc<ObservedState>>,
}

/// What a crash takes away.
pub(crate) struct Memory {
    pub(crate) began: Millis,
    pub(crate) opened_at_unix_secs: i64,
    pub(crate) sessions: BTreeMap<DeviceId, OpenSession>,
    pub(crate) left_at_unix_secs: BTreeMap<DeviceId, i64>,
    pub(crate) fleet: Table,
    /// Found silent before the next look.
    silent: BTreeSet<DeviceId>,
}

/// All of it.
pub(crate) struct Hub {
    pub(crate) flaws: Flaws,
    pub(crate) timing: Timing,
    pub(crate) disk: Disk,
    /// `None` while it does not run.
    pub(crate) memory: Option<Memory>,
    /// Until when its process is stopped without being dead.
    pub(crate) stopped_until: Millis,
    /// When it was not there, by the truth; the last one may be open.
    pub(crate) absences: Vec<(Millis, Millis)>,
}

/// The hub's clock, unix seconds.
pub(crate) const fn clock(now: Millis) -> i64 {
    unix_secs(now) + CLOCK_SECS
}

impl Hub {
    pub(crate) fn new(flaws: Flaws) -> Self {
        let disk = Disk::default();
        Self { flaws, timing: Timing::default(), disk, memory: None, stopped_until: 0, absences: Vec::new() }
    }

    fn silence_secs(&self) -> i64 {
        i64::from(self.timing.heartbeat_secs) * 3
    }

    /// As the hub's own options give it.
    pub(crate) fn grace(&self) -> Grace {
        let silence = self.silence_secs();
        Grace { before_secs: silence, after_secs: self.timing.return_within_secs, blip_secs: silence }
    }

    /// When it was there to see, as far as it takes notice.
    pub(crate) fn watches(&self, now: Millis) -> Vec<Watch> {
        if !self.flaws.forgets_absences {
            return self.disk.watches.clone();
        }
        let from_unix_secs = self.disk.watches.first().map_or(clock(now), |watch| watch.from_unix_secs);
        vec![Watch { from_unix_secs, to_unix_secs: clock(now) }]
    }

    /// Its process begins: presences that were left open ended when it was last known to be there; then it watches.
    pub(crate) fn begin(&mut self, now: Millis) {
        let at = clock(now);
        let last_there = self.disk.watches.iter().map(|watch| watch.to_unix_secs).max();
        for presence in self.disk.presences.values_mut().flatten().filter(|presence| presence.to_unix_secs.is_none()) {
            presence.to_unix_secs = Some(last_there.unwrap_or(presence.from_unix_secs).max(presence.from_unix_secs));
        }
        self.disk.watches.push(Watch { from_unix_secs: at, to_unix_secs: at });
        let grace = ionet_devices::Grace { before_secs: self.silence_secs(), after_secs: self.timing.return_within_secs };
        let watches = self.disk.watches.iter().map(|watch| (watch.from_unix_secs, watch.to_unix_secs));
        let silence_secs = u32::try_from(self.silence_secs()).unwrap_or(u32::MAX);
        let options = Options { silence_secs, max_devices: 100_000 };
        let mut fleet = Fleet::new(options, Watching::from_watches(watches, grace), BuildHasherDefault::default(), at);
        for (device, life) in &self.disk.lives {
            // There is room for all of them.
            let _ = fleet.register(&device.0, life.duty(), Limits::STRICT, life.link(), at);
        }
        let (sessions, left_at_unix_secs) = (BTreeMap::new(), BTreeMap::new());
        self.memory = Some(Memory { began: now, opened_at_unix_secs: at, sessions, left_at_unix_secs, fleet, silent: BTreeSet::new() });
    }

    /// Looks after the watch and the silent, as on every tick. Returns the connections to close.
    pub(crate) fn look(&mut self, now: Millis) -> Vec<usize> {
        let at = clock(now);
        let Some(memory) = self.memory.as_mut() else { return Vec::new() };
        let mut silent = std::mem::take(&mut memory.silent);
        memory.fleet.advance(at, |_, key| {
            silent.insert(DeviceId(*key));
        });
        let noticed = memory.fleet.watching().absences().last().map(|absence| (absence.from_unix_secs, absence.to_unix_secs));
        if let Some(watch) = self.disk.watches.last_mut() {
            let (present, next) = watch_on(*watch, noticed, at, i64::from(self.timing.heartbeat_secs));
            *watch = present;
            self.disk.watches.extend(next);
        }
        silent.into_iter().filter_map(|device| self.end(device, now)).collect()
    }

    /// Something comes in that may have waited for a hub that stood still: then that is noticed first, as the devices' lives do.
    pub(crate) fn wake(&mut self, now: Millis) {
        let at = clock(now);
        let Some(Memory { fleet, silent, .. }) = self.memory.as_mut().filter(|memory| memory.fleet.has_slept(at)) else { return };
        fleet.advance(at, |_, key| {
            silent.insert(DeviceId(*key));
        });
    }

    /// A device has proved its key. Returns the connection whose place it takes.
    pub(crate) fn accept(
        &mut self,
        device: DeviceId,
        connection: usize,
        running_since_unix_secs: Option<i64>,
        now: Millis,
    ) -> Option<usize> {
        let at = clock(now);
        let memory = self.memory.as_mut()?;
        let life = self.disk.lives.entry(device).or_insert_with(|| Life::new(at));
        if memory.fleet.watching().away_secs(life.link(), at) > i64::from(self.timing.heartbeat_secs) * 3 {
            *self.disk.reproached.entry(device).or_default() += 1;
        }
        life.apply(Event::Connected { hardware: HARDWARE }, at).ok()?;
        if life.duty() == ionet_devices::Duty::New {
            self.disk.tests += 1;
            life.apply(Event::TestPassed { test: self.disk.tests, hardware: HARDWARE }, at).ok()?;
        }
        memory.fleet.register(&device.0, life.duty(), Limits::STRICT, Link::Never, at).ok()?;
        let place = memory.fleet.join_since(&device.0, Session([0; 32]), running_since_unix_secs, at).ok()?;
        let presences = self.disk.presences.entry(device).or_default();
        for presence in presences.iter_mut().filter(|presence| presence.to_unix_secs.is_none()) {
            presence.to_unix_secs = Some(at.max(presence.from_unix_secs));
        }
        presences.push(Presence { from_unix_secs: at, to_unix_secs: None, running_since_unix_secs });
        memory.left_at_unix_secs.remove(&device);
        let session = OpenSession { connection, place, desired: None, told: 0, observed: None };
        memory.sessions.insert(device, session).map(|older| older.connection)
    }

    /// A device speaks. `false` when the session is over.
    pub(crate) fn heard(&mut self, device: DeviceId, connection: usize, beat: (u64, i64), now: Millis) -> bool {
        let at = clock(now);
        let Some(memory) = self.memory.as_mut() else { return false };
        let Some(session) = memory.sessions.get(&device).filter(|session| session.connection == connection) else { return false };
        let heartbeat = Heartbeat {
            sequence: beat.0,
            desired_revision: session.told,
            unix_secs: beat.1,
            load: Load::default(),
            signature: HeartbeatSignature([0; 64]),
        };
        let is_taken = memory.fleet.take(&Proven::by_other_means(session.place, heartbeat), at).is_ok();
        if let Some(life) = self.disk.lives.get_mut(&device) {
            // Only after the hub slept does it change anything; a device that was given up says nothing.
            drop(life.apply(Event::Alive, at));
        }
        is_taken
    }

    /// A session ends. Returns its connection.
    pub(crate) fn end(&mut self, device: DeviceId, now: Millis) -> Option<usize> {
        let at = clock(now);
        let memory = self.memory.as_mut()?;
        if let Some(life) = self.disk.lives.get_mut(&device) {
            // It is refused to nobody.
            drop(life.apply(Event::Disconnected, at));
        }
        let session = memory.sessions.remove(&device)?;
        memory.fleet.leave(session.place, at);
        memory.left_at_unix_secs.insert(device, at);
        let presence = self.disk.presences.get_mut(&device).and_then(|presences| presences.last_mut());
        if let Some(presence) = presence.filter(|presence| presence.to_unix_secs.is_none()) {
            presence.to_unix_secs = Some(at.max(presence.from_unix_secs));
        }
        Some(session.connection)
    }

    /// Tells a device's life, and the fleet, that something happened to it.
    pub(crate) fn happened(&mut self, device: DeviceId, event: Event, now: Millis) -> bool {
        let at = clock(now);
        let Some(life) = self.disk.lives.get_mut(&device) else { return false };
        let is_taken = life.apply(event, at).is_ok();
        let duty = life.duty();
        if let Some(memory) = self.memory.as_mut() {
            // A device that is not in the table is entered when it connects.
            let _ = memory.fleet.set_duty(&device.0, duty, at);
        }
        is_taken
    }

    /// Since when a device is away, the hub's own absence left out.
    pub(crate) fn away_since_unix_secs(&self, device: DeviceId) -> Option<i64> {
        let memory = self.memory.as_ref()?;
        if memory.sessions.contains_key(&device) {
            return None;
        }
        let left = memory.left_at_unix_secs.get(&device).copied().unwrap_or(memory.opened_at_unix_secs);
        Some(away_since(left, memory.fleet.watching().since_unix_secs()))
    }

    /// When it was not there for long enough to notice, by the truth.
    pub(crate) fn noticed_absences(&self) -> impl DoubleEndedIterator<Item = &(Millis, Millis)> {
        self.absences.iter().filter(|(from, to)| to - from > NOTICED)
    }

    /// When it last came back, by the truth.
    pub(crate) fn back(&self) -> Millis {
        self.noticed_absences().next_back().map_or(0, |(_, to)| *to)
    }
}

impl Hub {
    /// When it had a device in view: connected, while the hub was there, less the silence after which a connection counts as dead.
    pub(crate) fn seen(&self, device: DeviceId, now: Millis) -> Vec<(Millis, Millis)> {
        let millis = |at_unix_secs: i64| (at_unix_secs - clock(0)) * 1_000;
        let mut seen = Vec::new();
        for presence in self.disk.presences.get(&device).into_iter().flatten() {
            let (from, until) = (millis(presence.from_unix_secs), presence.to_unix_secs.map_or(now, millis));
            let until = until - if until < now { (self.silence_secs() + 2) * 1_000 } else { 0 };
            let mut at = from;
            for (went, came) in self.absences.iter().filter(|(went, came)| *came > from && *went < until) {
                seen.push((at, *went));
                at = *came;
            }
            seen.push((at, until));
        }
        seen.retain(|(from, until)| from < until);
        seen
    }
}
