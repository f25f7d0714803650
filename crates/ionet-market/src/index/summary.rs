//! What a set of devices could offer at best: enough to pass over it unseen.

use ionet_types::market::{Countries, Security, Tier};

use super::Record;
use super::card::{Card, six_bits};
use crate::gang::Terms;
use crate::machine::State;
use crate::request::Request;
use crate::score::part_of;

/// The best that a device has to offer, or that several have, each property for itself, no matter which of them has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Best {
    /// Least price by lease; `u32::MAX` where nobody rents so.
    pub(super) price: [u32; 2],
    /// Least that is to be said against a device itself, by horizon.
    pub(super) against_bps: [u16; 4],
    pub(super) cpu_milli: u32,
    pub(super) memory_mb: u32,
    pub(super) disk_mb: u32,
    pub(super) vram_mb: u32,
    pub(super) min_hire_minutes: u32,
    pub(super) reputation: u16,
    pub(super) tier: Tier,
    pub(super) security: Security,
    pub(super) compliance: u8,
    pub(super) renewable: bool,
}

impl Best {
    /// Of no device.
    const NONE: Self = Self {
        price: [u32::MAX; 2],
        against_bps: [u16::MAX; 4],
        cpu_milli: 0,
        memory_mb: 0,
        disk_mb: 0,
        vram_mb: 0,
        min_hire_minutes: u32::MAX,
        reputation: 0,
        tier: Tier::None,
        security: Security::Process,
        compliance: 0,
        renewable: false,
    };

    /// Least price, micro-USD.
    pub(super) fn price(&self, terms: &Terms) -> i64 {
        i64::from(self.price[terms.lease as usize])
    }

    /// Least that is to be said against a device itself, micro-USD.
    pub(super) fn against(&self, terms: &Terms) -> i64 {
        i64::from(part_of(terms.reference, self.against_bps[terms.horizon as usize].min(1 << 14)))
    }

    fn merge(&mut self, other: &Self) {
        self.price = [self.price[0].min(other.price[0]), self.price[1].min(other.price[1])];
        for (own, theirs) in self.against_bps.iter_mut().zip(&other.against_bps) {
            *own = (*own).min(*theirs);
        }
        self.cpu_milli = self.cpu_milli.max(other.cpu_milli);
        self.memory_mb = self.memory_mb.max(other.memory_mb);
        self.disk_mb = self.disk_mb.max(other.disk_mb);
        self.vram_mb = self.vram_mb.max(other.vram_mb);
        self.min_hire_minutes = self.min_hire_minutes.min(other.min_hire_minutes);
        self.reputation = self.reputation.max(other.reputation);
        self.tier = self.tier.max(other.tier);
        self.security = self.security.max(other.security);
        self.compliance |= other.compliance;
        self.renewable |= other.renewable;
    }
}

/// What a set of devices could offer at best.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    pub(super) best: Best,
    /// Least price and rest together, by lease and horizon; `u32::MAX` where nobody rents so.
    cost: [[u32; 4]; 2],
    countries: Countries,
    /// Of suppliers, by the last six bits of their numbers; the named ones.
    suppliers: u64,
}

impl Summary {
    /// Of no device.
    pub(super) fn empty() -> Self {
        Self { best: Best::NONE, cost: [[u32::MAX; 4]; 2], countries: Countries::default(), suppliers: 0 }
    }

    /// Of one device.
    pub(super) fn of(card: &Card, reference: u32) -> Self {
        let against = card.best.against_bps.map(|bps| part_of(reference, bps));
        let cost = card.best.price.map(|price| against.map(|against| price.saturating_add(against)));
        Self { best: card.best, cost, countries: card.countries(), suppliers: card.suppliers() }
    }

    /// Of these devices.
    pub(super) fn of_all(cards: &[Card], reference: u32) -> Self {
        let mut all = Self::empty();
        for card in cards {
            all.merge(&Self::of(card, reference));
        }
        all
    }

    /// Of both sets.
    pub(super) fn merge(&mut self, other: &Self) {
        self.best.merge(&other.best);
        for (own, theirs) in self.cost.iter_mut().flatten().zip(other.cost.iter().flatten()) {
            *own = (*own).min(*theirs);
        }
        self.countries = self.countries.or(other.countries);
        self.suppliers |= other.suppliers;
    }

    /// Least price and rest together, micro-USD.
    pub(super) fn cost(&self, terms: &Terms) -> i64 {
        i64::from(self.cost[terms.lease as usize][terms.horizon as usize])
    }
}

/// A request in the form in which summaries are asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    request: &'a Request,
    /// Countries that will do, if some are wanted.
    countries: Option<Countries>,
    excludes: bool,
    suppliers: u64,
    highest_price: u32,
}

impl<'a> Wanted<'a> {
    pub(crate) fn new(request: &'a Request) -> Self {
        Self {
            request,
            countries: request.countries.map(|wanted| wanted.without(request.not_countries)),
            excludes: !request.not_countries.is_empty(),
            suppliers: request.supplier.map_or(0, |supplier| 1 << six_bits(supplier)),
            // The highest number stands for devices that are not rented so.
            highest_price: request.max_price_micro_usd.unwrap_or(u32::MAX - 1),
        }
    }

    fn is_placed(&self, there: Countries) -> bool {
        match self.countries {
            Some(wanted) => there.without(wanted) != there,
            None => !self.excludes || !there.without(self.request.not_countries).is_empty(),
        }
    }

    /// Whether one of the devices could fit; if not, none does.
    pub(super) fn may_be_among(&self, summary: &Summary) -> bool {
        self.may_have(&summary.best) && self.is_placed(summary.countries) && summary.suppliers & self.suppliers == self.suppliers
    }

    /// Whether the device could fit; its record has the last word.
    pub(super) fn may_be(&self, card: &Card) -> bool {
        self.may_have(&card.best) && self.is_placed(card.countries()) && card.suppliers() & self.suppliers == self.suppliers
    }

    fn may_have(&self, best: &Best) -> bool {
        let (request, demand) = (self.request, &self.request.demand);
        best.price[request.lease as usize] <= self.highest_price
            && best.reputation >= request.min_reputation
            && best.cpu_milli >= demand.cpu_milli
            && best.memory_mb >= demand.memory_mb
            && best.disk_mb >= demand.disk_mb
            && best.vram_mb >= request.min_vram_mb
            && best.min_hire_minutes <= request.minutes
            && best.tier >= request.min_tier
            && best.security >= request.min_security
            && best.compliance & request.compliance == request.compliance
            && (!request.renewable || best.renewable)
    }
}

/// Whether a device can be hired at all as it stands: what is not is in no bin. Of one that is shared there may always be a use.
pub(super) fn is_open(record: &Record) -> bool {
    let machine = &record.machine;
    let whole = || record.free == machine.whole && !machine.whole.mig;
    record.state == State::Hireable && (machine.divisible || whole())
}
