//! The tree of lifetime totals: built here, checked by the program on every claim. How leaves and nodes are hashed is stated in
//! [`ionet_abi::merkle`].

use ionet_abi::merkle::{self, Hash, MAX_DEPTH};
use sha2::{Digest, Sha256};

use crate::parallel;
use crate::records::Total;

/// Root of no leaves.
const EMPTY: Hash = [0; 32];

/// A tree with all its levels, the leaves first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

/// Hash of a beneficiary's leaf.
pub fn leaf_hash(total: &Total) -> Hash {
    Sha256::digest(merkle::leaf(&total.beneficiary, total.io.0, total.usdc.0)).into()
}

fn node_hash(one: &Hash, other: &Hash) -> Hash {
    Sha256::digest(merkle::node(one, other)).into()
}

fn leaves(totals: &[Total]) -> Vec<Hash> {
    let part = parallel::part_len(totals.len());
    parallel::all(totals.chunks(part).map(|part| move || part.iter().map(leaf_hash).collect::<Vec<_>>())).concat()
}

fn level_above(below: &[Hash]) -> Vec<Hash> {
    // Parts of even length, so that no pair is torn apart.
    let part = parallel::part_len(below.len()).next_multiple_of(2);
    let hash = |pair: &[Hash]| match pair {
        [one, other] => node_hash(one, other),
        _ => pair[0],
    };
    parallel::all(below.chunks(part).map(|part| move || part.chunks(2).map(hash).collect::<Vec<_>>())).concat()
}

impl Tree {
    /// The tree over these totals, in their order.
    pub fn build(totals: &[Total]) -> Self {
        let mut levels = vec![leaves(totals)];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let above = level_above(below);
            levels.push(above);
        }
        Self { levels }
    }

    /// Its root; zero without leaves.
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|top| top.first()).copied().unwrap_or(EMPTY)
    }

    /// Proof of the leaf in this place: its neighbours on the way up. `None` when there is no such leaf.
    pub fn proof(&self, mut place: usize) -> Option<Vec<Hash>> {
        let below_top = self.levels.len().saturating_sub(1);
        self.levels.first()?.get(place)?;
        let mut proof = Vec::with_capacity(below_top);
        for level in &self.levels[..below_top] {
            proof.extend(level.get(place ^ 1));
            place /= 2;
        }
        Some(proof)
    }
}

/// Whether a proof leads from this leaf's hash to this root.
pub fn verify(root: &Hash, leaf: &Hash, proof: &[Hash]) -> bool {
    proof.len() <= MAX_DEPTH && proof.iter().fold(*leaf, |hash, neighbour| node_hash(&hash, neighbour)) == *root
}
