use ionet_types::agent::challenge::{Fixed, Job, Task};
use proptest::prelude::*;

use super::*;

fn order(nonce: [u8; 32], job: MemoryJob) -> MemoryOrder {
    let task = Task { id: Fixed([1; 16]), epoch: 1, nonce: Fixed(nonce), job: Job::Memory(job) };
    MemoryOrder::new(&Seed::new("network", &[3; 32], &task), job)
}

const JOB: MemoryJob = MemoryJob { lanes: 2, lane_blocks: 64, rounds: 4, passes: 2, openings: 8 };

fn make(order: &MemoryOrder, lane: u32, place: u32, previous: &Block, referred: &Block) -> Block {
    let mut made = [0; BLOCK_WORDS];
    order.make(lane, place, previous, referred, &mut made);
    made
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_reference_is_earlier_and_not_the_one_before(nonce: [u8; 32], lane in 0u32..1_000, place in 1u32..1_000_000) {
        let referred = order(nonce, JOB).reference(lane, place);
        prop_assert!(referred < place.saturating_sub(1).max(1));
    }

    /// Even at the fewest rounds every bit that goes in changes about half of what comes out, all over the block.
    #[test]
    fn every_bit_of_the_parents_counts_everywhere(nonce: [u8; 32], word in 0..BLOCK_WORDS, bit in 0u32..32, of_previous: bool) {
        let order = order(nonce, JOB);
        let (previous, referred) = (order.first(0), order.first(1));
        let made = make(&order, 0, 5, &previous, &referred);
        let (mut other_previous, mut other_referred) = (previous, referred);
        if of_previous { other_previous[word] ^= 1 << bit } else { other_referred[word] ^= 1 << bit }
        let other = make(&order, 0, 5, &other_previous, &other_referred);
        let differ: u32 = made.iter().zip(&other).map(|(one, two)| (one ^ two).count_ones()).sum();
        // 8192 bits: half of them with a deviation of 45; a bit may take the fewest rounds to spread.
        prop_assert!((3_000..5_200).contains(&differ), "{differ}");
        let rows = made.chunks(16).zip(other.chunks(16)).filter(|(one, two)| one != two).count();
        prop_assert_eq!(rows, 16);
        prop_assert_ne!(make(&order, 0, 6, &previous, &referred), made, "the place counts");
        prop_assert_ne!(make(&order, 1, 5, &previous, &referred), made, "the lane counts");
    }

    #[test]
    fn a_sum_is_the_weighted_sum_and_every_bit_counts(nonce: [u8; 32], ask: [u8; 32], word in 0..BLOCK_WORDS, bit in 0u32..32) {
        let order = order(nonce, JOB);
        let pass = order.pass(&Fixed(ask), 0, None);
        prop_assert!(pass.weights.iter().all(|weight| weight % 2 == 1));
        let mut block = order.first(0);
        let plain = block.iter().zip(&pass.weights).fold(0u32, |sum, (word, weight)| sum.wrapping_add(word.wrapping_mul(*weight)));
        prop_assert_eq!(pass.sum(&block), plain);
        block[word] ^= 1 << bit;
        prop_assert_ne!(pass.sum(&block), plain);
    }

    #[test]
    fn weights_follow_from_everything_that_came_before(nonce: [u8; 32], ask: [u8; 32], before: [u8; 32]) {
        let order = order(nonce, JOB);
        let weights = |ask: [u8; 32], number, before: Option<[u8; 32]>| order.pass(&Fixed(ask), number, before.map(Fixed).as_ref()).weights;
        let one = weights(ask, 1, Some(before));
        let mut other = before;
        other[0] ^= 1;
        prop_assert_ne!(one, weights(ask, 1, Some(other)));
        prop_assert_ne!(one, weights(ask, 2, Some(before)));
        prop_assert_ne!(one, weights(other, 1, Some(before)));
        prop_assert_eq!(one, weights(ask, 1, Some(before)));
    }
}

#[test]
fn references_are_spread_over_the_lane() {
    let order = order([1; 32], JOB);
    let mut quarters = [0; 4];
    for place in 10_000..14_000 {
        quarters[(order.reference(1, place) * 4 / place) as usize] += 1;
    }
    // 1000 each with a deviation of 27.
    assert!(quarters.iter().all(|count| (850..1_150).contains(count)), "{quarters:?}");
}

#[test]
fn lanes_and_tasks_begin_differently() {
    let (one, two) = (order([1; 32], JOB), order([2; 32], JOB));
    assert_ne!(one.first(0), one.first(1));
    assert_ne!(one.first(0), two.first(0));
    assert_ne!(
        (1..50).map(|place| one.reference(0, place)).collect::<Vec<_>>(),
        (1..50).map(|place| two.reference(0, place)).collect::<Vec<_>>()
    );
}

#[test]
fn turning_rows_brings_every_column_to_every_other() {
    let mut state: State = [[0; COLUMNS]; 16];
    (0..).zip(state.as_flattened_mut()).for_each(|(number, word)| *word = number);
    turn_rows(&mut state);
    for column in 0..COLUMNS {
        let mut came_from: Vec<u32> = state.iter().map(|row| row[column] % 16).collect();
        came_from.sort_unstable();
        assert_eq!(came_from, (0..16).collect::<Vec<u32>>());
    }
    let mut all: Vec<u32> = state.as_flattened().to_vec();
    all.sort_unstable();
    assert_eq!(all, (0..256).collect::<Vec<u32>>(), "nothing is lost");
}
