//! Commitment to a long buffer: its keyed BLAKE3 hash. BLAKE3 is itself a tree over chunks of 1 KiB that are numbered, so any aligned part can
//! be shown with the hashes beside its way to the root, and the buffer is hashed at the full speed of the vector unit.
//!
//! Of the tree only the nodes over groups of 16 KiB and above are kept (1/256 of the buffer); those below are computed again for the few parts
//! that are opened.

use std::convert::Infallible;

use blake3::Hasher;
use blake3::hazmat::{HasherExt, Mode, left_subtree_len, merge_subtrees_non_root, merge_subtrees_root};
use ionet_types::agent::challenge::{BLOCK_BYTES, Blob, Digest, Fixed, GROUP_BLOCKS, MAX_PART_BYTES, MAX_PATH, Opened};

use crate::binding::Key;

/// Bytes that are hashed together.
pub const GROUP_BYTES: usize = BLOCK_BYTES * GROUP_BLOCKS as usize;

/// A node of the tree.
pub type Node = [u8; 32];

/// The shape of a tree: nothing but its length.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Bytes of the buffer, at least one.
    pub bytes: u64,
    /// Bytes of a part that is opened: a power of two from one chunk to one group. The last part may be shorter.
    pub part_bytes: u64,
}

impl Shape {
    /// Groups of [`GROUP_BYTES`] that it has; the last may be shorter.
    pub fn groups(self) -> u64 {
        self.bytes.div_ceil(GROUP_BYTES as u64)
    }

    /// Where part `part` begins and how long it is.
    pub fn part(self, part: u64) -> (u64, u64) {
        let start = part * self.part_bytes;
        (start, self.part_bytes.min(self.bytes - start))
    }
}

/// Node over the group with number `group`, whose bytes these are; for a buffer of one group it is the root.
pub fn group_node(key: &Key, shape: Shape, group: u64, bytes: &[u8]) -> Node {
    node(key, group * GROUP_BYTES as u64, bytes, shape.groups() == 1)
}

fn node(key: &Key, start: u64, bytes: &[u8], is_root: bool) -> Node {
    let mut hasher = Hasher::new_keyed(key);
    if is_root {
        return *hasher.update(bytes).finalize().as_bytes();
    }
    hasher.set_input_offset(start).update(bytes).finalize_non_root()
}

/// Node over two nodes that is not the root.
pub fn merged(key: &Key, left: &Node, right: &Node) -> Node {
    merge(key, left, right, false)
}

fn merge(key: &Key, left: &Node, right: &Node, is_root: bool) -> Node {
    let mode = Mode::KeyedHash(key);
    if is_root { *merge_subtrees_root(left, right, mode).as_bytes() } else { merge_subtrees_non_root(left, right, mode) }
}

/// The kept part of a tree: from one of its levels upwards. What is below lies elsewhere, on a card for instance.
pub struct Tree {
    key: Key,
    shape: Shape,
    /// Level of the lowest nodes that are kept; that of the groups is zero.
    lowest: u32,
    /// From there upwards to the root. An odd last node goes up as it is, which gives BLAKE3's own shape.
    levels: Vec<Vec<Node>>,
}

impl Tree {
    /// The tree over groups whose nodes are `groups`, at least one.
    pub fn new(key: Key, shape: Shape, groups: Vec<Node>) -> Self {
        Self::above(key, shape, 0, groups)
    }

    /// The part of a tree from level `lowest` upwards, whose nodes in it are `nodes`: at least two, or else the root alone.
    pub fn above(key: Key, shape: Shape, lowest: u32, nodes: Vec<Node>) -> Self {
        debug_assert_eq!(nodes.len() as u64, shape.groups().div_ceil(1 << lowest));
        let mut levels = vec![nodes];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let is_root = below.len() == 2;
            let pair = |pair: &[Node]| match pair {
                [left, right] => merge(&key, left, right, is_root),
                [alone, ..] => *alone,
                [] => [0; 32],
            };
            let above = below.chunks(2).map(pair).collect();
            levels.push(above);
        }
        Self { key, shape, lowest, levels }
    }

    /// The commitment.
    pub fn root(&self) -> Digest {
        Fixed(self.levels.last().and_then(|top| top.first()).copied().unwrap_or_default())
    }

    /// Opens part `part`; `group` are the bytes of the group that it lies in. All levels are kept.
    pub(crate) fn open(&self, part: u64, group: &[u8]) -> Opened {
        let opened: Result<Opened, Infallible> = self.open_with(part, group, |_, _| Ok([0; 32]));
        let Ok(opened) = opened;
        opened
    }

    /// Opens part `part`; `group` are the bytes of the group that it lies in, and `below` gives the node of a level that is not kept, by level
    /// and place.
    pub fn open_with<E>(&self, part: u64, group: &[u8], below: impl Fn(u32, u64) -> Result<Node, E>) -> Result<Opened, E> {
        let (start, length) = self.shape.part(part);
        let group_start = start / GROUP_BYTES as u64 * GROUP_BYTES as u64;
        let mut path = Vec::new();
        self.path(0, self.shape.bytes, start, &Group { start: group_start, bytes: group }, &below, &mut path)?;
        let within = (start - group_start) as usize;
        let bytes = group.get(within..within + length as usize).unwrap_or_default();
        let path: Vec<u8> = path.as_flattened().to_vec();
        Ok(Opened {
            bytes: Blob::<MAX_PART_BYTES>::new(bytes.to_vec()).unwrap_or_default(),
            path: Blob::<{ MAX_PATH * 32 }>::new(path).unwrap_or_default(),
        })
    }

    /// Walks from the node over `start..start + length` down to the part at `part`, and notes what lies beside the way on the way back.
    fn path<E>(
        &self,
        start: u64,
        length: u64,
        part: u64,
        group: &Group<'_>,
        below: &impl Fn(u32, u64) -> Result<Node, E>,
        path: &mut Vec<Node>,
    ) -> Result<(), E> {
        if length <= self.shape.part_bytes {
            return Ok(());
        }
        let left = left_subtree_len(length);
        let (down, beside) = if part < start + left {
            ((start, left), (start + left, length - left))
        } else {
            ((start + left, length - left), (start, left))
        };
        self.path(down.0, down.1, part, group, below, path)?;
        path.push(self.beside(beside.0, beside.1, group, below)?);
        Ok(())
    }

    fn beside<E>(&self, start: u64, length: u64, group: &Group<'_>, below: &impl Fn(u32, u64) -> Result<Node, E>) -> Result<Node, E> {
        if length < GROUP_BYTES as u64 && start >= group.start && start + length <= group.start + group.bytes.len() as u64 {
            let within = (start - group.start) as usize;
            let bytes = group.bytes.get(within..within + length as usize).unwrap_or_default();
            return Ok(node(&self.key, start, bytes, false));
        }
        let groups = length.div_ceil(GROUP_BYTES as u64);
        let level = groups.next_power_of_two().trailing_zeros();
        let place = (start / GROUP_BYTES as u64) >> level;
        match level.checked_sub(self.lowest) {
            None => below(level, place),
            Some(kept) => Ok(self.levels.get(kept as usize).and_then(|nodes| nodes.get(place as usize)).copied().unwrap_or_default()),
        }
    }
}

/// The bytes of one group.
struct Group<'a> {
    start: u64,
    bytes: &'a [u8],
}

/// Whether `opened` is part `part` of the buffer that `root` commits to.
pub(crate) fn is_part(key: &Key, shape: Shape, root: &Digest, part: u64, opened: &Opened) -> bool {
    let (start, length) = shape.part(part);
    let (path, rest) = opened.path.as_ref().as_chunks::<32>();
    if opened.bytes.as_ref().len() as u64 != length || !rest.is_empty() {
        return false;
    }
    let mut path = path.iter();
    let found = climb(key, shape, start, opened.bytes.as_ref(), 0, shape.bytes, &mut path);
    // A path that is too long proves the same, but two proofs of one thing are one too many.
    found == Some(root.0) && path.next().is_none()
}

fn climb<'a>(
    key: &Key,
    shape: Shape,
    part: u64,
    bytes: &[u8],
    start: u64,
    length: u64,
    path: &mut impl Iterator<Item = &'a Node>,
) -> Option<Node> {
    let is_root = length == shape.bytes;
    if length <= shape.part_bytes {
        return Some(node(key, start, bytes, is_root));
    }
    let left = left_subtree_len(length);
    if part < start + left {
        let below = climb(key, shape, part, bytes, start, left, path)?;
        Some(merge(key, &below, path.next()?, is_root))
    } else {
        let below = climb(key, shape, part, bytes, start + left, length - left, path)?;
        Some(merge(key, path.next()?, &below, is_root))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree(key: &Key, buffer: &[u8], part_bytes: u64) -> Tree {
        let shape = Shape { bytes: buffer.len() as u64, part_bytes };
        let nodes = buffer.chunks(GROUP_BYTES).enumerate().map(|(group, bytes)| group_node(key, shape, group as u64, bytes)).collect();
        Tree::new(*key, shape, nodes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn every_part_of_every_length_is_found_and_no_other(length in 1usize..200_000, chunks in 0u32..5, flip in any::<(usize, u8)>()) {
            let key = [9; 32];
            let buffer: Vec<u8> = (0..length).map(|place| (place * 31 + place / 977) as u8).collect();
            let part_bytes = 1024u64 << chunks;
            let tree = tree(&key, &buffer, part_bytes);
            let root = tree.root();
            prop_assert_eq!(root.0, *blake3::keyed_hash(&key, &buffer).as_bytes(), "the root is the plain hash");
            let parts = (length as u64).div_ceil(part_bytes);
            for part in 0..parts {
                let (start, long) = tree.shape.part(part);
                let group = start as usize / GROUP_BYTES * GROUP_BYTES;
                let opened = tree.open(part, &buffer[group..(group + GROUP_BYTES).min(length)]);
                prop_assert_eq!(opened.bytes.as_ref(), &buffer[start as usize..(start + long) as usize]);
                prop_assert!(is_part(&key, tree.shape, &root, part, &opened));
                prop_assert!(!is_part(&[8; 32], tree.shape, &root, part, &opened), "another task's key");
                for other in (0..parts).filter(|other| *other != part) {
                    prop_assert!(!is_part(&key, tree.shape, &root, other, &opened), "a part has one place");
                }
                let forged = |bytes: &[u8], path: &[u8]| {
                    let opened = Opened { bytes: Blob::new(bytes.to_vec()).unwrap(), path: Blob::new(path.to_vec()).unwrap() };
                    is_part(&key, tree.shape, &root, part, &opened)
                };
                let (bytes, path) = (opened.bytes.as_ref(), opened.path.as_ref());
                let flipped = |bytes: &[u8]| {
                    let mut bytes = bytes.to_vec();
                    let length = bytes.len().max(1);
                    bytes.get_mut(flip.0 % length).into_iter().for_each(|byte| *byte ^= flip.1 | 1);
                    bytes
                };
                prop_assert!(!forged(&flipped(bytes), path));
                prop_assert!(path.is_empty() || !forged(bytes, &flipped(path)));
                prop_assert!(!forged(bytes, &[path, &[0; 32]].concat()), "no longer path");
                prop_assert!(!forged(bytes, &[path, &[0]].concat()), "no half a hash");
                prop_assert!(path.is_empty() || !forged(bytes, &path[32..]), "no shorter path");
                prop_assert!(!forged(&bytes[1..], path) && !forged(&[], path));
            }
        }
    }
}
