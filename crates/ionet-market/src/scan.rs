//! Placement the plainest way: look at every device. What the index answers is held against this, in tests and in the benchmark.

use std::collections::{BTreeMap, BTreeSet};

use ionet_types::market::Arrangement;

use crate::conditions::Missed;
use crate::gang::{Fit, Gang, Terms};
use crate::index::Options;
use crate::index::pack::{Holder, fill};
use crate::index::place::{judged, rounds, site_way};
use crate::machine::{Machine, State};
use crate::names::{ModelId, SiteId};
use crate::placed::{Placed, Placement, slots};
use crate::replace::{Cluster, choose};
use crate::request::Request;
use crate::score::{Ring, UNJUDGED, failed_lately, setting, setting_micro_usd};
use crate::shape::Room;
use crate::waste::Waste;

/// A device, what of it is free, and whether it may be hired.
pub type Device<'a> = (&'a Machine, Room, State);

/// The answer of [`Index::place`](crate::index::Index::place) for these devices, each with what of it is free. `reference` is a model's
/// reference price, micro-USD.
pub fn place(
    devices: &[Device<'_>],
    reference: impl Fn(ModelId) -> Option<u32>,
    options: Options,
    waste: &mut impl Waste,
    now_unix_secs: i64,
    request: &Request,
    seed: u64,
) -> Option<Placement> {
    let mut best: Option<(usize, i64, ModelId, Gang)> = None;
    for model in &request.models {
        let Some(reference) = reference(*model) else { continue };
        let terms = Terms { lease: request.lease, horizon: request.horizon(), reference, seed };
        let fits = fits(devices, options, waste, now_unix_secs, *model, request, &terms);
        let Some(gang) = gang(fits, devices, waste, request, &terms) else { continue };
        let (sites, score) = judged(&gang, request, &terms);
        if best.as_ref().is_none_or(|(fewest, least, ..)| (sites, score) < (*fewest, *least)) {
            best = Some((sites, score, *model, gang));
        }
    }
    let (_, score, model, gang) = best?;
    Placement::new(model, gang, score, &request.demand, waste, |place| {
        let (machine, free, _) = &devices[place as usize];
        (machine, *free)
    })
}

/// The answer of [`Index::more`](crate::index::Index::more) for these devices.
#[expect(clippy::too_many_arguments, reason = "all that an index would know")]
pub fn more(
    devices: &[Device<'_>],
    reference: impl Fn(ModelId) -> Option<u32>,
    options: Options,
    waste: &mut impl Waste,
    now_unix_secs: i64,
    cluster: &Cluster,
    count: usize,
    request: &Request,
    seed: u64,
) -> Option<Vec<Placed>> {
    let known: BTreeMap<_, _> = devices.iter().map(|(machine, ..)| (machine.device, machine.site)).collect();
    let (request, sites) = cluster.request(request, count, |device| known.get(&device).copied())?;
    if cluster.nodes.is_empty() {
        return place(devices, reference, options, waste, now_unix_secs, &request, seed).map(|placement| placement.nodes);
    }
    let terms = Terms { lease: request.lease, horizon: request.horizon(), reference: reference(cluster.model)?, seed };
    let fits = fits(devices, options, waste, now_unix_secs, cluster.model, &request, &terms);
    let gang = choose(fits, &sites, count, &request, &terms)?;
    let look = |place: u32| (devices[place as usize].0, devices[place as usize].1);
    Placement::new(cluster.model, gang, 0, &request.demand, waste, look).map(|placement| placement.nodes)
}

fn fits(
    devices: &[Device<'_>],
    options: Options,
    waste: &mut impl Waste,
    now_unix_secs: i64,
    model: ModelId,
    request: &Request,
    terms: &Terms,
) -> Vec<Fit> {
    let mut fits = Vec::new();
    for (place, (machine, free, state)) in (0_u32..).zip(devices) {
        if machine.model != model || Missed::any(machine, *state, free, request) {
            continue;
        }
        let (failed, ring) = (failed_lately(machine, now_unix_secs), Ring::of(machine.device, machine.site));
        fits.extend(Fit::new(place, machine, failed, ring, 0, terms));
    }
    fits.sort_unstable_by_key(Fit::cost);
    let kind = |fit: &Fit| {
        let (machine, free, _) = devices[fit.place as usize];
        (machine.divisible, free.outline(options.outline_bits))
    };
    let demand = request.demand.outline(options.outline_bits);
    let mut judged = BTreeMap::new();
    for (divisible, outline) in fits.iter().take(options.judged).map(kind) {
        let against = || setting(waste, &outline, divisible, model, &demand).unwrap_or(UNJUDGED);
        judged.entry((divisible, outline)).or_insert_with(against);
    }
    for fit in &mut fits {
        fit.against += setting_micro_usd(judged.get(&kind(fit)).copied().unwrap_or(UNJUDGED), terms.reference);
    }
    fits
}

fn gang(fits: Vec<Fit>, devices: &[Device<'_>], waste: &mut impl Waste, request: &Request, terms: &Terms) -> Option<Gang> {
    let nodes = request.nodes as usize;
    if nodes == 1 {
        return fits.into_iter().min_by_key(Fit::cost).map(|fit| Gang::of(vec![fit]));
    }
    match (request.same_site, request.arrangement) {
        (same_site, Some(Arrangement::Pack)) => packed(&fits, devices, waste, request, terms, same_site || request.only_site.is_some()),
        (true, _) => at_one_site(&fits, nodes, terms),
        (false, Some(Arrangement::Spread)) => apart(&fits, nodes).or_else(|| rounds(fits, nodes)),
        (false, None) => {
            let free = cheapest(fits.clone(), nodes)?;
            let together = at_one_site(&fits, nodes, terms).filter(|gang| free.sites() > 1 && gang.score < judged(&free, request, terms).1);
            Some(together.unwrap_or(free))
        }
    }
}

/// For every price that could be the dearest, the devices against which least is to be said.
fn cheapest(mut fits: Vec<Fit>, nodes: usize) -> Option<Gang> {
    fits.sort_unstable_by_key(Fit::rank);
    let prices: BTreeSet<u32> = fits.iter().map(|fit| fit.price).collect();
    let of_price = |dearest: u32| -> Vec<Fit> { fits.iter().filter(|fit| fit.price <= dearest).take(nodes).copied().collect() };
    prices.into_iter().map(of_price).filter(|gang| gang.len() == nodes).map(Gang::of).min_by_key(|gang| gang.score)
}

/// The same, with the best device of each site.
fn apart(fits: &[Fit], nodes: usize) -> Option<Gang> {
    let prices: BTreeSet<u32> = fits.iter().map(|fit| fit.price).collect();
    let of_price = |dearest: u32| -> Vec<Fit> {
        let mut best = BTreeMap::new();
        for fit in fits.iter().filter(|fit| fit.price <= dearest) {
            let kept = best.entry(fit.site_key()).or_insert(*fit);
            if fit.rank() < kept.rank() {
                *kept = *fit;
            }
        }
        let mut best: Vec<Fit> = best.into_values().collect();
        best.sort_unstable_by_key(Fit::rank);
        best.truncate(nodes);
        best
    };
    prices.into_iter().map(of_price).filter(|gang| gang.len() == nodes).map(Gang::of).min_by_key(|gang| gang.score)
}

fn by_site(fits: &[Fit]) -> BTreeMap<SiteId, Vec<Fit>> {
    let mut sites: BTreeMap<SiteId, Vec<Fit>> = BTreeMap::new();
    for fit in fits {
        if let Some(site) = fit.site {
            sites.entry(site).or_default().push(*fit);
        }
    }
    sites
}

fn at_one_site(fits: &[Fit], nodes: usize, terms: &Terms) -> Option<Gang> {
    let gangs = by_site(fits).into_iter().filter_map(|(site, fits)| Some((site, cheapest(fits, nodes)?)));
    gangs.min_by_key(|(site, gang)| (gang.score, site_way(*site, terms.seed), *site)).map(|(_, gang)| gang)
}

fn packed(fits: &[Fit], devices: &[Device<'_>], waste: &mut impl Waste, request: &Request, terms: &Terms, same_site: bool) -> Option<Gang> {
    let nodes = request.nodes as usize;
    let mut holders = |fits: &[Fit], most: usize| -> Vec<Holder> {
        let held = |fit: &Fit| {
            let (machine, free, _) = &devices[fit.place as usize];
            (*fit, slots(waste, machine, free, &request.demand, most).len())
        };
        fits.iter().map(held).collect()
    };
    let mut sites = by_site(fits);
    let mut chosen: Vec<Fit> = Vec::new();
    while chosen.len() < nodes {
        let left = nodes - chosen.len();
        let gangs = sites.iter().map(|(site, fits)| (*site, fill(holders(fits, left), left)));
        let best = gangs.min_by_key(|(site, gang)| (std::cmp::Reverse(gang.fits.len()), gang.score, site_way(*site, terms.seed), *site));
        let Some((site, gang)) = best.filter(|(_, gang)| gang.fits.len() > 1) else { break };
        sites.remove(&site);
        chosen.extend(gang.fits);
        if same_site {
            break;
        }
    }
    if chosen.len() < nodes && !same_site {
        let used: BTreeSet<SiteId> = chosen.iter().filter_map(|fit| fit.site).collect();
        let rest = fits.iter().filter(|fit| fit.site.is_none_or(|site| !used.contains(&site))).copied().collect();
        chosen.extend(cheapest(rest, nodes - chosen.len())?.fits);
    }
    (chosen.len() == nodes).then(|| Gang::of(chosen))
}
