//! Placement: for each model that would do the best cluster, and of those the best.

use std::collections::BTreeSet;

use ionet_types::market::Arrangement;

use super::bay::{Bay, Rack};
use super::card::Card;
use super::judgement::Judgement;
use super::stream::{By, Stream};
use super::summary::Wanted;
use super::{Index, Record, pack};
use crate::conditions::Missed;
use crate::gang::{Fit, Gang, Sweep, Terms, best_of};
use crate::machine::Unusable;
use crate::names::{ModelId, SiteId};
use crate::placed::Placement;
use crate::request::Request;
use crate::score::{Ring, setting_micro_usd, site_micro_usd};
use crate::waste::Waste;

/// One model's devices, for one request.
#[derive(Clone, Copy)]
pub(super) struct Search<'a> {
    pub(super) bay: &'a Bay,
    pub(super) records: &'a [Record],
    pub(super) request: &'a Request,
    pub(super) wanted: Wanted<'a>,
    /// What is to be said against rooms, once that is judged.
    pub(super) judged: Option<&'a Judgement>,
    pub(super) terms: Terms,
}

impl<W: Waste> Index<W> {
    /// Where the request's cluster would best run, if it fits as a whole. The same index, request and seed give the same answer; what
    /// scores alike is chosen by the seed, so that load spreads. Nothing is taken yet.
    pub fn place(&mut self, request: &Request, seed: u64) -> Option<Placement> {
        let mut best: Option<(usize, i64, ModelId, Gang)> = None;
        let wanted = Wanted::new(request);
        if request.nodes == 0 {
            return None;
        }
        for model in &request.models {
            let Some(bay) = self.bays.get(usize::from(model.0)) else { continue };
            let terms = Terms { lease: request.lease, horizon: request.horizon(), reference: bay.reference, seed };
            let search = Search { bay, records: &self.records, request, wanted, judged: None, terms };
            if !search.may_hold() {
                continue;
            }
            let judgement = Judgement::of(&search, &mut self.waste, *model, self.options);
            let gang = if request.nodes == 1 {
                judgement.best.map(|fit| Gang::of(vec![fit]))
            } else {
                Search { judged: Some(&judgement), ..search }.gang(&mut self.waste)
            };
            let Some(gang) = gang else { continue };
            let (sites, score) = judged(&gang, request, &terms);
            if best.as_ref().is_none_or(|(fewest, least, ..)| (sites, score) < (*fewest, *least)) {
                best = Some((sites, score, *model, gang));
            }
        }
        let (_, score, model, gang) = best?;
        let Self { records, waste, .. } = self;
        let look = |place: u32| (&records[place as usize].machine, records[place as usize].free);
        Placement::new(model, gang, score, &request.demand, waste, look)
    }

    /// How many devices would serve a node of the request now, each by itself.
    pub fn fitting(&self, request: &Request) -> usize {
        let wanted = Wanted::new(request);
        let mut count = 0;
        for model in request.models.iter().collect::<BTreeSet<_>>() {
            let Some(bay) = self.bays.get(usize::from(model.0)) else { continue };
            bay.candidates(request.demand.gpus, &wanted, &mut |place| {
                let record = &self.records[place as usize];
                count += usize::from(!Missed::any(&record.machine, record.state, &record.free, request));
            });
        }
        count
    }

    /// Takes all that a placement takes, or nothing of it.
    pub fn commit(&mut self, placement: &Placement) -> Result<(), Unusable> {
        for (at, node) in placement.nodes.iter().enumerate() {
            if let Err(error) = self.take(node.device, &node.demand, node.slot) {
                for node in &placement.nodes[..at] {
                    self.give(node.device, &node.demand, node.slot)?;
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Gives back all that a placement took.
    pub fn release(&mut self, placement: &Placement) -> Result<(), Unusable> {
        placement.nodes.iter().try_for_each(|node| self.give(node.device, &node.demand, node.slot))
    }
}

/// What clusters of several models are compared by: their sites where few are wanted, then their score.
pub(crate) fn judged(gang: &Gang, request: &Request, terms: &Terms) -> (usize, i64) {
    let sites = gang.sites();
    let further = i64::try_from(sites.saturating_sub(1)).unwrap_or(i64::MAX).saturating_mul(site_micro_usd(terms.reference));
    match request.arrangement {
        Some(Arrangement::Spread) => (0, gang.score),
        Some(Arrangement::Pack) => (sites, gang.score.saturating_add(further)),
        None => (0, gang.score.saturating_add(further)),
    }
}

impl Search<'_> {
    fn nodes(&self) -> usize {
        self.request.nodes as usize
    }

    /// Whether there could be enough devices, or one site with enough of them; if not, nothing need be judged.
    fn may_hold(&self) -> bool {
        let (request, gpus) = (self.request, self.request.demand.gpus);
        if request.nodes == 1 || request.only_site.is_some() {
            return true;
        }
        let packed = request.arrangement == Some(Arrangement::Pack);
        let holds = |rack: &&Rack| {
            let most = if packed { rack.at_most(gpus) } else { rack.cards.len() };
            most >= self.nodes() && self.wanted.may_be_among(&rack.summary)
        };
        let has_enough = |rack: &Rack| {
            let fitting = rack.cards.iter().filter(|card| self.wanted.may_be(card));
            fitting.take(self.nodes()).count() >= if packed { 1 } else { self.nodes() }
        };
        match (request.same_site, packed) {
            (true, _) => self.bay.racks.iter().filter(holds).any(has_enough),
            (false, true) => true,
            (false, false) => {
                let able = self.bay.able(gpus).filter(|(_, tree)| self.wanted.may_be_among(tree.summary()));
                able.map(|(_, tree)| tree.len()).sum::<usize>() >= self.nodes()
            }
        }
    }

    fn gang(&self, waste: &mut impl Waste) -> Option<Gang> {
        if let Some(site) = self.request.only_site {
            let rack = self.bay.rack_at(site)?;
            return match self.request.arrangement {
                Some(Arrangement::Pack) => pack::at(self, waste, rack),
                Some(Arrangement::Spread) => rounds(self.fits(&rack.cards), self.nodes()),
                None => best_of(self.fits(&rack.cards), self.nodes()),
            };
        }
        match (self.request.same_site, self.request.arrangement) {
            (same_site, Some(Arrangement::Pack)) => pack::pack(self, waste, same_site),
            (true, _) => self.at_one_site(i64::MAX),
            (false, Some(Arrangement::Spread)) => self.sweep(self.nodes(), true, |_| true).or_else(|| self.in_rounds()),
            (false, None) => {
                let free = self.sweep(self.nodes(), false, |_| true)?;
                let sites = free.sites();
                let (_, score) = judged(&free, self.request, &self.terms);
                let together = if sites > 1 { self.at_one_site(score) } else { None };
                Some(together.unwrap_or(free))
            }
        }
    }

    pub(super) fn stream(&self, by: By) -> Stream<'_> {
        Stream::new(self, by)
    }

    /// The best of all devices for which `keep` is true; with `apart`, each at another site.
    pub(super) fn sweep(&self, nodes: usize, apart: bool, keep: impl Fn(&Fit) -> bool) -> Option<Gang> {
        let least = self.least().map(|(room, own)| room + own).min().unwrap_or(0);
        let mut sweep = Sweep::new(nodes, apart);
        let mut stream = self.stream(By::Price);
        while let Some(fit) = stream.next() {
            let count = i64::try_from(nodes).unwrap_or(i64::MAX);
            let promise = count.saturating_mul(i64::from(fit.price).saturating_add(least));
            if sweep.score().is_some_and(|best| promise >= best) {
                break;
            }
            if keep(&fit) {
                sweep.add(fit);
                stream.limit(sweep.limit());
            }
        }
        sweep.finish()
    }

    /// Where there are fewer sites than nodes: the best device of each site, then the second best of each, and so on.
    fn in_rounds(&self) -> Option<Gang> {
        let mut stream = self.stream(By::Price);
        rounds(std::iter::from_fn(|| stream.next()).collect(), self.nodes())
    }

    /// The best cluster at one site, if it scores less than `below`.
    fn at_one_site(&self, below: i64) -> Option<Gang> {
        let mut best: Option<((i64, u32, SiteId), Gang)> = None;
        for (promise, rack) in self.racks(self.nodes(), |rack| rack.cards.len()) {
            let score = best.as_ref().map_or(below.saturating_sub(1), |((score, ..), _)| *score);
            if promise > score {
                break;
            }
            if let Some(gang) = best_of(self.fits(&rack.cards), self.nodes()) {
                let key = (gang.score, site_way(rack.site, self.terms.seed), rack.site);
                if gang.score < below && best.as_ref().is_none_or(|(least, _)| key < *least) {
                    best = Some((key, gang));
                }
            }
        }
        best.map(|(_, gang)| gang)
    }

    /// Racks that could hold so many nodes, with the least that they could score, by that.
    pub(super) fn racks(&self, nodes: usize, holds: impl Fn(&Rack) -> usize) -> Vec<(i64, &Rack)> {
        let least = self.least().map(|(room, _)| room).min().unwrap_or(0);
        let count = i64::try_from(nodes).unwrap_or(i64::MAX);
        let able = self.bay.racks.iter().filter(|rack| holds(rack) >= nodes && self.wanted.may_be_among(&rack.summary));
        let promise = |rack: &Rack| count.saturating_mul(rack.summary.cost(&self.terms) + least);
        let mut racks: Vec<_> = able.map(|rack| (promise(rack), rack)).collect();
        racks.sort_unstable_by_key(|(promise, rack)| (*promise, rack.site));
        racks
    }

    /// Those of the devices that fit.
    pub(super) fn fits(&self, cards: &[Card]) -> Vec<Fit> {
        let fit = |card: &Card| {
            let record = &self.records[card.place as usize];
            if Missed::any(&record.machine, record.state, &record.free, self.request) {
                return None;
            }
            let setting = self.judged.map_or(0, |judged| judged.against(record));
            Fit::new(card.place, &record.machine, record.failed, record.ring, setting, &self.terms)
        };
        cards.iter().filter(|card| self.wanted.may_be(card)).filter_map(fit).collect()
    }

    /// The least that is to be said against the rooms of each bin that could serve the request, and against its devices themselves.
    fn least(&self) -> impl Iterator<Item = (i64, i64)> {
        let least = |bin| setting_micro_usd(self.judged.map_or(0, |judged| judged.least(bin)), self.terms.reference);
        let bins = self.bay.able(self.request.demand.gpus);
        bins.map(move |(bin, tree)| (least(bin), tree.summary().best.against(&self.terms)))
    }
}

/// A site's way from the seed.
pub(crate) fn site_way(site: SiteId, seed: u64) -> u32 {
    (Ring::of(ionet_types::DeviceId([0; 32]), Some(site)).from(seed) >> 32) as u32
}

/// The cheapest device of each site, then the next of each, until there are enough.
pub(crate) fn rounds(mut fits: Vec<Fit>, nodes: usize) -> Option<Gang> {
    fits.sort_unstable_by_key(|fit| (fit.site_key(), fit.cost()));
    let sites = fits.chunk_by(|left, right| left.site_key() == right.site_key());
    let mut ranked: Vec<_> = sites.flat_map(|site| site.iter().enumerate().map(|(round, fit)| (round, fit.cost(), *fit))).collect();
    ranked.sort_unstable_by_key(|(round, cost, _)| (*round, *cost));
    ranked.truncate(nodes);
    (ranked.len() == nodes).then(|| Gang::of(ranked.into_iter().map(|(.., fit)| fit).collect()))
}
