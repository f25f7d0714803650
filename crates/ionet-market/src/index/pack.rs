//! Packing: nodes on as few sites as possible, and there on as few devices. Several nodes may share a device.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::bay::Rack;
use super::place::{Search, site_way};
use crate::gang::{Fit, Gang};
use crate::names::SiteId;
use crate::placed::holds;
use crate::waste::Waste;

/// What sites that hold equally much are chosen by: the least score, then the way from the seed.
type Merit = (i64, u32, SiteId);
/// A device, and how many nodes it can hold.
pub(crate) type Holder = (Fit, usize);

/// The site that holds all nodes for the least score; if there is none and other sites are allowed, the one that holds most, and so on.
/// Devices without a site come last, with one node each.
pub(super) fn pack(search: &Search<'_>, waste: &mut impl Waste, same_site: bool) -> Option<Gang> {
    let nodes = search.request.nodes as usize;
    let mut sites = Sites::new(search);
    let mut fits = Vec::with_capacity(nodes);
    while fits.len() < nodes {
        let left = nodes - fits.len();
        // A last single node is packed nowhere: it goes where it is cheapest.
        let mut packed = None;
        if left > 1 || nodes == 1 {
            packed = sites.whole(waste, left);
            if packed.is_none() && !same_site {
                packed = sites.fullest(waste, left);
            }
        }
        match packed {
            Some(gang) => fits.extend(gang.fits),
            None if same_site => return None,
            None => {
                let rest = search.sweep(left, false, |fit| fit.site.is_none_or(|site| !sites.is_used(site)))?;
                fits.extend(rest.fits);
            }
        }
    }
    Some(Gang::of(fits))
}

/// All nodes at this site.
pub(super) fn at(search: &Search<'_>, waste: &mut impl Waste, rack: &Rack) -> Option<Gang> {
    let nodes = search.request.nodes as usize;
    let gang = fill(holders(search, waste, rack, nodes), nodes);
    (gang.fits.len() == nodes).then_some(gang)
}

/// A model's sites, and what is known of how many nodes they hold.
struct Sites<'a> {
    search: &'a Search<'a>,
    /// Sites that may hold several, by what they hold at most, least first; among them some that were looked at.
    unseen: Vec<(usize, &'a Rack)>,
    /// What those hold that were looked at and do not hold all that was wanted; nothing where that is used.
    held: BTreeMap<SiteId, usize>,
    /// And which nodes.
    partial: BTreeMap<(Reverse<usize>, Merit), Gang>,
}

impl<'a> Sites<'a> {
    fn new(search: &'a Search<'a>) -> Self {
        let at_most = |rack: &Rack| rack.at_most(search.request.demand.gpus);
        let mut unseen: Vec<_> = search.racks(2, at_most).into_iter().map(|(_, rack)| (at_most(rack), rack)).collect();
        unseen.sort_unstable_by_key(|(most, rack)| (*most, Reverse(rack.site)));
        Self { search, unseen, held: BTreeMap::new(), partial: BTreeMap::new() }
    }

    /// Whether nodes of this cluster are there, or none can be.
    fn is_used(&self, site: SiteId) -> bool {
        self.held.get(&site) == Some(&0)
    }

    fn at_most(&self, rack: &Rack) -> usize {
        self.held.get(&rack.site).copied().unwrap_or_else(|| rack.at_most(self.search.request.demand.gpus))
    }

    /// The best site that holds so many nodes.
    fn whole(&mut self, waste: &mut impl Waste, nodes: usize) -> Option<Gang> {
        let mut best: Option<(Merit, Gang)> = None;
        for (promise, rack) in self.search.racks(nodes, |rack| self.at_most(rack)) {
            if best.as_ref().is_some_and(|((score, ..), _)| promise > *score) {
                break;
            }
            let found = self.look_at(waste, rack, nodes);
            best = best.into_iter().chain(found).min_by_key(|(merit, _)| *merit);
        }
        best.map(|(_, gang)| gang)
    }

    /// The site that holds most, if that is more than one node. None holds all of these.
    fn fullest(&mut self, waste: &mut impl Waste, nodes: usize) -> Option<Gang> {
        while let Some((most, rack)) = self.unseen.last().copied() {
            let fullest = self.partial.first_key_value().map_or(0, |((Reverse(held), _), _)| *held);
            if most < fullest {
                break;
            }
            self.unseen.pop();
            if !self.held.contains_key(&rack.site) {
                self.look_at(waste, rack, nodes);
            }
        }
        let fullest = self.partial.first_entry().filter(|entry| entry.key().0.0 > 1)?;
        let ((_, (.., site)), gang) = fullest.remove_entry();
        self.held.insert(site, 0);
        Some(gang)
    }

    /// So many nodes at this site, if it holds them.
    fn look_at(&mut self, waste: &mut impl Waste, rack: &Rack, nodes: usize) -> Option<(Merit, Gang)> {
        let gang = fill(holders(self.search, waste, rack, nodes), nodes);
        let merit = (gang.score, site_way(rack.site, self.search.terms.seed), rack.site);
        if gang.fits.len() == nodes {
            return Some((merit, gang));
        }
        self.held.insert(rack.site, gang.fits.len());
        self.partial.insert((Reverse(gang.fits.len()), merit), gang);
        None
    }
}

fn holders(search: &Search<'_>, waste: &mut impl Waste, rack: &Rack, nodes: usize) -> Vec<Holder> {
    let held = |fit: Fit| {
        let record = &search.records[fit.place as usize];
        (fit, holds(waste, &record.machine, &record.free, &search.request.demand, nodes))
    };
    search.fits(&rack.cards).into_iter().map(held).collect()
}

/// So many nodes on as few of the devices as possible, or as many as there is room for: each time on the device that holds most of those
/// that are left, of equal ones on the cheapest.
pub(crate) fn fill(mut holders: Vec<Holder>, nodes: usize) -> Gang {
    holders.sort_unstable_by_key(|(fit, holds)| (Reverse(*holds), fit.cost()));
    let mut fits = Vec::with_capacity(nodes);
    let mut rest = holders.as_slice();
    while let Some(((first, holds), others)) = rest.split_first().filter(|((_, holds), _)| *holds > 0) {
        let left = nodes - fits.len();
        if *holds >= left {
            // All that hold as much as is left are alike.
            let enough = rest.iter().take_while(|(_, holds)| *holds >= left);
            let last = enough.map(|(fit, _)| *fit).min_by_key(Fit::cost).unwrap_or(*first);
            fits.extend(std::iter::repeat_n(last, left));
            break;
        }
        fits.extend(std::iter::repeat_n(*first, *holds));
        rest = others;
    }
    Gang::of(fits)
}
