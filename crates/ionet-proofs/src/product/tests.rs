use ionet_types::agent::challenge::{Blob, Fixed, Job, Task};
use proptest::prelude::*;

use super::*;

fn order(nonce: [u8; 32], side: u32) -> (Seed, ProductOrder) {
    let job = ProductJob { side, rows: side, openings: 8 };
    let task = Task { id: Fixed([1; 16]), epoch: 1, nonce: Fixed(nonce), job: Job::Product(job) };
    let seed = Seed::new("network", &[3; 32], &task);
    (seed, ProductOrder::new(&seed, job))
}

/// A row of the product, without the engine.
fn row(order: &ProductOrder, row: u64) -> Vec<i32> {
    let side = order.job.side as usize;
    let (mut a, mut b) = (vec![0.0; side], vec![0.0; side * side]);
    order.a().read_rows(row, &mut a);
    order.b().read_rows(0, &mut b);
    (0..side).map(|column| (0..side).map(|place| a[place] as i32 * b[place * side + column] as i32).sum()).collect()
}

fn opened(values: &[i32]) -> Opened {
    let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    Opened { bytes: Blob::new(bytes).unwrap(), path: Blob::default() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// A wrong row passes with a probability of 2^-31: never here.
    #[test]
    fn right_rows_pass_and_wrong_ones_do_not(
        (nonce, check) in any::<([u8; 32], [u8; 32])>(),
        number in 0u64..256,
        wrong in prop::collection::btree_map(0usize..256, (1i32..100).prop_flat_map(|by| prop_oneof![Just(by), Just(-by)]), 1..8),
        other in 0u64..256,
    ) {
        let (seed, order) = order(nonce, 256);
        let mut check = RowCheck::new(&seed, &order, &Fixed(check));
        let values = row(&order, number);
        prop_assert!(check.is_row(number, &opened(&values)));
        let mut changed = values.clone();
        for (place, by) in &wrong {
            changed[*place] += by;
        }
        prop_assert!(!check.is_row(number, &opened(&changed)));
        prop_assert!(other == number || !check.is_row(other, &opened(&values)), "another row of the same product");
        let mut swapped = values.clone();
        swapped.swap(0, 1);
        prop_assert!(values[0] == values[1] || !check.is_row(number, &opened(&swapped)));
        // The same number of the field, but not the same number.
        for by in [PRIME as i32, -(PRIME as i32)] {
            let mut hidden = values.clone();
            hidden[0] = hidden[0].wrapping_add(by);
            prop_assert!(!check.is_row(number, &opened(&hidden)));
        }
        prop_assert!(!check.is_row(number, &opened(&values[1..])));
        prop_assert!(!check.is_row(number, &opened(&[])));
        for extreme in [i32::MIN, i32::MAX] {
            prop_assert!(!check.is_row(number, &opened(&[extreme; 256])), "no overflow");
        }
    }

    /// The check is as good as its field: over all vectors, a wrong row passes about once in `p` times. A small field shows it.
    #[test]
    fn the_inner_product_is_that_of_the_field(nonce: [u8; 32], number in 0u64..256, vector in prop::collection::vec(0u32..PRIME as u32, 256)) {
        let (_, order) = order(nonce, 256);
        let mut entries = vec![0.0; 256];
        order.a().read_rows(number, &mut entries);
        let exact: i128 = entries.iter().zip(&vector).map(|(entry, value)| i128::from(*entry as i64) * i128::from(*value)).sum();
        prop_assert_eq!(i128::from(order.a().dot(number, &vector)), exact.rem_euclid(i128::from(PRIME)));
    }
}

#[test]
fn the_largest_values_do_not_overflow() {
    let (_, order) = order([1; 32], 4_096);
    let vector = vec![(PRIME - 1) as u32; 4_096];
    let mut entries = vec![0.0; 4_096];
    order.b().read_rows(5, &mut entries);
    let exact: i128 = entries.iter().map(|entry| i128::from(*entry as i64) * i128::from(PRIME - 1)).sum();
    assert_eq!(i128::from(order.b().dot(5, &vector)), exact.rem_euclid(i128::from(PRIME)));
}

#[test]
fn entries_are_all_of_their_range_and_rows_differ() {
    let (_, order) = order([1; 32], 512);
    let mut rows = vec![0.0; 512 * 64];
    order.a().read_rows(0, &mut rows);
    for value in -8..=7 {
        let count = rows.iter().filter(|entry| **entry as i32 == value).count();
        // 2048 each with a deviation of 44.
        assert!((1_800..2_300).contains(&count), "{value}: {count}");
    }
    let mut later = vec![0.0; 512];
    order.a().read_rows(63, &mut later);
    assert_eq!(later, rows[63 * 512..], "a row is the same wherever reading begins");
    order.b().read_rows(63, &mut later);
    assert_ne!(later, rows[63 * 512..], "the factors differ");
}
