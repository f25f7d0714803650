//! Numbers that follow from a key: what is to be opened, and weights.

use std::collections::HashSet;

use blake3::{Hasher, OutputReader};

use crate::binding::Key;

/// An endless stream of bytes that follows from `key`, readable from any place.
pub(crate) fn stream(key: &Key) -> OutputReader {
    Hasher::new_keyed(key).finalize_xof()
}

/// Takes the next 64 bits.
pub(crate) fn next_u64(stream: &mut OutputReader) -> u64 {
    let mut bytes = [0; 8];
    stream.fill(&mut bytes);
    u64::from_le_bytes(bytes)
}

/// A number below `bound`; the bias of the multiplication is below `bound / 2^64`.
pub(crate) fn below(random: u64, bound: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 64) as u64
}

/// `count` different numbers below `bound`, or all of them if there are no more, in random order.
pub(crate) fn distinct(key: &Key, count: u64, bound: u64) -> Vec<u64> {
    let mut stream = stream(key);
    let count = count.min(bound) as usize;
    let mut drawn = HashSet::with_capacity(count);
    let mut order = Vec::with_capacity(count);
    while order.len() < count {
        let number = below(next_u64(&mut stream), bound);
        if drawn.insert(number) {
            order.push(number);
        }
    }
    order
}

/// Fills `words` from the key's stream.
pub(crate) fn fill_words(key: &Key, words: &mut [u32]) {
    let bytes: &mut [u8] = bytemuck::cast_slice_mut(words);
    stream(key).fill(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn drawn_numbers_are_different_and_below_the_bound(key in any::<[u8; 32]>(), count in 0u64..65, bound in 1u64..200) {
            let drawn = distinct(&key, count, bound);
            prop_assert_eq!(drawn.len() as u64, count.min(bound));
            prop_assert!(drawn.iter().all(|number| *number < bound));
            prop_assert_eq!(drawn.iter().collect::<HashSet<_>>().len(), drawn.len());
            prop_assert_eq!(&drawn, &distinct(&key, count, bound));
        }
    }

    #[test]
    fn every_number_is_drawn_about_as_often() {
        let mut counts = [0u32; 10];
        for seed in 0..2_000u32 {
            let mut key = [0; 32];
            key[..4].copy_from_slice(&seed.to_le_bytes());
            for number in distinct(&key, 2, 10) {
                counts[number as usize] += 1;
            }
        }
        // 400 each with a deviation of 18.
        assert!(counts.iter().all(|count| (300..500).contains(count)), "{counts:?}");
    }
}
