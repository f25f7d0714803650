//! Bytes that are spread over several cards, and the commitment to all of them.
//!
//! Each card hashes the groups that it has and merges them into subtrees; the host makes the top of the tree, and the few subtrees that no
//! card has whole: those at the seams between cards and at the end.

use std::collections::BTreeMap;
use std::ops::Range;

use ionet_proofs::tree::{Node, Shape, Tree, group_node, merged};
use ionet_proofs::{EngineError, Key};
use ionet_types::agent::challenge::{Digest, Opened};

use crate::device::{Device, Memory};
use crate::kernels::{self, GROUP, NODE_BYTES};

/// Subtrees of which the host makes the top are at most twice this many: few enough to cost it less than a tenth of a millisecond.
const SUBTREES: u64 = 512;

/// One card's part of a buffer.
pub(crate) struct Part<D: Device> {
    /// Where it begins in the buffer, in bytes.
    pub(crate) start: u64,
    /// What is there; at least one byte.
    pub(crate) memory: Memory<D>,
}

impl<D: Device> Part<D> {
    pub(crate) fn range(&self) -> Range<u64> {
        self.start..self.start + self.memory.bytes()
    }

    /// Groups that it has whole, by their numbers in the buffer.
    pub(crate) fn groups(&self) -> Range<u64> {
        let range = self.range();
        let first = range.start.div_ceil(GROUP);
        first..(range.end / GROUP).max(first)
    }
}

/// Reads bytes wherever they are.
pub(crate) fn read<D: Device>(parts: &[Part<D>], range: Range<u64>) -> Result<Vec<u8>, EngineError> {
    let mut bytes = Vec::with_capacity((range.end - range.start) as usize);
    for part in parts {
        let within = part.range();
        let (start, end) = (range.start.max(within.start), range.end.min(within.end));
        if start < end {
            bytes.extend(part.memory.part(start - part.start..end - part.start)?.read::<u8>()?);
        }
    }
    if bytes.len() as u64 == range.end - range.start { Ok(bytes) } else { Err(EngineError::Failed) }
}

/// How a buffer's tree is shared out: level of the nodes that the host goes on from.
fn level(shape: Shape) -> u32 {
    shape.groups().max(1).ilog2().saturating_sub(SUBTREES.ilog2())
}

/// Room for the nodes of one part: of its groups, and of its whole subtrees above them.
pub(crate) struct Nodes<D: Device> {
    memory: Memory<D>,
    groups: Range<u64>,
    subtrees: Range<u64>,
    level: u32,
}

impl<D: Device> Nodes<D> {
    /// Bytes that the nodes of a part take.
    pub(crate) fn bytes(part: &Part<D>) -> u64 {
        let groups = part.groups();
        // Of each subtree, fewer nodes above its groups than groups.
        (groups.end - groups.start) * 2 * NODE_BYTES
    }

    /// The nodes of a part, in `memory` of [`Nodes::bytes`].
    pub(crate) fn new(shape: Shape, part: &Part<D>, memory: Memory<D>) -> Self {
        let (groups, level) = (part.groups(), level(shape));
        let first = groups.start.div_ceil(1 << level);
        // A tree of one group is a root, which only the host makes.
        let groups = if shape.groups() == 1 { 0..0 } else { groups };
        let subtrees = first..(groups.end >> level).max(first);
        Self { memory, groups, subtrees, level }
    }

    /// Where the nodes with these numbers in a level are, all of which are here.
    fn at(&self, level: u32, nodes: Range<u64>) -> Result<Memory<D>, EngineError> {
        let (first, before) = if level == 0 {
            (self.groups.start, 0)
        } else {
            let subtrees = self.subtrees.end - self.subtrees.start;
            // The groups, and all levels between them and this one.
            let between = subtrees * ((1 << self.level) - (1 << (self.level - level + 1)));
            (self.subtrees.start << (self.level - level), self.groups.end - self.groups.start + between)
        };
        let place = |node: u64| node.checked_sub(first).map(|node| (before + node) * NODE_BYTES).ok_or(EngineError::Failed);
        self.memory.part(place(nodes.start)?..place(nodes.end)?)
    }

    /// Asks for the nodes of groups of the part, by their numbers in the buffer.
    pub(crate) fn hash(&self, part: &Part<D>, groups: Range<u64>, key: &Key) -> Result<(), EngineError> {
        let (start, end) = (groups.start.max(self.groups.start), groups.end.min(self.groups.end));
        if start >= end {
            return Ok(());
        }
        let bytes = part.memory.part(start * GROUP - part.start..end * GROUP - part.start)?;
        kernels::hash_groups(&bytes, &self.at(0, start..end)?, start, key)
    }

    /// Asks for everything above the groups, whose nodes are made.
    fn merge(&self, key: &Key) -> Result<(), EngineError> {
        let levels = if self.subtrees.is_empty() { 0 } else { self.level };
        for level in 1..=levels {
            let in_level = |level: u32| self.subtrees.start << (self.level - level)..self.subtrees.end << (self.level - level);
            kernels::merge_nodes(&self.at(level - 1, in_level(level - 1))?, &self.at(level, in_level(level))?, key)?;
        }
        Ok(())
    }
}

/// The commitment to a buffer.
pub(crate) struct Committed<D: Device> {
    nodes: Vec<Nodes<D>>,
    /// Subtrees that no card has whole, by their place: from the groups upwards.
    seams: BTreeMap<u64, Vec<Vec<Node>>>,
    top: Tree,
}

impl<D: Device> Committed<D> {
    /// Commits to the buffer that `parts` are all of, in order; the nodes of all groups are made, or asked for.
    pub(crate) fn new(key: &Key, shape: Shape, parts: &[Part<D>], nodes: Vec<Nodes<D>>) -> Result<Self, EngineError> {
        let level = level(shape);
        // All cards work at once.
        nodes.iter().try_for_each(|nodes| nodes.merge(key))?;
        let count = shape.groups().div_ceil(1 << level);
        let mut tops: Vec<Node> = vec![[0; 32]; count as usize];
        let mut is_there = vec![false; count as usize];
        for nodes in nodes.iter().filter(|nodes| !nodes.subtrees.is_empty()) {
            let range = nodes.subtrees.start as usize..nodes.subtrees.end as usize;
            let found = nodes.at(level, nodes.subtrees.clone())?.read::<Node>()?;
            tops.get_mut(range.clone()).filter(|tops| tops.len() == found.len()).ok_or(EngineError::Failed)?.copy_from_slice(&found);
            is_there[range].fill(true);
        }
        let mut seams = BTreeMap::new();
        for place in (0..count).filter(|place| !is_there[*place as usize]) {
            let groups = place << level..((place + 1) << level).min(shape.groups());
            let levels = subtree(key, groups_at_seam(key, shape, groups, parts, &nodes)?, level);
            tops[place as usize] = levels.last().and_then(|top| top.first()).copied().ok_or(EngineError::Failed)?;
            seams.insert(place, levels);
        }
        Ok(Self { nodes, seams, top: Tree::above(*key, shape, level, tops) })
    }

    /// The commitment's root.
    pub(crate) fn root(&self) -> Digest {
        self.top.root()
    }

    /// Opens a part of the shape; `group` are the bytes of the group that it lies in.
    pub(crate) fn open(&self, part: u64, group: &[u8]) -> Result<Opened, EngineError> {
        self.top.open_with(part, group, |level, place| self.node(level, place))
    }

    /// A node below the top.
    fn node(&self, level: u32, place: u64) -> Result<Node, EngineError> {
        let subtree = |whole: u32| place >> (whole - level);
        let on_card = self.nodes.iter().find(|nodes| nodes.subtrees.contains(&subtree(nodes.level)));
        if let Some(nodes) = on_card {
            return nodes.at(level, place..place + 1)?.read::<Node>()?.first().copied().ok_or(EngineError::Failed);
        }
        let whole = self.nodes.first().map_or(level, |nodes| nodes.level);
        let levels = self.seams.get(&subtree(whole)).ok_or(EngineError::Failed)?;
        let within = place - (subtree(whole) << (whole - level));
        levels.get(level as usize).and_then(|nodes| nodes.get(within as usize)).copied().ok_or(EngineError::Failed)
    }
}

/// Nodes of groups of which a card has only some: made on the cards, and where not even the group is whole, here.
fn groups_at_seam<D: Device>(
    key: &Key,
    shape: Shape,
    groups: Range<u64>,
    parts: &[Part<D>],
    nodes: &[Nodes<D>],
) -> Result<Vec<Node>, EngineError> {
    let mut found = Vec::with_capacity((groups.end - groups.start) as usize);
    let mut group = groups.start;
    while group < groups.end {
        if let Some(nodes) = nodes.iter().find(|nodes| nodes.groups.contains(&group)) {
            let end = nodes.groups.end.min(groups.end);
            found.extend(nodes.at(0, group..end)?.read::<Node>()?);
            group = end;
        } else {
            let bytes = read(parts, group * GROUP..((group + 1) * GROUP).min(shape.bytes))?;
            found.push(group_node(key, shape, group, &bytes));
            group += 1;
        }
    }
    Ok(found)
}

/// All levels of a subtree from its groups up to its top, which is not the root. An odd last node goes up as it is.
fn subtree(key: &Key, groups: Vec<Node>, level: u32) -> Vec<Vec<Node>> {
    let mut levels = vec![groups];
    for _ in 0..level {
        let pair = |pair: &[Node]| match pair {
            [left, right] => merged(key, left, right),
            [alone, ..] => *alone,
            [] => [0; 32],
        };
        let above = levels.last().map(|below| below.chunks(2).map(pair).collect()).unwrap_or_default();
        levels.push(above);
    }
    levels
}
