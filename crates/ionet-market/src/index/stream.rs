//! The devices of a model that fit a request, best first, as many as one wants.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::card::{Card, Order};
use super::place::Search;
use super::summary::Summary;
use super::tree::Node;
use crate::conditions::Missed;
use crate::gang::{Fit, Rank};
use crate::score::setting_micro_usd;

/// What "best" means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Price and what is to be said against the device itself; rooms are not judged yet.
    Own,
    /// Price, and among equally cheap ones the rest.
    Price,
    /// The rest alone.
    Against,
}

type Key = (i64, i64, u64);

/// The search: a heap of branches and cards that promise something, and of devices that were found.
pub(super) struct Stream<'a> {
    search: &'a Search<'a>,
    by: By,
    heap: BinaryHeap<Item>,
    branches: Vec<Branch<'a>>,
    cards: Vec<u32>,
    found: Vec<Fit>,
    limit: Option<Rank>,
}

#[derive(Clone, Copy)]
struct Branch<'a> {
    node: &'a Node,
    /// The least that is to be said against the rooms on it, micro-USD.
    least: i64,
    last: Order,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Item {
    key: Key,
    what: What,
}

/// Devices are the greatest: what may hold an equal device comes before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Branch(u32),
    /// A device whose record was not looked at yet.
    Card(u32),
    Device(u32),
}

impl<'a> Stream<'a> {
    pub(super) fn new(search: &'a Search<'a>, by: By) -> Self {
        let mut stream =
            Self { search, by, heap: BinaryHeap::new(), branches: Vec::new(), cards: Vec::new(), found: Vec::new(), limit: None };
        for (bin, tree) in search.bay.able(search.request.demand.gpus) {
            let least = setting_micro_usd(search.judged.map_or(0, |judged| judged.least(bin)), search.terms.reference);
            stream.consider(tree.root(), tree.summary(), least, (Order::FIRST, Order::LAST));
        }
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
                What::Branch(at) => self.open(self.branches[at as usize]),
                What::Card(at) => self.look_at(self.cards[at as usize]),
                What::Device(at) => {
                    let fit = self.least(key, self.found[at as usize]);
                    if !self.is_beyond((fit.against, fit.way)) {
                        return Some(fit);
                    }
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

    fn open(&mut self, branch: Branch<'a>) {
        match branch.node {
            Node::Leaf(cards) => cards.iter().for_each(|card| self.turn_up(card, branch.least)),
            Node::Inner(branches) => {
                for (at, below) in branches.iter().enumerate() {
                    let last = branches.get(at + 1).map_or(branch.last, |next| next.first);
                    self.consider(&below.node, &below.summary, branch.least, (below.first, last));
                }
            }
        }
    }

    /// A device that may fit, and against whose room no less than `least` is to be said.
    fn turn_up(&mut self, card: &Card, least: i64) {
        let terms = &self.search.terms;
        if !self.search.wanted.may_be(card) {
            return;
        }
        let (price, against, way) = (card.best.price(terms), card.best.against(terms) + least, card.ring.from(terms.seed));
        if !self.is_beyond((against, way)) {
            let key = self.key(price, against, price + against, way);
            let at = u32::try_from(self.cards.len()).expect("no more cards than places, which are of 32 bits");
            self.cards.push(card.place);
            self.heap.push(Item { key, what: What::Card(at) });
        }
    }

    fn look_at(&mut self, place: u32) {
        let Search { records, request, terms, judged, .. } = self.search;
        let record = &records[place as usize];
        if Missed::any(&record.machine, record.state, &record.free, request) {
            return;
        }
        let setting = judged.map_or(0, |judged| judged.against(record));
        if let Some(fit) = Fit::new(place, &record.machine, record.failed, record.ring, setting, terms)
            && !self.is_beyond((fit.against, fit.way))
        {
            let key = self.key(i64::from(fit.price), fit.against, i64::from(fit.price) + fit.against, fit.way);
            self.push_device(key, fit);
        }
    }

    fn push_device(&mut self, key: Key, fit: Fit) {
        let at = u32::try_from(self.found.len()).expect("no more devices than places, which are of 32 bits");
        self.found.push(fit);
        self.heap.push(Item { key, what: What::Device(at) });
    }

    fn consider(&mut self, node: &'a Node, summary: &Summary, least: i64, (from, to): (Order, Order)) {
        if !self.search.wanted.may_be_among(summary) {
            return;
        }
        let (terms, best) = (&self.search.terms, &summary.best);
        let (against, way) = (best.against(terms) + least, from.least_way(to, terms.seed));
        if !self.is_beyond((against, way)) {
            let key = self.key(best.price(terms), against, summary.cost(terms) + least, way);
            let at = u32::try_from(self.branches.len()).expect("no more branches than devices");
            self.branches.push(Branch { node, least, last: to });
            self.heap.push(Item { key, what: What::Branch(at) });
        }
    }

    fn is_beyond(&self, (against, way): (i64, u64)) -> bool {
        self.limit.is_some_and(|(most, furthest, _)| (against, way) > (most, furthest))
    }

    const fn key(&self, price: i64, against: i64, cost: i64, way: u64) -> Key {
        match self.by {
            By::Own => (cost, 0, way),
            By::Price => (price, against, way),
            By::Against => (against, 0, way),
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
