//! What is kept of one device in memory, as small as it goes, and the store of all slots.

use ionet_types::agent::Session;

use crate::life::{Duty, State};
use crate::minutes::Minutes;
use crate::timelock::{Evidence, Hour, Limits};

/// No slot.
pub(super) const NOBODY: u32 = u32::MAX;
/// Slots of one chunk: growing never copies what is there.
const CHUNK: usize = 4_096;

/// How a device is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Tie {
    /// The slot is free.
    Free,
    Never,
    Here,
    Away,
}

/// One device. Times are unix seconds in 32 bits, which last until 2106.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) key: [u8; 32],
    pub(super) session: Session,
    /// Number of the last heartbeat of this session.
    pub(super) sequence: u64,
    pub(super) present: Hour,
    pub(super) before: Hour,
    /// The hour of `present`.
    pub(super) hour: u32,
    /// Since when it is here, or away.
    pub(super) since: u32,
    /// Last sign of life.
    pub(super) heard: u32,
    /// Counts the sessions, so that one that is over cannot speak for the next.
    pub(super) generation: u32,
    /// Device's clock less ours.
    pub(super) skew_secs: i32,
    /// When it is to be looked at next, and its neighbours there.
    pub(super) due: u32,
    pub(super) next: u32,
    pub(super) previous: u32,
    pub(super) tie: Tie,
    pub(super) duty: Duty,
    pub(super) is_consumer: bool,
    /// As it is counted.
    pub(super) state: State,
}

const _: () = assert!(size_of::<Slot>() <= 168);

impl Slot {
    const FREE: Self = Self {
        key: [0; 32],
        session: Session([0; 32]),
        sequence: 0,
        present: NO_HOUR,
        before: NO_HOUR,
        hour: 0,
        since: 0,
        heard: 0,
        generation: 0,
        skew_secs: 0,
        due: 0,
        next: NOBODY,
        previous: NOBODY,
        tie: Tie::Free,
        duty: Duty::New,
        is_consumer: false,
        state: State::Registered,
    };

    pub(super) fn limits(&self) -> Limits {
        if self.is_consumer { Limits::CONSUMER } else { Limits::STRICT }
    }

    /// Makes `present` the hour of this moment.
    pub(super) fn turn_to(&mut self, hour: u32) {
        if hour <= self.hour {
            return;
        }
        self.before = if hour == self.hour + 1 { self.present } else { Hour::default() };
        (self.present, self.hour) = (Hour::default(), hour);
    }

    /// It was there from one moment to another, which lies in the hour of `present`.
    pub(super) fn mark_up(&mut self, from: u32, to: u32) {
        let hour = i64::from(self.hour);
        self.present.up = self.present.up.union(Minutes::touched(hour, from.into(), to.into()));
        self.before.up = self.before.up.union(Minutes::touched(hour - 1, from.into(), to.into()));
    }
}

const NO_HOUR: Hour = Hour {
    up: Minutes::NONE,
    over: Minutes::NONE,
    evidence: Evidence { samples_over: 0, foreign_minutes: 0, worst_cpu_permille: 0, worst_gpu_permille: 0 },
};

/// All slots, by number.
#[derive(Debug, Default)]
pub(super) struct Slots {
    chunks: Vec<Box<[Slot]>>,
    used: u32,
    free: Vec<u32>,
}

impl Slots {
    /// A number that is in use.
    pub(super) fn get(&self, number: u32) -> &Slot {
        &self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }

    pub(super) fn get_mut(&mut self, number: u32) -> &mut Slot {
        &mut self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }

    /// The slot of a number from outside.
    pub(super) fn find(&self, number: u32) -> Option<&Slot> {
        let slot = self.chunks.get(number as usize / CHUNK)?.get(number as usize % CHUNK)?;
        (slot.tie != Tie::Free).then_some(slot)
    }

    /// A free slot. Its generation is kept, so that nobody who held it before is taken for its next owner.
    pub(super) fn add(&mut self) -> u32 {
        if let Some(number) = self.free.pop() {
            let slot = self.get_mut(number);
            *slot = Slot { generation: slot.generation, ..Slot::FREE };
            return number;
        }
        let number = self.used;
        if number as usize / CHUNK == self.chunks.len() {
            self.chunks.push(vec![Slot::FREE; CHUNK].into_boxed_slice());
        }
        self.used += 1;
        number
    }

    pub(super) fn remove(&mut self, number: u32) {
        let slot = self.get_mut(number);
        slot.generation = slot.generation.wrapping_add(1);
        slot.tie = Tie::Free;
        self.free.push(number);
    }

    /// Numbers in use.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<'_> {
        (0..self.used).filter(|number| self.get(*number).tie != Tie::Free)
    }

    /// How many numbers were ever in use at once.
    pub(super) const fn used(&self) -> u32 {
        self.used
    }
}
