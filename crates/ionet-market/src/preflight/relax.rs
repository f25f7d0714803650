//! The nearest requests that would be served.
//!
//! Of a condition with a number, the weakest change that is enough is found by counting: among the devices of one model that miss only
//! this, sorted by what they have, the one that completes the cluster. Every change is tried before it is offered.

use std::collections::{BTreeMap, BTreeSet};

use ionet_types::market::{Arrangement, Country, Lease};

use super::census::Census;
use super::ladder::{at, countries, fewer, is_number, nearness, wide_enough, wider};
use super::{Change, Relaxation};
use crate::conditions::Condition;
use crate::index::{Index, Record};
use crate::machine::MAX_PRICE_MICRO_USD;
use crate::names::ModelId;
use crate::placed::Placement;
use crate::request::Request;
use crate::shape::GpuDemand;
use crate::waste::Waste;

/// Other models that are offered at most.
const MAX_MODELS: usize = 3;
/// Pairs of conditions that are tried at most, those first that would free most devices.
const MAX_PAIRS: usize = 12;
/// Conditions that a change can weaken.
const RELAXABLE: [Condition; 17] = [
    Condition::Model,
    Condition::Supplier,
    Condition::Country,
    Condition::NotCountry,
    Condition::Compliance,
    Condition::Security,
    Condition::Renewable,
    Condition::Tier,
    Condition::Vram,
    Condition::Gpus,
    Condition::Cpus,
    Condition::Memory,
    Condition::Disk,
    Condition::Lease,
    Condition::MinimumHire,
    Condition::Price,
    Condition::Reputation,
];

struct Relaxer<'a, W> {
    index: &'a mut Index<W>,
    request: &'a Request,
    census: &'a Census,
    seed: u64,
}

/// Changes that make the request one that is served now.
pub(super) fn relaxations<W: Waste>(index: &mut Index<W>, request: &Request, census: &Census, seed: u64) -> Vec<Relaxation> {
    let mut relaxer = Relaxer { index, request, census, seed };
    let mut single: Vec<Relaxation> = Vec::new();
    let mut alone = BTreeSet::new();
    for condition in RELAXABLE {
        let found = relaxer.one(condition);
        if !found.is_empty() {
            alone.insert(condition);
        }
        single.extend(found);
    }
    let sites = if request.same_site { relaxer.attempt(vec![Change::Sites]) } else { None };
    let sites_help = sites.is_some();
    single.extend(sites);
    single.extend(relaxer.fewer_nodes());
    let mut pairs = relaxer.pairs(&alone, sites_help);
    // The sort is stable: of equally cheap changes the first in the published order comes first.
    single.sort_by_key(|relaxation| relaxation.placement.price_micro_usd);
    pairs.sort_by_key(|relaxation| relaxation.placement.price_micro_usd);
    single.extend(pairs);
    single
}

impl<W: Waste> Relaxer<'_, W> {
    fn attempt(&mut self, changes: Vec<Change>) -> Option<Relaxation> {
        let request = changes.iter().fold(self.request.clone(), |request, change| change.of(&request));
        let placement = self.index.place(&request, self.seed)?;
        Some(Relaxation { changes, request, placement })
    }

    /// The nearest changes of one condition that are enough.
    fn one(&mut self, condition: Condition) -> Vec<Relaxation> {
        if condition == Condition::Gpus {
            // Other GPUs need other rooms, so counts say nothing.
            return self.other_gpus().into_iter().collect();
        }
        if self.shares_devices() && matches!(condition, Condition::Cpus | Condition::Memory | Condition::Disk) {
            return self.smaller(condition).into_iter().collect();
        }
        if self.census.alone(condition) == 0 {
            return Vec::new();
        }
        if condition == Condition::Model {
            return self.other_models();
        }
        let ladder = self.ladder(condition);
        let found =
            if is_number(condition) { self.climb(&ladder) } else { ladder.into_iter().find_map(|change| self.attempt(vec![change])) };
        found.into_iter().collect()
    }

    fn shares_devices(&self) -> bool {
        self.request.arrangement == Some(Arrangement::Pack) && self.request.nodes > 1
    }

    /// Where nodes may share a device: the most of something that each of them can have.
    fn smaller(&mut self, condition: Condition) -> Option<Relaxation> {
        let demand = &self.request.demand;
        let (mut served, mut refused) = match condition {
            Condition::Cpus => (0, demand.cpu_milli),
            Condition::Memory => (0, demand.memory_mb),
            _ => (0, demand.disk_mb),
        };
        if refused == 0 {
            return None;
        }
        let mut found = Some(self.attempt(vec![at(condition, u32::MAX)?])?);
        while served + 1 < refused {
            let middle = u32::midpoint(served, refused);
            match self.attempt(vec![at(condition, u32::MAX - middle)?]) {
                Some(relaxation) => (found, served) = (Some(relaxation), middle),
                None => refused = middle,
            }
        }
        found
    }

    /// The first step of a ladder, on which each step allows what the one before does, that is enough.
    fn climb(&mut self, ladder: &[Change]) -> Option<Relaxation> {
        let (mut low, mut high) = (0, ladder.len());
        let mut found = None;
        while low < high {
            // The first step is enough unless the nodes have to be at one site, or may share devices.
            let middle = if found.is_none() && low == 0 && high == ladder.len() { 0 } else { low.midpoint(high) };
            match self.attempt(vec![ladder[middle]]) {
                Some(relaxation) => (found, high) = (Some(relaxation), middle),
                None => low = middle + 1,
            }
        }
        found
    }

    /// Changes of a condition, nearest first; of those with a number only the ones that could be enough.
    fn ladder(&self, condition: Condition) -> Vec<Change> {
        let near = self.census.near.iter().filter(|(missed, _)| *missed == condition);
        let records = near.map(|(_, place)| &self.index.records[*place as usize]);
        match condition {
            Condition::Supplier => vec![Change::Supplier],
            Condition::Renewable => vec![Change::Renewable],
            Condition::Lease if self.request.lease == Lease::OnDemand => vec![Change::Lease(Lease::Interruptible)],
            Condition::Lease => vec![Change::Lease(Lease::OnDemand)],
            Condition::Country => wider(self.request.countries.unwrap_or_default(), records),
            Condition::NotCountry => fewer(records),
            Condition::Compliance => {
                let asked = self.request.compliance;
                let left: BTreeSet<u8> = records.map(|record| record.machine.compliance & asked).collect();
                let mut left: Vec<u8> = left.into_iter().collect();
                left.push(0);
                left.sort_by_key(|bits| std::cmp::Reverse(bits.count_ones()));
                left.into_iter().map(Change::Compliance).collect()
            }
            _ => self.numbers(condition, records),
        }
    }

    /// The values that would do, nearest first, from the first that could complete a cluster.
    fn numbers<'r>(&self, condition: Condition, records: impl Iterator<Item = &'r Record>) -> Vec<Change> {
        let mut fitting: BTreeMap<ModelId, usize> = BTreeMap::new();
        for place in &self.census.fits {
            *fitting.entry(self.index.records[*place as usize].machine.model).or_default() += 1;
        }
        let mut values: BTreeMap<ModelId, Vec<u32>> = BTreeMap::new();
        for record in records {
            values.entry(record.machine.model).or_default().push(nearness(condition, record, self.request));
        }
        // Nodes that may share a device need fewer devices than nodes.
        let shared = self.shares_devices();
        let mut first = None;
        for (model, values) in &mut values {
            values.sort_unstable();
            let lacking = (self.request.nodes as usize).saturating_sub(fitting.get(model).copied().unwrap_or(0)).max(1);
            let enough = if shared { values.first() } else { values.get(lacking - 1) };
            first = first.into_iter().chain(enough.copied()).min();
        }
        let all: BTreeSet<u32> = values.into_values().flatten().collect();
        let enough = first.map_or_else(Vec::new, |first| all.range(first..).copied().collect::<Vec<u32>>());
        enough.into_iter().filter_map(|value| at(condition, value)).collect()
    }

    fn other_models(&mut self) -> Vec<Relaxation> {
        let mut counts: BTreeMap<ModelId, usize> = BTreeMap::new();
        for (_, place) in self.census.near.iter().filter(|(missed, _)| *missed == Condition::Model) {
            *counts.entry(self.index.records[*place as usize].machine.model).or_default() += 1;
        }
        let enough = if self.shares_devices() { 1 } else { self.request.nodes as usize };
        let able: Vec<ModelId> = counts.into_iter().filter(|(_, count)| *count >= enough).map(|(model, _)| model).collect();
        let mut found: Vec<Relaxation> = able.into_iter().filter_map(|model| self.attempt(vec![Change::Model(model)])).collect();
        found.sort_by_key(|relaxation| relaxation.placement.price_micro_usd);
        found.truncate(MAX_MODELS);
        found
    }

    fn other_gpus(&mut self) -> Option<Relaxation> {
        let asked = match self.request.demand.gpus {
            GpuDemand::Whole(count) => count,
            GpuDemand::Part(_) | GpuDemand::Instance(_) => 1,
            GpuDemand::None => return None,
        };
        let mut others: Vec<u8> = (1..=8).filter(|count| self.request.demand.gpus != GpuDemand::Whole(*count)).collect();
        others.sort_by_key(|count| count.abs_diff(asked));
        others.into_iter().find_map(|count| self.attempt(vec![Change::Gpus(GpuDemand::Whole(count))]))
    }

    /// The most nodes that would be served.
    fn fewer_nodes(&mut self) -> Option<Relaxation> {
        let (mut served, mut refused) = (0, self.request.nodes);
        let mut found = None;
        while served + 1 < refused {
            let middle = served.midpoint(refused);
            match self.attempt(vec![Change::Nodes(middle)]) {
                Some(relaxation) => (found, served) = (Some(relaxation), middle),
                None => refused = middle,
            }
        }
        found
    }

    /// Two conditions that have to be weakened together.
    fn pairs(&mut self, alone: &BTreeSet<Condition>, sites_help: bool) -> Vec<Relaxation> {
        let helpless = || RELAXABLE.into_iter().filter(|condition| !alone.contains(condition) && *condition != Condition::Gpus);
        let enough = if self.shares_devices() { 1 } else { self.request.nodes as usize };
        let mut pairs: Vec<(usize, Condition, Condition)> = Vec::new();
        for first in helpless().filter(|condition| *condition != Condition::Model) {
            for second in helpless().filter(|second| *second > first) {
                let (one, other, both) = (self.census.alone(first), self.census.alone(second), self.census.both(first, second));
                let helps = both > 0 || one > 0 && other > 0;
                if helps && self.census.fitting + one + other + both >= enough {
                    pairs.push((both + one.min(other), first, second));
                }
            }
        }
        pairs.sort_by_key(|(freed, ..)| std::cmp::Reverse(*freed));
        pairs.truncate(MAX_PAIRS);
        let dropped = |first, second| Some(vec![self.dropped(first)?, self.dropped(second)?]);
        let mut both: Vec<Vec<Change>> = pairs.into_iter().filter_map(|(_, first, second)| dropped(first, second)).collect();
        if let Some(model) = self.common_model().filter(|_| !alone.contains(&Condition::Model)) {
            let others = helpless().filter(|condition| *condition != Condition::Model).filter_map(|condition| self.dropped(condition));
            let others = others.filter(|change| change.of(self.request) != *self.request);
            both.extend(others.map(|change| vec![Change::Model(model), change]));
        }
        if self.request.same_site && !sites_help {
            let useful = helpless().filter(|condition| self.census.alone(*condition) > 0);
            both.extend(useful.filter_map(|condition| Some(vec![Change::Sites, self.dropped(condition)?])));
        }
        let mut found = Vec::new();
        for changes in both {
            if let Some(wide) = self.attempt(changes) {
                found.push(self.tighten(wide));
            }
        }
        found
    }

    /// The model that has most devices to hire of those that were not asked for.
    fn common_model(&self) -> Option<ModelId> {
        let models = (0_u8..=u8::MAX).map(ModelId).zip(&self.index.bays);
        let others = models.filter(|(model, bay)| !self.request.models.contains(model) && bay.open() > 0);
        others.max_by_key(|(model, bay)| (bay.open(), std::cmp::Reverse(*model))).map(|(model, _)| model)
    }

    /// The condition not asked at all.
    fn dropped(&self, condition: Condition) -> Option<Change> {
        Some(match condition {
            // Which model is another question.
            Condition::Model => return None,
            Condition::Supplier => Change::Supplier,
            Condition::Country => Change::Anywhere,
            Condition::NotCountry => Change::Nowhere,
            Condition::Compliance => Change::Compliance(0),
            Condition::Renewable => Change::Renewable,
            Condition::Lease if self.request.lease == Lease::OnDemand => Change::Lease(Lease::Interruptible),
            Condition::Lease => Change::Lease(Lease::OnDemand),
            Condition::Price => Change::Price(MAX_PRICE_MICRO_USD),
            Condition::MinimumHire => Change::Minutes(ionet_rules::booking::MAX_MINUTES),
            number => at(number, u32::MAX)?,
        })
    }

    /// Changes that were made too wide, no wider than what was found needs.
    fn tighten(&mut self, wide: Relaxation) -> Relaxation {
        let changes: Vec<Change> = wide.changes.iter().map(|change| self.needed(*change, &wide.placement)).collect();
        self.attempt(changes).unwrap_or(wide)
    }

    fn needed(&self, change: Change, placement: &Placement) -> Change {
        let found = placement.nodes.iter().filter_map(|node| self.index.find(node.device));
        let records: Vec<&Record> = found.map(|place| &self.index.records[place as usize]).collect();
        let furthest = |condition| {
            let values = records.iter().map(|record| nearness(condition, record, self.request));
            values.max().and_then(|value| at(condition, value)).unwrap_or(change)
        };
        match change {
            Change::Anywhere => wide_enough(self.request.countries.unwrap_or_default(), records.iter().copied()),
            Change::Nowhere => {
                let (there, unknown) = countries(records.iter().copied());
                let allowed: Vec<Country> = there.without(there.without(self.request.not_countries)).iter().collect();
                if let ([only], false) = (allowed.as_slice(), unknown) { Change::Country(*only) } else { change }
            }
            Change::Compliance(_) => {
                Change::Compliance(records.iter().fold(self.request.compliance, |all, record| all & record.machine.compliance))
            }
            Change::Security(_) => furthest(Condition::Security),
            Change::Tier(_) => furthest(Condition::Tier),
            Change::Vram(_) => furthest(Condition::Vram),
            Change::Cpus(_) => furthest(Condition::Cpus),
            Change::Memory(_) => furthest(Condition::Memory),
            Change::Disk(_) => furthest(Condition::Disk),
            Change::Minutes(_) => furthest(Condition::MinimumHire),
            Change::Price(_) => furthest(Condition::Price),
            Change::Reputation(_) => furthest(Condition::Reputation),
            other => other,
        }
    }
}
