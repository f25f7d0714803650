//! The devices of a model that fit a request, best first, as many as one wants.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::place::Search;
use super::summary::Summary;
use super::tree::Node;
use crate::conditions::Missed;
use crate::gang::{Fit, Rank};
use crate::score::{Ring, setting_micro_usd};

/// What "best" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Price and the rest together.
    Cost,
    /// Price, and among equally cheap ones the rest.
    Price,
    /// The rest alone.
    Against,
    /// Price and what is to be said against the device itself, of each bin only the best.
    Bin,
}

type Key = (i64, i64, u64);

/// The search: a heap of branches that promise something, and of devices that were found.
pub(super) struct Stream<'a> {
    search: &'a Search<'a>,
    by: By,
    heap: BinaryHeap<Item>,
    branches: Vec<Branch<'a>>,
    found: Vec<Fit>,
    limit: Option<Rank>,
    /// Bins of which the best device was found.
    done: Vec<bool>,
}

struct Branch<'a> {
    node: &'a Node,
    bin: u32,
    last: Ring,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Item {
    key: Key,
    what: What,
}

/// Devices are the greatest: what may hold an equal device comes before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Bin(u32),
    Branch(u32),
    Device(u32),
}

impl<'a> Stream<'a> {
    pub(super) fn new(search: &'a Search<'a>, by: By) -> Self {
        let done = if by == By::Bin { vec![false; search.bay.bins.len()] } else { Vec::new() };
        let mut stream = Self { search, by, heap: BinaryHeap::new(), branches: Vec::new(), found: Vec::new(), limit: None, done };
        let terms = &search.terms;
        let item = |(bin, setting)| {
            let label = &search.bay.labels[bin as usize];
            let setting = setting_micro_usd(setting, terms.reference);
            let key = stream.key(label.price(terms), label.against(terms), label.cost(terms), setting, 0);
            Item { key, what: What::Bin(bin) }
        };
        // All at once, since putting them in one by one would take longer than anything else here.
        let bins: Vec<Item> = if by == By::Bin {
            search.bay.able(search.request).map(|bin| item((bin, 0))).collect()
        } else {
            search.settings().map(item).collect()
        };
        stream.heap = bins.into();
        stream
    }

    /// Devices that rank after this are passed over from now on.
    pub(super) const fn limit(&mut self, rank: Option<Rank>) {
        self.limit = rank;
    }

    /// The next best.
    pub(super) fn next(&mut self) -> Option<Fit> {
        loop {
            let Item { key, what } = self.heap.pop()?;
            match what {
                What::Bin(bin) => {
                    let tree = &self.search.bay.bins[bin as usize].tree;
                    match tree.root() {
                        leaf @ Node::Leaf(_) if self.search.wanted.may_be_among(tree.summary()) => self.open(leaf, bin, Ring(u64::MAX)),
                        Node::Leaf(_) => {}
                        inner @ Node::Inner(_) => self.consider(inner, tree.summary(), bin, (Ring(0), Ring(u64::MAX))),
                    }
                }
                What::Branch(at) => {
                    let Branch { node, bin, last } = self.branches[at as usize];
                    if !self.is_done(bin) {
                        self.open(node, bin, last);
                    }
                }
                What::Device(at) => {
                    let fit = self.least(key, self.found[at as usize]);
                    let bin = self.search.records[fit.place as usize].bin().unwrap_or(u32::MAX);
                    if self.is_done(bin) || self.is_beyond((fit.against, fit.way)) {
                        continue;
                    }
                    if let Some(done) = self.done.get_mut(bin as usize) {
                        *done = true;
                    }
                    return Some(fit);
                }
            }
        }
    }

    /// Of devices with equal keys the one that comes first by name; what has an equal key now is a device.
    fn least(&mut self, key: Key, mut fit: Fit) -> Fit {
        let mut others = Vec::new();
        while let Some(Item { what: What::Device(at), .. }) = self.heap.peek().copied().filter(|item| item.key == key) {
            self.heap.pop();
            let other = self.found[at as usize];
            others.push(if other.device < fit.device { std::mem::replace(&mut fit, other) } else { other });
        }
        for other in others {
            self.push_device(key, other);
        }
        fit
    }

    fn is_done(&self, bin: u32) -> bool {
        self.done.get(bin as usize).copied().unwrap_or(false)
    }

    fn open(&mut self, node: &'a Node, bin: u32, last: Ring) {
        match node {
            Node::Leaf(entries) if self.by == By::Bin => {
                let fits = entries.iter().filter_map(|(_, place)| self.look_at(*place, bin));
                if let Some(fit) = fits.min_by_key(Fit::cost) {
                    self.push(fit, bin);
                }
            }
            Node::Leaf(entries) => {
                for (_, place) in entries {
                    if let Some(fit) = self.look_at(*place, bin) {
                        self.push(fit, bin);
                    }
                }
            }
            Node::Inner(branches) => {
                for (at, branch) in branches.iter().enumerate() {
                    let last = branches.get(at + 1).map_or(last, |next| next.first.0);
                    self.consider(&branch.node, &branch.summary, bin, (branch.first.0, last));
                }
            }
        }
    }

    fn look_at(&self, place: u32, bin: u32) -> Option<Fit> {
        let Search { records, request, terms, .. } = self.search;
        let record = &records[place as usize];
        if Missed::any(&record.machine, record.state, &record.free, request) {
            return None;
        }
        let fit = Fit::new(place, &record.machine, record.failed, record.ring, self.setting(bin), terms);
        fit.filter(|fit| !self.is_beyond((fit.against, fit.way)))
    }

    fn push(&mut self, fit: Fit, bin: u32) {
        let setting = setting_micro_usd(self.setting(bin), self.search.terms.reference);
        let own = fit.against - setting;
        let key = self.key(i64::from(fit.price), own, i64::from(fit.price) + own, setting, fit.way);
        self.push_device(key, fit);
    }

    /// What is to be said against a bin; nothing while bins are judged.
    fn setting(&self, bin: u32) -> i32 {
        self.search.settings.get(bin as usize).copied().unwrap_or(0)
    }

    fn push_device(&mut self, key: Key, fit: Fit) {
        let at = u32::try_from(self.found.len()).expect("no more devices than places, which are of 32 bits");
        self.found.push(fit);
        self.heap.push(Item { key, what: What::Device(at) });
    }

    fn consider(&mut self, node: &'a Node, summary: &Summary, bin: u32, (first, last): (Ring, Ring)) {
        if !self.search.wanted.may_be_among(summary) {
            return;
        }
        let (terms, label) = (&self.search.terms, summary.label());
        let setting = setting_micro_usd(self.setting(bin), terms.reference);
        let (against, way) = (label.against(terms), first.least_from(last, terms.seed));
        if !self.is_beyond((against + setting, way)) {
            let key = self.key(label.price(terms), against, label.cost(terms), setting, way);
            let at = u32::try_from(self.branches.len()).expect("no more branches than devices");
            self.branches.push(Branch { node, bin, last });
            self.heap.push(Item { key, what: What::Branch(at) });
        }
    }

    fn is_beyond(&self, (against, way): (i64, u64)) -> bool {
        self.limit.is_some_and(|(most, furthest, _)| (against, way) > (most, furthest))
    }

    const fn key(&self, price: i64, own: i64, cost: i64, setting: i64, way: u64) -> Key {
        match self.by {
            By::Cost => (cost + setting, 0, way),
            By::Price => (price, own + setting, way),
            By::Against => (own + setting, 0, way),
            By::Bin => (cost, 0, way),
        }
    }
}

impl Ord for Item {
    /// The greatest comes first: the least key.
    fn cmp(&self, other: &Self) -> Ordering {
        other.key.cmp(&self.key).then_with(|| other.what.cmp(&self.what))
    }
}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
