//! What a placement costs, with the waste of rooms remembered.

use std::cmp::Reverse;
use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashMap;

use super::forecast::{coarse, roots};
use super::{Forecast, Mix};
use crate::shape::{Demand, Room, Slot};

/// Rooms whose waste is remembered, about 10 MB of them; then all are forgotten.
const MAX_ROOMS: usize = 1 << 17;

/// The cheapest way to place a demand on a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Choice {
    /// What it wastes, in millionths of a GPU: less is better, and less than nothing is common.
    pub cost: i64,
    /// Where on the device.
    pub slot: Slot,
}

/// The costs of placements. They depend on the room, the model, the demand and the mix's forecast, on nothing else, so devices with equal
/// room and model share them. The hasher decides only where things are remembered, never what is answered; where
/// strangers can choose rooms it should be a keyed one.
#[derive(Debug, Clone)]
pub struct Costs<S> {
    forecast: Option<Arc<Forecast>>,
    wastes: HashMap<(Room, u8), i64, S>,
}

impl<S: BuildHasher> Costs<S> {
    /// Nothing remembered yet.
    pub const fn new(hasher: S) -> Self {
        Self { forecast: None, wastes: HashMap::with_hasher(hasher) }
    }

    /// The cheapest slot for the demand on a device of this model with this room free, or `None` if it does not fit. Of equally cheap
    /// slots the last, where an instance is least in the way of larger ones. Whether the request accepts the model is the caller's to check.
    pub fn best(&mut self, mix: &Mix, room: &Room, model: u8, demand: &Demand) -> Option<Choice> {
        if !room.fits(demand) {
            return None;
        }
        let before = self.waste(mix, room, model);
        let after = |slot| {
            let mut after = *room;
            after.take(demand, slot).ok().map(|()| (slot, after))
        };
        let choices =
            room.slots(demand.gpus).filter_map(after).map(|(slot, after)| Choice { cost: self.waste(mix, &after, model) - before, slot });
        choices.max_by_key(|choice| Reverse(choice.cost))
    }

    /// [`Forecast::waste`] of the mix's forecast, remembered.
    pub fn waste(&mut self, mix: &Mix, room: &Room, model: u8) -> i64 {
        let forecast = mix.forecast();
        if self.wastes.len() >= MAX_ROOMS || !self.forecast.as_ref().is_some_and(|known| Arc::ptr_eq(known, forecast)) {
            self.wastes.clear();
            self.forecast = Some(Arc::clone(forecast));
        }
        let seen = coarse(room);
        *self.wastes.entry((seen, model)).or_insert_with(|| forecast.gpu_waste(&seen, model)) + roots(room)
    }
}
