//! A wheel of seconds: which device is to be looked at next. Linked lists through the slots themselves, so a place in it costs eight bytes
//! and is changed in constant time. What is further away than one turn is looked at early and put back.

use super::slot::{NOBODY, Slots};

/// Seconds of one turn.
pub(super) const TURN_SECS: u32 = 512;

/// The lists' heads, one for each second of a turn.
#[derive(Debug)]
pub(super) struct Wheel {
    heads: Box<[u32]>,
    /// All seconds up to this one have been looked at.
    at: u32,
}

impl Wheel {
    pub(super) fn new(now: u32) -> Self {
        Self { heads: vec![NOBODY; TURN_SECS as usize].into_boxed_slice(), at: now }
    }

    fn bucket(second: u32) -> usize {
        (second % TURN_SECS) as usize
    }

    /// Puts a slot that is in no list where it is looked at at this second, or at the end of the turn before it.
    pub(super) fn put(&mut self, slots: &mut Slots, number: u32, due: u32) {
        let due = due.clamp(self.at.saturating_add(1), self.at.saturating_add(TURN_SECS - 1));
        let head = &mut self.heads[Self::bucket(due)];
        let next = std::mem::replace(head, number);
        let slot = slots.get_mut(number);
        (slot.due, slot.next, slot.previous) = (due, next, NOBODY);
        if next != NOBODY {
            slots.get_mut(next).previous = number;
        }
    }

    /// Takes a slot out of its list.
    pub(super) fn take(&mut self, slots: &mut Slots, number: u32) {
        let slot = slots.get_mut(number);
        let (due, next, previous) = (slot.due, slot.next, slot.previous);
        (slot.next, slot.previous) = (NOBODY, NOBODY);
        if previous == NOBODY {
            self.heads[Self::bucket(due)] = next;
        } else {
            slots.get_mut(previous).next = next;
        }
        if next != NOBODY {
            slots.get_mut(next).previous = previous;
        }
    }

    /// Empties the wheel; every slot has to be put anew.
    pub(super) fn clear(&mut self, now: u32) {
        self.heads.fill(NOBODY);
        self.at = self.at.max(now);
    }

    /// Goes on by one second towards `now`: `None` when it is there, else the first slot of a list to be taken out one by one.
    pub(super) fn step(&mut self, now: u32) -> Option<u32> {
        if self.at >= now {
            return None;
        }
        // More than a turn is one turn: each list once.
        self.at = self.at.saturating_add(1).max(now.saturating_sub(TURN_SECS - 1));
        Some(std::mem::replace(&mut self.heads[Self::bucket(self.at)], NOBODY))
    }
}
