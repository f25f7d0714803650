//! A B-tree of devices in the order of their ring, each branch with a summary of what hangs on it, so that a search follows only branches
//! on which something better may hang.

use super::summary::Summary;
use crate::score::Ring;

/// Devices in a leaf.
const LEAF: usize = 24;
/// Branches of an inner node.
const FAN: usize = 16;

/// A device's place on the ring, and where its record is.
pub(super) type Entry = (Ring, u32);

/// The tree.
#[derive(Debug)]
pub(super) struct Tree {
    root: Node,
    summary: Summary,
    len: usize,
}

#[derive(Debug)]
pub(super) enum Node {
    Leaf(Vec<Entry>),
    Inner(Vec<Branch>),
}

#[derive(Debug)]
pub(super) struct Branch {
    /// Not after any entry.
    pub(super) first: Entry,
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

    /// Looks at all entries that do not hang on a branch of which `may` says no.
    pub(super) fn visit(&self, may: &impl Fn(&Summary) -> bool, seen: &mut impl FnMut(u32)) {
        if may(&self.summary) {
            self.root.visit(may, seen);
        }
    }

    /// Adds an entry that is not there. `of` summarises a record.
    pub(super) fn insert(&mut self, entry: Entry, of: &impl Fn(u32) -> Summary) {
        self.len += 1;
        let added = of(entry.1);
        self.summary.merge(&added);
        if let Some(right) = self.root.insert(entry, &added, of) {
            let left = std::mem::replace(&mut self.root, Node::Leaf(Vec::new()));
            let first = left.first().unwrap_or(entry);
            let left = Branch { first, summary: left.summary(of), node: left };
            self.root = Node::Inner(vec![left, right]);
        }
    }

    /// Takes an entry out; whether it was there.
    pub(super) fn remove(&mut self, entry: Entry, of: &impl Fn(u32) -> Summary) -> bool {
        if !self.root.remove(entry, of) {
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
        self.summary = self.root.summary(of);
        true
    }
}

impl Node {
    fn visit(&self, may: &impl Fn(&Summary) -> bool, seen: &mut impl FnMut(u32)) {
        match self {
            Self::Leaf(entries) => entries.iter().for_each(|(_, place)| seen(*place)),
            Self::Inner(branches) => branches.iter().filter(|branch| may(&branch.summary)).for_each(|branch| branch.node.visit(may, seen)),
        }
    }

    fn first(&self) -> Option<Entry> {
        match self {
            Self::Leaf(entries) => entries.first().copied(),
            Self::Inner(branches) => branches.first().map(|branch| branch.first),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Leaf(entries) => entries.len(),
            Self::Inner(branches) => branches.len(),
        }
    }

    fn summary(&self, of: &impl Fn(u32) -> Summary) -> Summary {
        let mut all = Summary::empty();
        match self {
            Self::Leaf(entries) => entries.iter().for_each(|(_, place)| all.merge(&of(*place))),
            Self::Inner(branches) => branches.iter().for_each(|branch| all.merge(&branch.summary)),
        }
        all
    }

    /// Adds an entry; a node that becomes too large gives its right half away.
    fn insert(&mut self, entry: Entry, added: &Summary, of: &impl Fn(u32) -> Summary) -> Option<Branch> {
        match self {
            Self::Leaf(entries) => {
                let at = entries.partition_point(|other| *other < entry);
                entries.insert(at, entry);
                (entries.len() > LEAF).then(|| {
                    let node = Self::Leaf(entries.split_off(LEAF / 2));
                    Branch { first: node.first().unwrap_or(entry), summary: node.summary(of), node }
                })
            }
            Self::Inner(branches) => {
                let at = branches.partition_point(|branch| branch.first <= entry).saturating_sub(1);
                let branch = &mut branches[at];
                branch.first = branch.first.min(entry);
                let split = branch.node.insert(entry, added, of);
                if let Some(right) = split {
                    branch.summary = branch.node.summary(of);
                    branches.insert(at + 1, right);
                } else {
                    branch.summary.merge(added);
                }
                (branches.len() > FAN).then(|| {
                    let node = Self::Inner(branches.split_off(FAN / 2));
                    Branch { first: node.first().unwrap_or(entry), summary: node.summary(of), node }
                })
            }
        }
    }

    fn remove(&mut self, entry: Entry, of: &impl Fn(u32) -> Summary) -> bool {
        match self {
            Self::Leaf(entries) => {
                let found = entries.binary_search(&entry);
                found.map(|at| entries.remove(at)).is_ok()
            }
            Self::Inner(branches) => {
                let at = branches.partition_point(|branch| branch.first <= entry).saturating_sub(1);
                if !branches[at].node.remove(entry, of) {
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
                    branches[right - 1].summary = branches[right - 1].node.summary(of);
                } else {
                    branches[at].summary = branches[at].node.summary(of);
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
