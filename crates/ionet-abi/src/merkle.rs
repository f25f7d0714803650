//! The tree of lifetime totals: how a leaf and a node are hashed, so that the program, the hub and anyone who checks them cannot differ.
//!
//! Leaves stand in the order of their beneficiaries. A node is the hash of its two children, the smaller first, so a proof needs no
//! positions; a child without a neighbour moves up unchanged. The root of no leaves is zero. Leaves and nodes are told apart by their first
//! byte, so a node can never be passed off as a leaf.

use bytemuck::{Pod, Zeroable};

use crate::AddressBytes;

/// First byte of a leaf's preimage.
pub const LEAF: u8 = 0;
/// First byte of a node's preimage.
pub const NODE: u8 = 1;
/// Longest proof: levels of a tree of four thousand million beneficiaries.
pub const MAX_DEPTH: usize = 32;
/// A hash: SHA-256.
pub type Hash = [u8; 32];

/// Length of a leaf's preimage, bytes.
pub const LEAF_BYTES: usize = 1 + 32 + 8 + 8;
/// Length of a node's preimage, bytes.
pub const NODE_BYTES: usize = 1 + 32 + 32;

/// A leaf's preimage, as its bytes lie.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C, packed)]
struct Leaf {
    prefix: u8,
    beneficiary: AddressBytes,
    io: u64,
    usdc: u64,
}

/// What is hashed for a beneficiary: its claim account's address, its lifetime IO and its lifetime USDC, base units.
#[inline]
pub fn leaf(beneficiary: &AddressBytes, io: u64, usdc: u64) -> [u8; LEAF_BYTES] {
    bytemuck::cast(Leaf { prefix: LEAF, beneficiary: *beneficiary, io: io.to_le(), usdc: usdc.to_le() })
}

/// Whether `one` is hashed before `other`: the smaller one is. Compared word by word, for nearly always the first decides.
#[inline]
pub fn is_first(one: &Hash, other: &Hash) -> bool {
    let (ones, _) = one.as_chunks::<8>();
    let (others, _) = other.as_chunks::<8>();
    for (a, b) in ones.iter().zip(others) {
        let (a, b) = (u64::from_be_bytes(*a), u64::from_be_bytes(*b));
        if a != b {
            return a < b;
        }
    }
    true
}

/// What is hashed for a node.
pub fn node(one: &Hash, other: &Hash) -> [u8; NODE_BYTES] {
    let (first, second) = if is_first(one, other) { (one, other) } else { (other, one) };
    let mut bytes = [NODE; NODE_BYTES];
    bytes[1..33].copy_from_slice(first);
    bytes[33..].copy_from_slice(second);
    bytes
}
