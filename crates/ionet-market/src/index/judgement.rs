//! What placing a demand would waste, for the kinds of room that are worth judging.

use std::collections::BTreeMap;

use super::place::Search;
use super::stream::{By, Stream};
use super::{Options, Record};
use crate::gang::Fit;
use crate::machine::Machine;
use crate::names::ModelId;
use crate::score::{UNJUDGED, setting, setting_micro_usd};
use crate::shape::Room;
use crate::waste::Waste;

/// A kind of room: what it looks like, and whether it may be shared.
type Kind = (bool, Room);

/// What is to be said against kinds of room.
#[derive(Debug)]
pub(super) struct Judgement {
    outline_bits: u32,
    kinds: BTreeMap<Kind, i32>,
    /// The least for each bin, by its number.
    least: Vec<i32>,
    /// The best device by everything.
    pub(super) best: Option<Fit>,
}

impl Judgement {
    /// Judges the rooms of the devices that are best by all the rest.
    pub(super) fn of(search: &Search<'_>, waste: &mut impl Waste, model: ModelId, options: Options) -> Self {
        let demand = search.request.demand.outline(options.outline_bits);
        let least = vec![UNJUDGED; search.bay.bins.len()];
        let mut judged = Self { outline_bits: options.outline_bits, kinds: BTreeMap::new(), least, best: None };
        let mut stream = Stream::new(search, By::Own);
        let mut best: Option<Fit> = None;
        for fit in std::iter::from_fn(|| stream.next()).take(options.judged) {
            let record = &search.records[fit.place as usize];
            let kind = judged.kind(&record.machine, &record.free);
            let against = *judged.kinds.entry(kind).or_insert_with(|| {
                // What fits the room fits its outline.
                setting(waste, &kind.1, kind.0, model, &demand).unwrap_or(UNJUDGED)
            });
            if let Some(least) = record.bin().and_then(|bin| judged.least.get_mut(bin as usize)) {
                *least = against.min(*least);
            }
            best = better(best, weighed(fit, against, search));
        }
        if search.request.nodes == 1 {
            // Of the others only the first whose kind of room was not judged can be better: it is the best of them.
            while let Some(fit) = stream.next() {
                let other = weighed(fit, UNJUDGED, search);
                if best.is_some_and(|best| best.cost() < other.cost()) {
                    break;
                }
                let record = &search.records[fit.place as usize];
                if !judged.kinds.contains_key(&judged.kind(&record.machine, &record.free)) {
                    best = better(best, other);
                    break;
                }
            }
        }
        judged.best = best;
        judged
    }

    fn kind(&self, machine: &Machine, free: &Room) -> Kind {
        (machine.divisible, free.outline(self.outline_bits))
    }

    /// What is to be said against a device's room.
    pub(super) fn against(&self, record: &Record) -> i32 {
        self.kinds.get(&self.kind(&record.machine, &record.free)).copied().unwrap_or(UNJUDGED)
    }

    /// The least that is to be said against any room in a bin.
    pub(super) fn least(&self, bin: u32) -> i32 {
        self.least.get(bin as usize).copied().unwrap_or(UNJUDGED)
    }
}

fn weighed(fit: Fit, against: i32, search: &Search<'_>) -> Fit {
    Fit { against: fit.against + setting_micro_usd(against, search.terms.reference), ..fit }
}

fn better(one: Option<Fit>, other: Fit) -> Option<Fit> {
    one.into_iter().chain([other]).min_by_key(Fit::cost)
}
