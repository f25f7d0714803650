//! The best nodes for a cluster out of those that fit: as few micro-USD as possible, when all are paid the rate of the dearest.
//!
//! What is to be said against devices adds up, the price does not: only the dearest counts. So the devices are gone through from cheap
//! to dear, with the best of those seen so far at hand; after each price that stands for one possible cluster, and the best of them wins.

use std::collections::BTreeMap;

use ionet_types::DeviceId;
use ionet_types::market::Lease;

use crate::machine::{Horizon, Machine};
use crate::names::SiteId;
use crate::score::{Ring, cluster_micro_usd, setting_micro_usd, static_micro_usd};

/// A device that fits, and its score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fit {
    /// Where its record is.
    pub(crate) place: u32,
    pub(crate) device: DeviceId,
    pub(crate) site: Option<SiteId>,
    pub(crate) price: u32,
    /// What is to be said against it, micro-USD.
    pub(crate) against: i64,
    /// Its way from the seed.
    pub(crate) way: u64,
}

/// The order among devices of one price: a total one.
pub(crate) type Rank = (i64, u64, DeviceId);
/// A site, or the device that is one for itself.
pub(crate) type SiteKey = (Option<SiteId>, Option<DeviceId>);

/// What scores depend on beside the device and its room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) lease: Lease,
    pub(crate) horizon: Horizon,
    pub(crate) reference: u32,
    pub(crate) seed: u64,
}

impl Fit {
    /// The score of a device in such a setting; `None` if it is not rented so.
    pub(crate) fn new(place: u32, machine: &Machine, failed: bool, ring: Ring, setting: i32, terms: &Terms) -> Option<Self> {
        let (price, own) = static_micro_usd(machine, failed, terms.lease, terms.horizon, terms.reference)?;
        let (device, site) = (machine.device, machine.site);
        Some(Self {
            place,
            device,
            site,
            price,
            against: i64::from(own) + setting_micro_usd(setting, terms.reference),
            way: ring.from(terms.seed),
        })
    }

    pub(crate) const fn rank(&self) -> Rank {
        (self.against, self.way, self.device)
    }

    pub(crate) fn cost(&self) -> (i64, u64, DeviceId) {
        (i64::from(self.price) + self.against, self.way, self.device)
    }

    pub(crate) const fn site_key(&self) -> SiteKey {
        match self.site {
            Some(site) => (Some(site), None),
            None => (None, Some(self.device)),
        }
    }
}

/// A cluster's devices and their score without the sites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Gang {
    pub(crate) fits: Vec<Fit>,
    pub(crate) score: i64,
}

impl Gang {
    /// One device for each node.
    pub(crate) fn of(fits: Vec<Fit>) -> Self {
        let dearest = fits.iter().map(|fit| fit.price).max().unwrap_or(0);
        let against = fits.iter().map(|fit| fit.against).fold(0, i64::saturating_add);
        let score = cluster_micro_usd(dearest, fits.len(), against, None, 0);
        Self { fits, score }
    }

    /// At how many sites they are.
    pub(crate) fn sites(&self) -> usize {
        let mut sites: Vec<_> = self.fits.iter().map(Fit::site_key).collect();
        sites.sort_unstable();
        sites.dedup();
        sites.len()
    }
}

/// Goes through devices from cheap to dear and keeps the best cluster.
#[derive(Debug)]
pub(crate) struct Sweep {
    nodes: usize,
    apart: bool,
    price: u32,
    chosen: BTreeMap<Rank, Fit>,
    by_site: BTreeMap<SiteKey, Rank>,
    against: i64,
    best: Option<(i64, Vec<Fit>)>,
}

impl Sweep {
    /// For so many nodes; `apart`: each at another site.
    pub(crate) fn new(nodes: usize, apart: bool) -> Self {
        Self { nodes, apart, price: 0, chosen: BTreeMap::new(), by_site: BTreeMap::new(), against: 0, best: None }
    }

    /// The rank from which on further devices change nothing.
    pub(crate) fn limit(&self) -> Option<Rank> {
        let full = self.chosen.len() >= self.nodes;
        full.then(|| self.chosen.last_key_value().map(|(rank, _)| *rank)).flatten()
    }

    /// The best score so far, that of the devices at hand included.
    pub(crate) fn score(&self) -> Option<i64> {
        self.best.as_ref().map(|(score, _)| *score)
    }

    /// The next device; none is cheaper than the one before it.
    pub(crate) fn add(&mut self, fit: Fit) {
        if fit.price > self.price {
            self.settle();
            self.price = fit.price;
        }
        let rank = fit.rank();
        if self.limit().is_some_and(|limit| rank >= limit) {
            return;
        }
        if self.apart {
            if let Some(other) = self.by_site.get(&fit.site_key()).copied() {
                if other <= rank {
                    return;
                }
                self.drop(other);
            }
            self.by_site.insert(fit.site_key(), rank);
        }
        self.against += fit.against;
        self.chosen.insert(rank, fit);
        if self.chosen.len() > self.nodes
            && let Some((last, _)) = self.chosen.last_key_value().map(|(rank, fit)| (*rank, *fit))
        {
            self.drop(last);
        }
    }

    fn drop(&mut self, rank: Rank) {
        if let Some(fit) = self.chosen.remove(&rank) {
            self.against -= fit.against;
            self.by_site.remove(&fit.site_key());
        }
    }

    /// The devices at hand as a cluster, if it is the best so far.
    pub(crate) fn settle(&mut self) {
        if self.chosen.len() < self.nodes {
            return;
        }
        let score = cluster_micro_usd(self.price, self.nodes, self.against, None, 0);
        if self.score().is_none_or(|best| score < best) {
            self.best = Some((score, self.chosen.values().copied().collect()));
        }
    }

    /// The best cluster.
    pub(crate) fn finish(mut self) -> Option<Gang> {
        self.settle();
        self.best.map(|(score, fits)| Gang { fits, score })
    }
}

/// The best cluster out of these.
pub(crate) fn best_of(mut fits: Vec<Fit>, nodes: usize) -> Option<Gang> {
    fits.sort_unstable_by_key(|fit| (fit.price, fit.rank()));
    let mut sweep = Sweep::new(nodes, false);
    for fit in fits {
        sweep.add(fit);
    }
    sweep.finish()
}
