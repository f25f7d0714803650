//! What a request would get, or why it gets nothing: how many devices each condition excludes, and which changes would help.

mod census;
mod change;
mod ladder;
mod relax;

use std::collections::BTreeMap;

use ionet_types::market::{Region, Tier};

use crate::conditions::Condition;
use crate::index::Index;
use crate::names::ModelId;
use crate::placed::Placement;
use crate::request::Request;
use crate::waste::Waste;
use census::Census;
pub use change::Change;

/// The answer to a request before it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preflight {
    /// Devices that the network has.
    pub devices: usize,
    /// Those that fulfil every condition and have the room: with what the conditions exclude they add up to all.
    pub fitting: usize,
    /// What each condition excludes, in the published order; conditions that exclude nothing are left out.
    pub excluded: Vec<Excluded>,
    /// What fits, cheapest first.
    pub offers: Vec<Offer>,
    /// Where the cluster would run now.
    pub placement: Option<Placement>,
    /// If nowhere: changes that would help. Single ones first, then pairs of which neither helps alone; cheapest first.
    pub relaxations: Vec<Relaxation>,
}

/// Devices that a condition keeps away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excluded {
    /// Which.
    pub condition: Condition,
    /// Devices for which it is the first condition that they miss: every device that does not fit is counted once.
    pub devices: usize,
    /// Devices that would fit as they are if only this were not asked. One of which too much memory is taken counts here for the memory,
    /// and for [`Condition::Free`].
    pub alone: usize,
}

/// Devices of one kind that fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// Their model.
    pub model: ModelId,
    /// The continent that they are on; `None` where that is not known.
    pub region: Option<Region>,
    /// Their connection.
    pub tier: Tier,
    /// How many.
    pub devices: usize,
    /// The price of the cheapest, micro-USD for one GPU or CPU device for one hour.
    pub from_micro_usd: u32,
    /// The price of the dearest.
    pub to_micro_usd: u32,
}

/// Changes with which the request is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relaxation {
    /// What to change: one condition, or two.
    pub changes: Vec<Change>,
    /// The request as changed.
    pub request: Request,
    /// What it would get now.
    pub placement: Placement,
}

impl<W: Waste> Index<W> {
    /// The answer to a request before it is made. It looks at every device of the models that would do, and tries what would help, so it
    /// costs more than a placement.
    pub fn preflight(&mut self, request: &Request, seed: u64) -> Preflight {
        let census = Census::new(self, request);
        let placement = self.place(request, seed);
        let relaxations = if placement.is_some() { Vec::new() } else { relax::relaxations(self, request, &census, seed) };
        Preflight {
            devices: census.devices,
            fitting: census.fitting,
            excluded: census.excluded(),
            offers: self.offers(request, &census),
            placement,
            relaxations,
        }
    }

    fn offers(&self, request: &Request, census: &Census) -> Vec<Offer> {
        let mut offers: BTreeMap<(ModelId, Option<Region>, Tier), Offer> = BTreeMap::new();
        for place in &census.fits {
            let machine = &self.records[*place as usize].machine;
            let Some(price) = machine.prices.of(request.lease) else { continue };
            let (model, region, tier) = (machine.model, machine.country.map(ionet_types::market::Country::continent), machine.tier);
            let new = Offer { model, region, tier, devices: 0, from_micro_usd: price, to_micro_usd: price };
            let offer = offers.entry((model, region, tier)).or_insert(new);
            offer.devices += 1;
            offer.from_micro_usd = offer.from_micro_usd.min(price);
            offer.to_micro_usd = offer.to_micro_usd.max(price);
        }
        let mut offers: Vec<Offer> = offers.into_values().collect();
        offers.sort_by_key(|offer| offer.from_micro_usd);
        offers
    }
}
