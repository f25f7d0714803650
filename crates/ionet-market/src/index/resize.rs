//! Further nodes for a running cluster, and which nodes it can best do without.

use std::collections::BTreeSet;

use ionet_types::DeviceId;
use ionet_types::market::Arrangement;

use super::Index;
use super::judgement::Judgement;
use super::place::Search;
use super::stream::By;
use super::summary::Wanted;
use crate::gang::{Fit, Terms};
use crate::machine::State;
use crate::placed::{Placed, Placement};
use crate::replace::{Cluster, Sites, choose};
use crate::request::Request;
use crate::score::against_bps;
use crate::waste::Waste;

impl<W: Waste> Index<W> {
    /// So many further nodes for a cluster that was placed by `request`, all or none: of its model, for no more than its price, at its
    /// site if it is to be at one, on devices that are not in it and did not fail it.
    pub fn more(&mut self, cluster: &Cluster, count: usize, request: &Request, seed: u64) -> Option<Vec<Placed>> {
        let site = |device| self.find(device).map(|place| self.records[place as usize].machine.site);
        let (request, sites) = cluster.request(request, count, site)?;
        if cluster.nodes.is_empty() {
            return self.place(&request, seed).map(|placement| placement.nodes);
        }
        let bay = self.bays.get(usize::from(cluster.model.0))?;
        let terms = Terms { lease: request.lease, horizon: request.horizon(), reference: bay.reference, seed };
        let search = Search { bay, records: &self.records, request: &request, wanted: Wanted::new(&request), judged: None, terms };
        let judged = Judgement::of(&search, &mut self.waste, cluster.model, self.options);
        let search = Search { judged: Some(&judged), ..search };
        let gang = choose(search.near(&sites, count), &sites, count, &request, &terms)?;
        let Self { records, waste, .. } = self;
        let look = |place: u32| (&records[place as usize].machine, records[place as usize].free);
        Placement::new(cluster.model, gang, 0, &request.demand, waste, look).map(|placement| placement.nodes)
    }

    /// The nodes that a cluster can best do without, worst first, never its head: those on devices that cannot be hired any more, then
    /// those that stand against the arrangement that was asked for, then those against which most is to be said.
    pub fn spare(&self, cluster: &Cluster, count: usize, request: &Request, seed: u64) -> Vec<DeviceId> {
        let mut left: Vec<DeviceId> = cluster.nodes.clone();
        let mut spare = Vec::new();
        while spare.len() < count && left.len() > 1 {
            let site = |device: DeviceId| self.find(device).and_then(|place| self.records[place as usize].machine.site);
            let at_its_site = |device: DeviceId| {
                left.iter().filter(|other| **other == device || site(**other) == site(device) && site(device).is_some()).count()
            };
            let key = |device: DeviceId| {
                let Some(record) = self.find(device).map(|place| &self.records[place as usize]) else {
                    return (true, 0, u16::MAX, 0, device);
                };
                let there = i64::try_from(at_its_site(device)).unwrap_or(i64::MAX);
                let misplaced = match request.arrangement {
                    Some(Arrangement::Spread) => there,
                    Some(Arrangement::Pack) => -there,
                    None => 0,
                };
                let against = against_bps(&record.machine, record.failed, request.horizon());
                (record.state != State::Hireable, misplaced, against, record.ring.from(seed), device)
            };
            let worst = (1..left.len()).max_by_key(|at| key(left[*at]));
            spare.extend(worst.map(|at| left.remove(at)));
        }
        spare
    }
}

impl Search<'_> {
    /// Devices of which [`choose`] takes the same as of all that fit.
    fn near(&self, sites: &Sites, count: usize) -> Vec<Fit> {
        let racks = sites.keys().filter_map(|(site, _)| self.bay.rack_at((*site)?));
        if let Some(site) = self.request.only_site {
            return self.bay.rack_at(site).map(|rack| self.fits(&rack.cards)).unwrap_or_default();
        }
        let spread = self.request.arrangement == Some(Arrangement::Spread);
        let mut fits: Vec<Fit> = if spread { Vec::new() } else { racks.flat_map(|rack| self.fits(&rack.cards)).collect() };
        let mut seen: BTreeSet<_> = sites.keys().copied().collect();
        let (own, mut stream) = (seen.len(), self.stream(By::Against));
        let mut found = 0;
        while found < count {
            let Some(fit) = stream.next() else { break };
            if spread {
                fits.push(fit);
                seen.insert(fit.site_key());
                found = seen.len() - own;
            } else if !sites.contains_key(&fit.site_key()) {
                fits.push(fit);
                found += 1;
            }
        }
        fits
    }
}
