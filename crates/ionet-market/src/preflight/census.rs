//! All devices, counted by what they miss.

use super::Excluded;
use crate::conditions::{Condition, Missed};
use crate::index::summary::Wanted;
use crate::index::{Index, Record};
use crate::names::ModelId;
use crate::request::Request;

/// Conditions.
const CONDITIONS: usize = Condition::ALL.len();
/// Conditions that a customer cannot change.
const FIXED: Missed = Missed::of(&[Condition::Hireable, Condition::Excluded, Condition::Site, Condition::Free]);

/// The count.
#[derive(Debug)]
pub(super) struct Census {
    pub(super) devices: usize,
    pub(super) fitting: usize,
    /// Places of devices that fit.
    pub(super) fits: Vec<u32>,
    /// Places of devices that miss one thing, which a customer can change.
    pub(super) near: Vec<(Condition, u32)>,
    first: [usize; CONDITIONS],
    alone: [usize; CONDITIONS],
    pairs: [[u32; CONDITIONS]; CONDITIONS],
}

impl Census {
    pub(super) fn new<W>(index: &Index<W>, request: &Request) -> Self {
        let mut census = Self {
            devices: 0,
            fitting: 0,
            fits: Vec::new(),
            near: Vec::new(),
            first: [0; CONDITIONS],
            alone: [0; CONDITIONS],
            pairs: [[0; CONDITIONS]; CONDITIONS],
        };
        let wanted = Wanted::new(request);
        for (model, bay) in (0_u8..=u8::MAX).map(ModelId).zip(&index.bays) {
            if request.models.contains(&model) {
                for place in &bay.places {
                    census.count(*place, &index.records[*place as usize], request);
                }
                continue;
            }
            // All others miss the model first; of those that miss only this, none can be hidden on a branch that has nothing wanted.
            census.devices += bay.places.len();
            census.first[Condition::Model as usize] += bay.places.len();
            bay.candidates(request.demand.gpus, &wanted, &mut |place| {
                let record = &index.records[place as usize];
                if Missed::now(&record.machine, record.state, &record.free, request) == Missed::of(&[Condition::Model]) {
                    census.alone[Condition::Model as usize] += 1;
                    census.near.push((Condition::Model, place));
                }
            });
        }
        census
    }

    fn count(&mut self, place: u32, record: &Record, request: &Request) {
        self.devices += 1;
        let missed = Missed::find(&record.machine, record.state, &record.free, request);
        let Some(first) = missed.first() else {
            self.fitting += 1;
            self.fits.push(place);
            return;
        };
        self.first[first as usize] += 1;
        if missed == Missed::of(&[Condition::Free]) {
            self.alone[Condition::Free as usize] += 1;
        }
        // Where a part is taken, the customer may as well ask for less as wait.
        let now = if missed.has(Condition::Free) { Missed::now(&record.machine, record.state, &record.free, request) } else { missed };
        let mut conditions = now.iter();
        match (conditions.next(), conditions.next(), conditions.next()) {
            (Some(only), None, None) if only != Condition::Free => {
                self.alone[only as usize] += 1;
                if !FIXED.has(only) {
                    self.near.push((only, place));
                }
            }
            (Some(first), Some(second), None) => self.pairs[first as usize][second as usize] += 1,
            _ => {}
        }
    }

    /// What each condition excludes.
    pub(super) fn excluded(&self) -> Vec<Excluded> {
        let of =
            |condition: Condition| Excluded { condition, devices: self.first[condition as usize], alone: self.alone[condition as usize] };
        Condition::ALL.into_iter().map(of).filter(|excluded| excluded.devices + excluded.alone > 0).collect()
    }

    /// Devices that miss nothing beside this.
    pub(super) const fn alone(&self, condition: Condition) -> usize {
        self.alone[condition as usize]
    }

    /// Devices that miss nothing beside these two, and both.
    pub(super) const fn both(&self, first: Condition, second: Condition) -> usize {
        self.pairs[first as usize][second as usize] as usize
    }
}
