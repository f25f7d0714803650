//! The matrix product: what its factors are, which rows are opened, and how an opened row is checked.
//!
//! `C = A B`, `A` tall (`rows x side`), `B` square. Entries are whole numbers in `-8..=7`, four bits each of a stream that follows from the
//! task's seed, so every sum is at most `64 * 4096 = 2^18` in size: exact in 32-bit floating point and in half precision with 32-bit sums,
//! whatever the order of summation. Any library and any card gives the same integers.
//!
//! The check is Freivalds': for a random vector `r` over the field of `p = 2^31 - 1`, `c . r = a . (B r)` holds for a right row, and for a
//! wrong one with probability `1/p`. `B r` is computed once, `a` only for opened rows: `side^2 + openings * side` steps against the prover's
//! `2 * rows * side^2`. `r` follows from the nonce of the opening, which is drawn after the commitment.

#![expect(clippy::inline_always, reason = "only what is inlined into a dispatch is compiled for the vector unit that was found")]

use blake3::OutputReader;
use ionet_types::agent::challenge::{Digest, Nonce, Opened, ProductJob};
use pulp::{Arch, NullaryFnOnce};

use crate::binding::{Key, Seed};
use crate::random::{distinct, fill_words, stream};
use crate::tree::{Shape, is_part};

/// The field of the check.
const PRIME: u64 = (1 << 31) - 1;
/// Largest size of an entry.
const ENTRY: i64 = 8;

/// A product that is to be computed: all that an engine needs.
#[derive(Clone, Copy, Debug)]
pub struct ProductOrder {
    /// Its size.
    pub job: ProductJob,
    a: Key,
    b: Key,
    pub(crate) tree: Key,
}

/// One of the factors: its rows in any order, without keeping them.
pub struct Factor {
    stream: OutputReader,
    packed: Vec<u8>,
}

impl ProductOrder {
    /// The product of one task.
    pub fn new(seed: &Seed, job: ProductJob) -> Self {
        Self { job, a: seed.key("product a"), b: seed.key("product b"), tree: seed.key("product tree") }
    }

    /// What the tall factor follows from.
    pub fn a_key(&self) -> &Key {
        &self.a
    }

    /// What the square factor follows from.
    pub fn b_key(&self) -> &Key {
        &self.b
    }

    /// The key of the commitment.
    pub fn tree_key(&self) -> &Key {
        &self.tree
    }

    /// The tall factor.
    pub fn a(&self) -> Factor {
        Factor::new(&self.a, self.job.side)
    }

    /// The square factor.
    pub fn b(&self) -> Factor {
        Factor::new(&self.b, self.job.side)
    }

    /// Whether `opened` is row `row` of what `root` commits to.
    pub fn is_committed(&self, root: &Digest, row: u64, opened: &Opened) -> bool {
        is_part(&self.tree, self.shape(), root, row, opened)
    }

    /// Shape of the commitment: a part is a row.
    pub fn shape(&self) -> Shape {
        Shape { bytes: self.job.bytes(), part_bytes: u64::from(self.job.side) * 4 }
    }
}

impl Factor {
    fn new(key: &Key, side: u32) -> Self {
        Self { stream: stream(key), packed: vec![0; side as usize / 2] }
    }

    /// Four-bit entries of one row, plus eight: byte `i` has entry `i` in its low half and entry `i + side/2` in its high half.
    fn packed(&mut self, row: u64) -> &[u8] {
        self.stream.set_position(row * self.packed.len() as u64);
        self.stream.fill(&mut self.packed);
        &self.packed
    }

    /// Writes row after row, beginning with `row`, until `entries` is full; its length is a multiple of the side.
    pub fn read_rows(&mut self, row: u64, entries: &mut [f32]) {
        let (arch, side) = (Arch::new(), self.packed.len() * 2);
        for (row, entries) in (row..).zip(entries.chunks_exact_mut(side)) {
            arch.dispatch(Unpack { packed: self.packed(row), entries });
        }
    }

    /// Inner product of a row with a vector over the field, reduced.
    fn dot(&mut self, row: u64, vector: &[u32]) -> u64 {
        Arch::new().dispatch(Dot { packed: self.packed(row), vector })
    }
}

struct Unpack<'a> {
    packed: &'a [u8],
    entries: &'a mut [f32],
}

struct Dot<'a> {
    packed: &'a [u8],
    vector: &'a [u32],
}

impl NullaryFnOnce for Unpack<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let (low, high) = self.entries.split_at_mut(self.packed.len());
        for ((byte, low), high) in self.packed.iter().zip(low).zip(high) {
            *low = f32::from(byte & 15) - 8.0;
            *high = f32::from(byte >> 4) - 8.0;
        }
    }
}

impl NullaryFnOnce for Dot<'_> {
    type Output = u64;

    #[inline(always)]
    fn call(self) -> u64 {
        let (low, high) = self.vector.split_at(self.packed.len());
        // The entries were stored with eight added. At most 4096 terms below 2^35 in each sum.
        let (mut sum, mut eight) = (0u64, 0u64);
        for ((byte, low), high) in self.packed.iter().zip(low).zip(high) {
            let (low, high) = (u64::from(*low), u64::from(*high));
            sum = sum.wrapping_add(u64::from(byte & 15).wrapping_mul(low)).wrapping_add(u64::from(byte >> 4).wrapping_mul(high));
            eight = eight.wrapping_add(low).wrapping_add(high);
        }
        (sum % PRIME + PRIME - (eight << 3) % PRIME) % PRIME
    }
}

/// Which rows are to be opened after `nonce`.
pub fn opened_rows(seed: &Seed, job: &ProductJob, nonce: &Nonce) -> Vec<u64> {
    distinct(&seed.fresh("product openings", &nonce.0), job.openings.into(), job.rows.into())
}

/// The check of opened rows, with the part of its work that is done once.
pub struct RowCheck {
    a: Factor,
    vector: Vec<u32>,
    b_times_vector: Vec<u32>,
}

impl RowCheck {
    /// Multiplies the square factor with the random vector.
    pub fn new(seed: &Seed, order: &ProductOrder, nonce: &Nonce) -> Self {
        let side = order.job.side as usize;
        let mut vector = vec![0; side];
        fill_words(&seed.fresh("product check", &nonce.0), &mut vector);
        for value in &mut vector {
            *value = (u64::from(*value >> 1) % PRIME) as u32;
        }
        let mut b = order.b();
        let b_times_vector = (0..side as u64).map(|row| b.dot(row, &vector) as u32).collect();
        Self { a: order.a(), vector, b_times_vector }
    }

    /// Whether this is row `row` of the product.
    pub fn is_row(&mut self, row: u64, opened: &Opened) -> bool {
        let (values, rest) = opened.bytes.as_ref().as_chunks::<4>();
        if values.len() != self.vector.len() || !rest.is_empty() {
            return false;
        }
        // No right value is larger; and a value may not hide a multiple of the prime.
        let most = ENTRY * ENTRY * values.len().cast_signed() as i64;
        let mut sum = 0i64;
        for (value, weight) in values.iter().zip(&self.vector) {
            let value = i64::from(i32::from_le_bytes(*value));
            if value.abs() > most {
                return false;
            }
            // At most 2^18 * 2^31 each and 4096 of them: within 2^61.
            sum += value * i64::from(*weight);
        }
        sum.rem_euclid(PRIME.cast_signed()) as u64 == self.a.dot(row, &self.b_times_vector)
    }
}

#[cfg(test)]
mod tests;
