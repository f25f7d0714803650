//! Packing: nodes on as few sites as possible, and there on as few devices. Several nodes may share a device.

use std::collections::BTreeSet;

use super::bay::Rack;
use super::place::{Search, site_way};
use crate::gang::{Fit, Gang};
use crate::names::SiteId;
use crate::placed::holds;
use crate::shape::GpuDemand;
use crate::waste::Waste;

/// Instances on one device at most: seven on each of eight GPUs.
const MAX_INSTANCES: usize = 7 * 8;

/// What sites are filled by: most nodes first, then the least score, then the way from the seed.
type Fullness = (std::cmp::Reverse<usize>, i64, u32, SiteId);
/// A device, and how many nodes it can hold.
pub(crate) type Holder = (Fit, usize);

/// The site that holds all nodes for the least score; if there is none and other sites are allowed, the one that holds most, and so on.
/// Devices without a site come last, with one node each.
pub(super) fn pack(search: &Search<'_>, waste: &mut impl Waste, same_site: bool) -> Option<Gang> {
    let nodes = search.request.nodes as usize;
    if let Some(gang) = whole(search, waste, nodes) {
        return Some(gang);
    }
    if same_site {
        return None;
    }
    let mut used: BTreeSet<SiteId> = BTreeSet::new();
    let mut fits = Vec::with_capacity(nodes);
    while fits.len() < nodes {
        let left = nodes - fits.len();
        let Some((site, gang)) = fullest(search, waste, left, &used) else { break };
        used.insert(site);
        fits.extend(gang.fits);
    }
    if fits.len() < nodes {
        let rest = search.sweep(nodes - fits.len(), false, |fit| fit.site.is_none_or(|site| !used.contains(&site)))?;
        fits.extend(rest.fits);
    }
    Some(Gang::of(fits))
}

/// All nodes at this site.
pub(super) fn at(search: &Search<'_>, waste: &mut impl Waste, rack: &Rack) -> Option<Gang> {
    let nodes = search.request.nodes as usize;
    let gang = fill(holders(search, waste, rack, nodes), nodes);
    (gang.fits.len() == nodes).then_some(gang)
}

/// The best site that holds all nodes.
fn whole(search: &Search<'_>, waste: &mut impl Waste, nodes: usize) -> Option<Gang> {
    let mut best: Option<((i64, u32, SiteId), Gang)> = None;
    for (promise, rack) in search.racks(nodes, |rack| at_most(search, rack)) {
        if best.as_ref().is_some_and(|((score, ..), _)| promise > *score) {
            break;
        }
        let gang = fill(holders(search, waste, rack, nodes), nodes);
        let key = (gang.score, site_way(rack.site, search.terms.seed), rack.site);
        if gang.fits.len() == nodes && best.as_ref().is_none_or(|(least, _)| key < *least) {
            best = Some((key, gang));
        }
    }
    best.map(|(_, gang)| gang)
}

/// The site that holds most, if that is more than one node.
fn fullest(search: &Search<'_>, waste: &mut impl Waste, nodes: usize, used: &BTreeSet<SiteId>) -> Option<(SiteId, Gang)> {
    let mut racks: Vec<_> =
        search.racks(2, |rack| at_most(search, rack)).into_iter().map(|(_, rack)| (at_most(search, rack), rack)).collect();
    racks.retain(|(_, rack)| !used.contains(&rack.site));
    racks.sort_unstable_by_key(|(most, rack)| (std::cmp::Reverse(*most), rack.site));
    let mut best: Option<(Fullness, Gang)> = None;
    for (most, rack) in racks {
        if best.as_ref().is_some_and(|((std::cmp::Reverse(held), ..), _)| most < *held) {
            break;
        }
        let gang = fill(holders(search, waste, rack, nodes), nodes);
        let key = (std::cmp::Reverse(gang.fits.len()), gang.score, site_way(rack.site, search.terms.seed), rack.site);
        if gang.fits.len() > 1 && best.as_ref().is_none_or(|(least, _)| key < *least) {
            best = Some((key, gang));
        }
    }
    best.map(|((.., site), gang)| (site, gang))
}

/// Not fewer than the nodes that a rack can hold.
fn at_most(search: &Search<'_>, rack: &Rack) -> usize {
    let nodes = search.request.nodes as usize;
    let by_gpus = match search.request.demand.gpus {
        GpuDemand::None => nodes,
        GpuDemand::Instance(_) => rack.places.len().saturating_mul(MAX_INSTANCES),
        gpus => usize::try_from(rack.gpu_milli / u64::from(gpus.milli().max(1))).unwrap_or(usize::MAX),
    };
    by_gpus.min(nodes)
}

fn holders(search: &Search<'_>, waste: &mut impl Waste, rack: &Rack, nodes: usize) -> Vec<Holder> {
    let held = |fit: Fit| {
        let record = &search.records[fit.place as usize];
        (fit, holds(waste, &record.machine, &record.free, &search.request.demand, nodes))
    };
    search.fits(&rack.places).into_iter().map(held).collect()
}

/// So many nodes on as few of the devices as possible, or as many as there is room for: each time on the device that holds most of those
/// that are left, of equal ones on the cheapest.
pub(crate) fn fill(mut holders: Vec<Holder>, nodes: usize) -> Gang {
    let mut fits = Vec::with_capacity(nodes);
    while fits.len() < nodes {
        let left = nodes - fits.len();
        let best = (0..holders.len()).min_by_key(|at| {
            let (fit, holds) = &holders[*at];
            (std::cmp::Reverse((*holds).min(left)), fit.cost())
        });
        let Some((fit, holds)) = best.map(|at| holders.swap_remove(at)).filter(|(_, holds)| *holds > 0) else { break };
        fits.extend(std::iter::repeat_n(fit, holds.min(left)));
    }
    Gang::of(fits)
}
