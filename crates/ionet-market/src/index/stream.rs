//! The devices of a model that fit a request, best first, as many as one wants.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::Record;
use super::bay::Shelf;
use super::place::Search;
use super::summary::{Summary, Wanted};
use super::tree::Node;
use crate::conditions::Missed;
use crate::gang::{Fit, Rank, Terms};
use crate::request::Request;
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
}

type Key = (i64, i64, u64);

/// The search: a heap of branches that promise something, and of devices that were found.
pub(super) struct Stream<'a> {
    records: &'a [Record],
    request: &'a Request,
    wanted: Wanted<'a>,
    terms: Terms,
    by: By,
    heap: BinaryHeap<Item<'a>>,
    limit: Option<Rank>,
}

/// What is to be said against a shelf.
#[derive(Clone, Copy)]
struct Setting {
    setting: i32,
    micro_usd: i64,
}

/// The whole ring.
const EVERYWHERE: (Ring, Ring) = (Ring(0), Ring(u64::MAX));

struct Item<'a> {
    key: Key,
    what: What<'a>,
}

enum What<'a> {
    Branch { node: &'a Node, setting: Setting, last: Ring },
    Device(Fit),
}

impl<'a> Stream<'a> {
    pub(super) fn new(search: &'a Search<'_>, by: By) -> Self {
        let mut stream = Self::empty(search, by);
        for (shelf, setting) in search.shelves() {
            stream.consider(shelf.tree.root(), shelf.tree.summary(), stream.cost_of(setting), EVERYWHERE);
        }
        stream
    }

    /// The best device by cost. It looks first at the shelf that promises most, and then only at those that promise more than was found
    /// there: with many shelves of few devices that is much less work than putting all of them in order.
    pub(super) fn best(search: &'a Search<'_>) -> Option<Fit> {
        let mut stream = Self::empty(search, By::Cost);
        let most = search.shelves().filter_map(|(shelf, setting)| Some((stream.promise(shelf, setting)?, shelf, setting)));
        let (_, first, setting) = most.min_by_key(|(key, ..)| *key)?;
        stream.consider(first.tree.root(), first.tree.summary(), stream.cost_of(setting), EVERYWHERE);
        let found = stream.next();
        stream.heap.clear();
        let best = found.map(|fit| (fit.cost(), fit));
        for (shelf, setting) in search.shelves().filter(|(shelf, _)| !std::ptr::eq(*shelf, first)) {
            let Some((cost, _, way)) = stream.promise(shelf, setting) else { continue };
            if best.is_none_or(|((least, nearest, _), _)| (cost, way) <= (least, nearest)) {
                stream.consider(shelf.tree.root(), shelf.tree.summary(), stream.cost_of(setting), EVERYWHERE);
            }
        }
        stream.next().map(|fit| (fit.cost(), fit)).into_iter().chain(best).min_by_key(|(key, _)| *key).map(|(_, fit)| fit)
    }

    fn empty(search: &'a Search<'_>, by: By) -> Self {
        let (records, request, wanted, terms) = (search.records, search.request, search.wanted, search.terms);
        Self { records, request, wanted, terms, by, heap: BinaryHeap::new(), limit: None }
    }

    fn cost_of(&self, setting: i32) -> Setting {
        Setting { setting, micro_usd: setting_micro_usd(setting, self.terms.reference) }
    }

    /// The least key that a device on the shelf could have, if one could fit.
    fn promise(&self, shelf: &Shelf, setting: i32) -> Option<Key> {
        let (summary, setting) = (shelf.tree.summary(), self.cost_of(setting).micro_usd);
        let against = summary.against(&self.terms) + setting;
        self.wanted.may_be_among(summary).then(|| self.key(summary.price(&self.terms), against, summary.cost(&self.terms) + setting, 0))
    }

    /// Devices that rank after this are passed over from now on.
    pub(super) const fn limit(&mut self, rank: Option<Rank>) {
        self.limit = rank;
    }

    /// The next best.
    pub(super) fn next(&mut self) -> Option<Fit> {
        loop {
            match self.heap.pop()?.what {
                What::Device(fit) if self.is_beyond((fit.against, fit.way)) => {}
                What::Device(fit) => return Some(fit),
                What::Branch { node: Node::Leaf(entries), setting, .. } => {
                    for (_, place) in entries {
                        self.found(*place, setting);
                    }
                }
                What::Branch { node: Node::Inner(branches), setting, last } => {
                    for (at, branch) in branches.iter().enumerate() {
                        let last = branches.get(at + 1).map_or(last, |next| next.first.0);
                        self.consider(&branch.node, &branch.summary, setting, (branch.first.0, last));
                    }
                }
            }
        }
    }

    fn found(&mut self, place: u32, setting: Setting) {
        let record = &self.records[place as usize];
        if Missed::any(&record.machine, record.state, &record.free, self.request) {
            return;
        }
        let Some(fit) = Fit::new(place, &record.machine, record.failed, record.ring, setting.setting, &self.terms) else { return };
        if !self.is_beyond((fit.against, fit.way)) {
            let key = self.key(i64::from(fit.price), fit.against, i64::from(fit.price) + fit.against, fit.way);
            self.heap.push(Item { key, what: What::Device(fit) });
        }
    }

    fn consider(&mut self, node: &'a Node, summary: &Summary, setting: Setting, (first, last): (Ring, Ring)) {
        if !self.wanted.may_be_among(summary) {
            return;
        }
        let against = summary.against(&self.terms) + setting.micro_usd;
        let way = first.least_from(last, self.terms.seed);
        if !self.is_beyond((against, way)) {
            let key = self.key(summary.price(&self.terms), against, summary.cost(&self.terms) + setting.micro_usd, way);
            self.heap.push(Item { key, what: What::Branch { node, setting, last } });
        }
    }

    fn is_beyond(&self, (against, way): (i64, u64)) -> bool {
        self.limit.is_some_and(|(most, furthest, _)| (against, way) > (most, furthest))
    }

    const fn key(&self, price: i64, against: i64, cost: i64, way: u64) -> Key {
        match self.by {
            By::Cost => (cost, 0, way),
            By::Price => (price, against, way),
            By::Against => (against, 0, way),
        }
    }
}

impl Ord for Item<'_> {
    /// The greatest comes first: the least key, of equal ones branches, which may hold an equal device, and then devices by their names.
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |what: &What<'_>| match what {
            What::Branch { .. } => None,
            What::Device(fit) => Some(fit.device),
        };
        other.key.cmp(&self.key).then_with(|| rank(&other.what).cmp(&rank(&self.what)))
    }
}

impl PartialOrd for Item<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Item<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Item<'_> {}
