//! What a set of devices could offer at best: enough to pass over it unseen.

use ionet_types::market::{Countries, Lease, Security, Tier};

use super::Record;
use crate::gang::Terms;
use crate::machine::{Horizon, State};
use crate::request::Request;
use crate::score::{against_bps, part_of};

/// What devices cost at least.
#[derive(Debug, Clone, Copy)]
pub(super) struct Label {
    /// Least price and rest together, by lease and horizon; `u32::MAX` where nobody rents so.
    cost: [[u32; 4]; 2],
    price: [u32; 2],
    against_bps: [u16; 4],
}

impl Label {
    const NONE: Self = Self { cost: [[u32::MAX; 4]; 2], price: [u32::MAX; 2], against_bps: [u16::MAX; 4] };

    /// Least price, micro-USD.
    pub(super) fn price(&self, terms: &Terms) -> i64 {
        i64::from(self.price[terms.lease as usize])
    }

    /// Least that is to be said against a device itself, micro-USD.
    pub(super) fn against(&self, terms: &Terms) -> i64 {
        i64::from(part_of(terms.reference, self.against_bps[terms.horizon as usize].min(1 << 14)))
    }

    /// Least of both together.
    pub(super) fn cost(&self, terms: &Terms) -> i64 {
        i64::from(self.cost[terms.lease as usize][terms.horizon as usize])
    }
}

/// The best of each property among a set of devices, no matter which of them has it.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    label: Label,
    reputation: u16,
    cpu_milli: u32,
    memory_mb: u32,
    disk_mb: u32,
    vram_mb: u32,
    min_hire_minutes: u32,
    countries: Countries,
    /// Of suppliers, by the last six bits of their numbers; the named ones.
    suppliers: u64,
    tier: Tier,
    security: Security,
    compliance: u8,
    renewable: bool,
}

impl Summary {
    /// Of no device.
    pub(super) fn empty() -> Self {
        Self {
            label: Label::NONE,
            reputation: 0,
            cpu_milli: 0,
            memory_mb: 0,
            disk_mb: 0,
            vram_mb: 0,
            min_hire_minutes: u32::MAX,
            countries: Countries::default(),
            suppliers: 0,
            tier: Tier::None,
            security: Security::Process,
            compliance: 0,
            renewable: false,
        }
    }

    /// Of one device.
    pub(super) fn of(record: &Record, reference: u32) -> Self {
        let machine = &record.machine;
        let against_bps = Horizon::ALL.map(|horizon| against_bps(machine, record.failed, horizon));
        let price = [Lease::OnDemand, Lease::Interruptible].map(|lease| machine.prices.of(lease).unwrap_or(u32::MAX));
        let cost = price.map(|price| against_bps.map(|bps| price.saturating_add(part_of(reference, bps))));
        let mut countries = Countries::default();
        if let Some(country) = machine.country {
            countries.insert(country);
        }
        Self {
            label: Label { cost, price, against_bps },
            reputation: machine.reputation,
            cpu_milli: record.free.cpu_milli,
            memory_mb: record.free.memory_mb,
            disk_mb: record.free.disk_mb,
            vram_mb: machine.vram_mb,
            min_hire_minutes: machine.min_hire_minutes,
            countries,
            suppliers: machine.supplier.map_or(0, |supplier| 1 << (supplier.0 & 63)),
            tier: machine.tier,
            security: machine.security,
            compliance: machine.compliance,
            renewable: machine.renewable,
        }
    }

    /// Of both sets.
    pub(super) fn merge(&mut self, other: &Self) {
        let (label, theirs) = (&mut self.label, &other.label);
        for (own, theirs) in label.cost.iter_mut().flatten().zip(theirs.cost.iter().flatten()) {
            *own = (*own).min(*theirs);
        }
        label.price = [label.price[0].min(theirs.price[0]), label.price[1].min(theirs.price[1])];
        for (own, theirs) in label.against_bps.iter_mut().zip(&theirs.against_bps) {
            *own = (*own).min(*theirs);
        }
        self.reputation = self.reputation.max(other.reputation);
        self.cpu_milli = self.cpu_milli.max(other.cpu_milli);
        self.memory_mb = self.memory_mb.max(other.memory_mb);
        self.disk_mb = self.disk_mb.max(other.disk_mb);
        self.vram_mb = self.vram_mb.max(other.vram_mb);
        self.min_hire_minutes = self.min_hire_minutes.min(other.min_hire_minutes);
        self.countries = self.countries.or(other.countries);
        self.suppliers |= other.suppliers;
        self.tier = self.tier.max(other.tier);
        self.security = self.security.max(other.security);
        self.compliance |= other.compliance;
        self.renewable |= other.renewable;
    }

    /// What the devices cost at least.
    pub(super) const fn label(&self) -> &Label {
        &self.label
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
            suppliers: request.supplier.map_or(0, |supplier| 1 << (supplier.0 & 63)),
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
        let (request, demand) = (self.request, &self.request.demand);
        summary.label.price[request.lease as usize] <= self.highest_price
            && summary.reputation >= request.min_reputation
            && summary.cpu_milli >= demand.cpu_milli
            && summary.memory_mb >= demand.memory_mb
            && summary.disk_mb >= demand.disk_mb
            && summary.vram_mb >= request.min_vram_mb
            && summary.min_hire_minutes <= request.minutes
            && self.is_placed(summary.countries)
            && summary.suppliers & self.suppliers == self.suppliers
            && summary.tier >= request.min_tier
            && summary.security >= request.min_security
            && summary.compliance & request.compliance == request.compliance
            && (!request.renewable || summary.renewable)
    }
}

/// Whether a device can be hired at all as it stands: what is not is in no bin. Of one that is shared there may always be a use.
pub(super) fn is_open(record: &Record) -> bool {
    let machine = &record.machine;
    let whole = || record.free == machine.whole && !machine.whole.mig;
    record.state == State::Hireable && (machine.divisible || whole())
}
