//! A running cluster's further nodes: those that replace failed ones, and those it grows by. The rest of the cluster is not touched.
//!
//! All nodes are paid the rate that was agreed when the cluster was booked, so a device may not ask for more, and that it asks for less
//! is no reason to take it: the best device is the one against which least is to be said.

use std::collections::{BTreeMap, BTreeSet};

use ionet_types::DeviceId;
use ionet_types::market::Arrangement;

use crate::gang::{Fit, Gang, SiteKey, Terms};
use crate::names::{ModelId, SiteId};
use crate::request::Request;
use crate::score::site_micro_usd;

/// A running cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The model of its nodes.
    pub model: ModelId,
    /// What every node is paid by, micro-USD for one GPU or CPU device for one hour.
    pub price_micro_usd: u32,
    /// Devices of the nodes that run, the head's first if it runs.
    pub nodes: Vec<DeviceId>,
    /// Devices that failed it.
    pub failed: BTreeSet<DeviceId>,
}

/// How many nodes are at each site.
pub(crate) type Sites = BTreeMap<SiteKey, usize>;

impl Cluster {
    /// What is asked of further nodes, and where the cluster's nodes are. `site` says where a device is, if it is known. `None` if they
    /// have to be at the site of the others and that is not known.
    pub(crate) fn request(
        &self,
        request: &Request,
        count: usize,
        site: impl Fn(DeviceId) -> Option<Option<SiteId>>,
    ) -> Option<(Request, Sites)> {
        let mut sites = Sites::new();
        for (device, at) in self.nodes.iter().filter_map(|device| Some((device, site(*device)?))) {
            *sites.entry((at, if at.is_none() { Some(*device) } else { None })).or_default() += 1;
        }
        let mut further = Request {
            models: vec![self.model],
            nodes: u32::try_from(count).ok()?,
            max_price_micro_usd: Some(self.price_micro_usd),
            ..request.clone()
        };
        further.exclude.extend(self.nodes.iter().chain(&self.failed));
        if request.same_site && !self.nodes.is_empty() {
            let ((Some(only), _), 1) = (*sites.first_key_value()?.0, sites.len()) else { return None };
            further.only_site = Some(only);
        }
        Some((further, sites))
    }
}

/// So many of these devices for a cluster at such sites, one after the other.
pub(crate) fn choose(mut fits: Vec<Fit>, sites: &Sites, count: usize, request: &Request, terms: &Terms) -> Option<Gang> {
    let mut used = sites.clone();
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count {
        let key = |fit: &Fit| {
            let elsewhere = !sites.contains_key(&fit.site_key());
            let further = if elsewhere && !sites.is_empty() { site_micro_usd(terms.reference) } else { 0 };
            match request.arrangement {
                Some(Arrangement::Spread) => (used.get(&fit.site_key()).copied().unwrap_or(0), fit.rank()),
                Some(Arrangement::Pack) => (usize::from(elsewhere), fit.rank()),
                None => (0, (fit.against + further, fit.way, fit.device)),
            }
        };
        let best = (0..fits.len()).min_by_key(|at| key(&fits[*at]))?;
        let fit = fits.swap_remove(best);
        *used.entry(fit.site_key()).or_default() += 1;
        chosen.push(fit);
    }
    Some(Gang::of(chosen))
}
