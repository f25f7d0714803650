//! The tree: every leaf has a proof, no other leaf does, and the shape is the one that the program checks.

use ionet_abi::merkle::{MAX_DEPTH, leaf, node};
use ionet_epochs::{Total, Totals, Tree, leaf_hash, verify};
use ionet_rules::money::{Io, Usdc};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use crate::world::address;

fn totals(amounts: &[(u64, u64)]) -> Vec<Total> {
    let mut totals: Vec<Total> = (0u32..)
        .zip(amounts)
        .map(|(number, (io, usdc))| Total { beneficiary: address(number, 2), io: Io(*io), usdc: Usdc(*usdc) })
        .collect();
    totals.sort_by_key(|total| total.beneficiary);
    totals
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_leaf_has_a_proof_and_no_other_does(amounts in prop::collection::vec((1u64..u64::MAX, any::<u64>()), 1..70), more in 1u64..1_000_000) {
        let totals = totals(&amounts);
        let tree = Tree::build(&totals);
        for (place, total) in totals.iter().enumerate() {
            let proof = tree.proof(place).unwrap();
            prop_assert!(proof.len() <= 7);
            prop_assert!(verify(&tree.root(), &leaf_hash(total), &proof));
            let richer = Total { io: Io(total.io.0.wrapping_add(more)), ..*total };
            let dollars = Total { usdc: Usdc(total.usdc.0.wrapping_add(more)), ..*total };
            let stranger = Total { beneficiary: address(more as u32 | 0x400, 9), ..*total };
            for forged in [richer, dollars, stranger] {
                prop_assert!(!verify(&tree.root(), &leaf_hash(&forged), &proof));
            }
            // A proof cut short, made longer, or of another leaf.
            let next = (place + 1) % totals.len();
            prop_assert!(next == place || !verify(&tree.root(), &leaf_hash(&totals[next]), &proof) || proof == tree.proof(next).unwrap());
            prop_assert!(proof.is_empty() || !verify(&tree.root(), &leaf_hash(total), &proof[1..]));
            let longer: Vec<_> = proof.iter().copied().chain([[0; 32]]).collect();
            prop_assert!(!verify(&tree.root(), &leaf_hash(total), &longer));
        }
        prop_assert_eq!(tree.proof(totals.len()), None);
    }
}

#[test]
fn small_trees_by_hand() {
    assert_eq!((Tree::build(&[]).root(), Totals::none().root()), ([0; 32], [0; 32]));
    assert_eq!(Tree::build(&[]).proof(0), None);
    let totals = totals(&[(1, 2), (3, 4), (5, 6)]);
    let [one, two, odd] = [0, 1, 2].map(|place| sha256(&leaf(&totals[place].beneficiary, totals[place].io.0, totals[place].usdc.0)));
    assert_eq!(Tree::build(&totals[..1]).root(), one);
    let pair = sha256(&node(&one, &two));
    assert_eq!(Tree::build(&totals[..2]).root(), pair);
    // The third has no neighbour and moves up unchanged.
    let tree = Tree::build(&totals);
    assert_eq!(tree.root(), sha256(&node(&pair, &odd)));
    assert_eq!(tree.proof(2), Some(vec![pair]));
    assert_eq!(tree.proof(0), Some(vec![two, odd]));
    // A node can never be passed off as a leaf.
    assert!(!verify(&tree.root(), &sha256(&[pair, odd].concat()), &[]));
}

#[test]
fn a_proof_longer_than_any_tree_is_refused() {
    let mut hash = [7; 32];
    let leaf = hash;
    let proof = vec![[1; 32]; MAX_DEPTH + 1];
    for neighbour in &proof {
        hash = sha256(&node(&hash, neighbour));
    }
    assert!(!verify(&hash, &leaf, &proof), "more levels than the program takes");
}

#[test]
fn a_large_tree_does_not_depend_on_the_number_of_cores() {
    // Long enough to be built on several threads; folded here by hand on one.
    let totals = totals(&(0..20_011).map(|number| (number + 1, number)).collect::<Vec<_>>());
    let mut level: Vec<[u8; 32]> = totals.iter().map(leaf_hash).collect();
    while level.len() > 1 {
        level = level.chunks(2).map(|pair| if let [one, other] = pair { sha256(&node(one, other)) } else { pair[0] }).collect();
    }
    let tree = Tree::build(&totals);
    assert_eq!(tree.root(), level[0]);
    for place in [0, 1, 9_999, 20_009, 20_010] {
        assert!(verify(&tree.root(), &leaf_hash(&totals[place]), &tree.proof(place).unwrap()));
    }
    assert_eq!(Totals::new(totals, Io(0)).unwrap().root(), tree.root());
}
