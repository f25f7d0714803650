//! A B-tree of devices in their order, each branch with a summary of what hangs on it, so that a search follows only branches on which
//! something better may hang.

use super::card::{Card, Order};
use super::summary::Summary;

/// Most devices in a leaf.
const LEAF: usize = 24;
/// Most branches of an inner node.
const FAN: usize = 16;

/// The tree.
#[derive(Debug)]
pub(super) struct Tree {
    root: Node,
    summary: Summary,
    len: usize,
}

#[derive(Debug)]
pub(super) enum Node {
    Leaf(Vec<Card>),
    Inner(Vec<Branch>),
}

#[derive(Debug)]
pub(super) struct Branch {
    /// Not after any device.
    pub(super) first: Order,
    pub(super) summary: Summary,
    pub(super) node: Node,
}

impl Tree {
    pub(super) fn new() -> Self {
        Self { root: Node::Leaf(Vec::new()), summary: Summary::empty(), len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) const fn summary(&self) -> &Summary {
        &self.summary
    }

    pub(super) const fn root(&self) -> &Node {
        &self.root
    }

    /// Looks at all devices that do not hang on a branch of which `may` says no.
    pub(super) fn visit(&self, may: &impl Fn(&Summary) -> bool, seen: &mut impl FnMut(&Card)) {
        if may(&self.summary) {
            self.root.visit(may, seen);
        }
    }

    /// Adds a device that is not there.
    pub(super) fn insert(&mut self, card: Card, reference: u32) {
        self.len += 1;
        let added = Summary::of(&card, reference);
        self.summary.merge(&added);
        if let Some(right) = self.root.insert(card, &added, reference) {
            let left = std::mem::replace(&mut self.root, Node::Leaf(Vec::new()));
            let first = left.first().unwrap_or(card.order());
            let left = Branch { first, summary: left.summary(reference), node: left };
            self.root = Node::Inner(vec![left, right]);
        }
    }

    /// Takes a device out; whether it was there.
    pub(super) fn remove(&mut self, order: Order, reference: u32) -> bool {
        if !self.root.remove(order, reference) {
            return false;
        }
        self.len -= 1;
        while let Node::Inner(branches) = &mut self.root {
            match branches.pop() {
                Some(only) if branches.is_empty() => self.root = only.node,
                Some(last) => {
                    branches.push(last);
                    break;
                }
                None => self.root = Node::Leaf(Vec::new()),
            }
        }
        self.summary = self.root.summary(reference);
        true
    }
}

impl Node {
    fn visit(&self, may: &impl Fn(&Summary) -> bool, seen: &mut impl FnMut(&Card)) {
        match self {
            Self::Leaf(cards) => cards.iter().for_each(seen),
            Self::Inner(branches) => branches.iter().filter(|branch| may(&branch.summary)).for_each(|branch| branch.node.visit(may, seen)),
        }
    }

    fn first(&self) -> Option<Order> {
        match self {
            Self::Leaf(cards) => cards.first().map(Card::order),
            Self::Inner(branches) => branches.first().map(|branch| branch.first),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Leaf(cards) => cards.len(),
            Self::Inner(branches) => branches.len(),
        }
    }

    fn summary(&self, reference: u32) -> Summary {
        match self {
            Self::Leaf(cards) => Summary::of_all(cards, reference),
            Self::Inner(branches) => {
                let mut all = Summary::empty();
                for branch in branches {
                    all.merge(&branch.summary);
                }
                all
            }
        }
    }

    /// Adds a device; a node that becomes too large gives its right half away.
    fn insert(&mut self, card: Card, added: &Summary, reference: u32) -> Option<Branch> {
        let order = card.order();
        match self {
            Self::Leaf(cards) => {
                let at = cards.partition_point(|other| other.order() < order);
                cards.insert(at, card);
                (cards.len() > LEAF).then(|| {
                    let node = Self::Leaf(cards.split_off(LEAF / 2));
                    Branch { first: node.first().unwrap_or(order), summary: node.summary(reference), node }
                })
            }
            Self::Inner(branches) => {
                let at = branches.partition_point(|branch| branch.first <= order).saturating_sub(1);
                let branch = &mut branches[at];
                branch.first = branch.first.min(order);
                let split = branch.node.insert(card, added, reference);
                if let Some(right) = split {
                    branch.summary = branch.node.summary(reference);
                    branches.insert(at + 1, right);
                } else {
                    branch.summary.merge(added);
                }
                (branches.len() > FAN).then(|| {
                    let node = Self::Inner(branches.split_off(FAN / 2));
                    Branch { first: node.first().unwrap_or(order), summary: node.summary(reference), node }
                })
            }
        }
    }

    fn remove(&mut self, order: Order, reference: u32) -> bool {
        match self {
            Self::Leaf(cards) => {
                let found = cards.binary_search_by_key(&order, Card::order);
                found.map(|at| cards.remove(at)).is_ok()
            }
            Self::Inner(branches) => {
                let at = branches.partition_point(|branch| branch.first <= order).saturating_sub(1);
                if !branches[at].node.remove(order, reference) {
                    return false;
                }
                if branches[at].node.len() == 0 {
                    branches.remove(at);
                    return true;
                }
                let right = if at + 1 < branches.len() { at + 1 } else { at };
                if right > 0 && branches[right - 1].node.absorbs(&branches[right].node) {
                    let gone = branches.remove(right);
                    branches[right - 1].node.append(gone.node);
                    branches[right - 1].summary = branches[right - 1].node.summary(reference);
                } else {
                    branches[at].summary = branches[at].node.summary(reference);
                }
                true
            }
        }
    }

    /// Whether both together leave room for more.
    fn absorbs(&self, right: &Self) -> bool {
        let most = match (self, right) {
            (Self::Leaf(_), Self::Leaf(_)) => LEAF / 2,
            (Self::Inner(_), Self::Inner(_)) => FAN / 2,
            _ => return false,
        };
        self.len() + right.len() <= most
    }

    fn append(&mut self, right: Self) {
        match (self, right) {
            (Self::Leaf(own), Self::Leaf(more)) => own.extend(more),
            (Self::Inner(own), Self::Inner(more)) => own.extend(more),
            _ => {}
        }
    }
}
