//! The product in 32-bit floating point, strip by strip: each thread reads a strip of the tall factor, multiplies it, turns the sums into
//! integers where they stand and hashes them while they are in the cache.

use std::num::NonZeroUsize;

use ionet_types::agent::challenge::{Digest, Opened};
use pulp::{Arch, NullaryFnOnce};

use super::buffer::Buffer;
use super::spread;
use crate::engine::{EngineError, ProductWork, Stop};
use crate::product::ProductOrder;
use crate::tree::{GROUP_BYTES, Node, Tree, group_node};

/// Most rows of the tall factor that are multiplied at once: enough that packing the square factor anew for each strip costs little, few
/// enough that a thread's strip stays within 16 MiB.
const STRIP_ROWS: u64 = 1_024;

/// The product and the tree over it.
pub(super) struct Kept {
    values: Buffer<i32>,
    tree: Tree,
    order: ProductOrder,
}

impl Kept {
    pub(super) fn compute(order: &ProductOrder, threads: NonZeroUsize, stop: &Stop) -> Result<Self, EngineError> {
        let (side, rows) = (order.job.side as usize, order.job.rows as usize);
        let shape = order.shape();
        let mut square = Buffer::<f32>::new(side * side)?;
        order.b().read_rows(0, &mut square);
        let mut values = Buffer::<i32>::new(rows * side)?;
        let strip_rows = strip_rows(order.job.side) as usize;
        let strip = strip_rows * side;
        let groups_of_strip = strip * 4 / GROUP_BYTES;
        let mut groups: Vec<Node> = vec![[0; 32]; rows / strip_rows * groups_of_strip];
        let strips = values.chunks_exact_mut(strip).zip(groups.chunks_exact_mut(groups_of_strip)).enumerate();
        spread(
            strips,
            threads,
            stop,
            || (order.a(), vec![0f32; strip]),
            |(a, tall), (number, (values, groups))| {
                a.read_rows((number * strip_rows) as u64, tall);
                multiply(tall, &square, bytemuck::cast_slice_mut(values), side);
                let each = GROUP_BYTES / 4;
                for (group, (node, values)) in groups.iter_mut().zip(values.chunks_mut(each)).enumerate() {
                    // Group by group, so that they are hashed while they are in the nearest cache.
                    Arch::new().dispatch(ToIntegers(values));
                    let number = (number * groups_of_strip + group) as u64;
                    *node = group_node(&order.tree, shape, number, bytemuck::cast_slice(values));
                }
            },
        )?;
        Ok(Self { tree: Tree::new(order.tree, shape, groups), values, order: *order })
    }
}

/// Rows of one strip. Both sides of the choice are powers of two and rows are a multiple of the side, so strips cover all of them.
pub(super) fn strip_rows(side: u32) -> u64 {
    STRIP_ROWS.min(u64::from(side))
}

impl ProductWork for Kept {
    fn root(&self) -> Digest {
        self.tree.root()
    }

    fn open(&self, rows: &[u64]) -> Result<Vec<Opened>, EngineError> {
        let bytes: &[u8] = bytemuck::cast_slice(&self.values);
        let row_bytes = self.order.job.side as usize * 4;
        let group = |row: u64| {
            let start = row as usize * row_bytes / GROUP_BYTES * GROUP_BYTES;
            bytes.get(start..start + GROUP_BYTES).unwrap_or_default()
        };
        Ok(rows.iter().map(|row| self.tree.open(*row, group(*row))).collect())
    }
}

/// Sums as integers in their own place.
struct ToIntegers<'a>(&'a mut [i32]);

impl NullaryFnOnce for ToIntegers<'_> {
    type Output = ();

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "only what is inlined into a dispatch is compiled for the vector unit that was found")]
    fn call(self) {
        for value in self.0 {
            *value = whole(f32::from_bits(value.cast_unsigned()));
        }
    }
}

/// A whole number of less than 22 bits as an integer: added to 1.5 * 2^23 it stands in the lowest bits of the mantissa, which vector units do in
/// two instructions; a conversion that must mind infinities is several times that.
#[inline]
fn whole(value: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits()).cast_signed()
}

/// `product = tall * square` on one thread, all of them row after row; `square` has `side` rows and columns.
///
/// # Panics
/// When the lengths do not fit together.
pub fn multiply(tall: &[f32], square: &[f32], product: &mut [f32], side: usize) {
    assert!(square.len() == side * side && tall.len() == product.len() && tall.len().is_multiple_of(side), "the factors do not fit");
    let rows = tall.len() / side;
    let (row, column) = (side.cast_signed(), 1);
    #[expect(unsafe_code, reason = "the library's only interface; the lengths were checked just above")]
    // SAFETY: all three are row-major with `side` columns; `tall` and `product` have `rows` rows and `square` has `side`, and `product` is
    // borrowed alone. With `read_dst` false the product is only written.
    unsafe {
        gemm::gemm(
            rows,
            side,
            side,
            product.as_mut_ptr(),
            column,
            row,
            false,
            tall.as_ptr(),
            column,
            row,
            square.as_ptr(),
            column,
            row,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::challenge::{Fixed, Job, ProductJob, Task};
    use proptest::prelude::*;

    use super::*;
    use crate::binding::Seed;

    fn naive(order: &ProductOrder) -> Vec<i64> {
        let side = order.job.side as usize;
        let mut a = vec![0.0; order.job.rows as usize * side];
        let mut b = vec![0.0; side * side];
        order.a().read_rows(0, &mut a);
        order.b().read_rows(0, &mut b);
        let whole = |value: &f32| *value as i64;
        let (a, b): (Vec<i64>, Vec<i64>) = (a.iter().map(whole).collect(), b.iter().map(whole).collect());
        assert!(a.iter().chain(&b).all(|entry| (-8..=7).contains(entry)));
        let mut product = vec![0; a.len()];
        for (a, product) in a.chunks(side).zip(product.chunks_mut(side)) {
            for (a, b) in a.iter().zip(b.chunks(side)) {
                b.iter().zip(product.iter_mut()).for_each(|(b, product)| *product += a * b);
            }
        }
        product
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]

        #[test]
        fn the_engine_gives_the_exact_integers(nonce in any::<[u8; 32]>(), large in any::<bool>(), strips in 1u32..4, threads in 1usize..4) {
            let side = if large { 512 } else { 256 };
            let job = ProductJob { side, rows: side * strips, openings: 3 };
            let task = Task { id: Fixed([1; 16]), epoch: 1, nonce: Fixed(nonce), job: Job::Product(job) };
            let order = ProductOrder::new(&Seed::new("network", &[3; 32], &task), job);
            let kept = Kept::compute(&order, NonZeroUsize::new(threads).unwrap(), &Stop::default()).unwrap();
            let wanted = naive(&order);
            prop_assert!(kept.values.iter().map(|value| i64::from(*value)).eq(wanted));
            let hash = blake3::keyed_hash(&order.tree, bytemuck::cast_slice(&kept.values));
            prop_assert_eq!(kept.root().0, *hash.as_bytes());
        }

        #[test]
        fn whole_numbers_become_integers(high in -32i16..32, low: u16) {
            let value = i32::from(high) * 65_536 + i32::from(low);
            prop_assert_eq!(whole(f32::from(high) * 65_536.0 + f32::from(low)), value);
        }
    }

    #[test]
    fn a_stopped_product_ends() {
        let job = ProductJob { side: 256, rows: 256, openings: 3 };
        let task = Task { id: Fixed([1; 16]), epoch: 1, nonce: Fixed([2; 32]), job: Job::Product(job) };
        let order = ProductOrder::new(&Seed::new("network", &[3; 32], &task), job);
        let stop = Stop::default();
        stop.stop();
        assert_eq!(Kept::compute(&order, NonZeroUsize::MIN, &stop).err(), Some(EngineError::Stopped));
    }
}
