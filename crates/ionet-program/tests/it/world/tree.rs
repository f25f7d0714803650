//! A tree of lifetime totals, from the interface's own leaves and nodes.

use std::collections::BTreeMap;

use ionet_abi::merkle::{Hash, leaf, node};
use sha2::{Digest, Sha256};
use solana_address::Address;

/// Lifetime IO and USDC of every beneficiary.
pub(crate) type Totals = BTreeMap<Address, (u64, u64)>;

pub(crate) fn hash(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// All levels, the leaves first.
fn levels(totals: &Totals) -> Vec<Vec<Hash>> {
    let leaves = totals.iter().map(|(address, (io, usdc))| hash(&leaf(&address.to_bytes(), *io, *usdc))).collect();
    let mut levels: Vec<Vec<Hash>> = vec![leaves];
    while levels.last().unwrap().len() > 1 {
        let above = levels.last().unwrap().chunks(2).map(|pair| match pair {
            [one, other] => hash(&node(one, other)),
            alone => alone[0],
        });
        let above = above.collect();
        levels.push(above);
    }
    levels
}

/// The root; zero of an empty tree.
pub(crate) fn root(totals: &Totals) -> Hash {
    levels(totals).last().unwrap().first().copied().unwrap_or_default()
}

/// The proof of a beneficiary's leaf, which must be there.
pub(crate) fn proof(totals: &Totals, beneficiary: &Address) -> Vec<Hash> {
    let mut place = totals.keys().position(|address| address == beneficiary).expect("a leaf");
    let mut proof = Vec::new();
    for level in levels(totals) {
        proof.extend(level.get(place ^ 1));
        place /= 2;
    }
    proof
}

/// The root over a leaf with these neighbours above it.
pub(crate) fn climb(beneficiary: &Address, lifetime: (u64, u64), proof: &[Hash]) -> Hash {
    let leaf = hash(&leaf(&beneficiary.to_bytes(), lifetime.0, lifetime.1));
    proof.iter().fold(leaf, |below, neighbour| hash(&node(&below, neighbour)))
}
