//! The product: prover, verifier, and BLAS crates on the same strips.

use std::num::NonZeroUsize;

use anyhow::{Context as _, ensure};
use ionet_proofs::product::{ProductOrder, RowCheck, opened_rows};
use ionet_proofs::{Cpu, Engine as _, Stop, multiply};
use ionet_types::agent::challenge::{Fixed, Job, ProductJob};
use serde_json::{Value, json};

use crate::{ROUNDS, median, on_threads, processor_secs, rounded, seed, timed};

/// Tall factor, square factor, product, side.
type Multiply = fn(&[f32], &[f32], &mut [f32], usize);

/// Values of a product, whatever its side: 64 MiB.
const VALUES: u32 = 1 << 24;

pub(crate) fn measure(side: u32, threads: NonZeroUsize) -> anyhow::Result<Value> {
    let job = ProductJob { side, rows: VALUES / side, openings: 64 };
    let width = side as usize;
    let strip = width.min(1_024) * width;
    let (mut prover, mut verifier, mut gemm, mut other) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut product = vec![0f32; VALUES as usize];
    let (mut tall, mut square) = (vec![0f32; VALUES as usize], vec![0f32; width * width]);
    let mut processor = [0f64; 3];
    for round in 0..ROUNDS {
        let seed = seed(Job::Product(job), round)?;
        let order = ProductOrder::new(&seed, job);
        let before = processor_secs();
        let (took, work) = timed(|| Cpu::new(threads).product(&order, &Stop::default()));
        processor[0] += processor_secs() - before;
        prover.push(took);
        let work = work?;
        let nonce = Fixed([9; 32]);
        let rows = opened_rows(&seed, &job, &nonce);
        let opened = work.open(&rows)?;
        let root = work.root();
        let (took, right) = timed(|| {
            let mut check = RowCheck::new(&seed, &order, &nonce);
            rows.iter().zip(&opened).all(|(row, opened)| order.is_committed(&root, *row, opened) && check.is_row(*row, opened))
        });
        ensure!(right, "the verifier refuses the product");
        verifier.push(took);
        order.a().read_rows(0, &mut tall);
        order.b().read_rows(0, &mut square);
        let mut raw = |with: Multiply| {
            let strips = tall.chunks(strip).zip(product.chunks_mut(strip));
            timed(|| on_threads(threads, strips, |(tall, product)| with(tall, &square, product, width))).0
        };
        for (number, (rounds, with)) in [(&mut gemm, multiply as Multiply), (&mut other, plain)].into_iter().enumerate() {
            let before = processor_secs();
            rounds.push(raw(with));
            processor[number + 1] += processor_secs() - before;
        }
        let first = opened.first().context("nothing was opened")?.bytes.as_ref().to_vec();
        let row = usize::try_from(*rows.first().context("nothing was opened")?)? * width;
        let same = product[row..row + width].iter().flat_map(|value| (*value as i32).to_le_bytes()).eq(first);
        ensure!(same, "the crate's product is another one");
    }
    let operations = job.operations() as f64 / 1e9;
    let (prover, verifier, gemm, other) = (median(prover), median(verifier), median(gemm), median(other));
    Ok(json!({
        "side": side,
        "rows": job.rows,
        "openings": job.openings,
        "prover_millis": rounded(prover * 1e3, 1),
        "prover_gflops": rounded(operations / prover, 1),
        "verifier_millis": rounded(verifier * 1e3, 2),
        "prover_to_verifier": rounded(prover * threads.get() as f64 / verifier, 0),
        "gemm_gflops": rounded(operations / gemm, 1),
        "matrixmultiply_gflops": rounded(operations / other, 1),
        "to_best": rounded(gemm.min(other) / prover, 2),
        "to_best_processor_time": rounded(processor[1].min(processor[2]) / processor[0], 2),
    }))
}

/// The same through matrixmultiply.
#[expect(unsafe_code, reason = "the library's only interface; the slices are as long as the sizes say")]
fn plain(tall: &[f32], square: &[f32], product: &mut [f32], side: usize) {
    assert!(square.len() == side * side && tall.len() == product.len() && tall.len().is_multiple_of(side));
    let row = side.cast_signed();
    // SAFETY: row-major with `side` columns, the lengths checked above, and `product` borrowed alone.
    unsafe {
        matrixmultiply::sgemm(
            tall.len() / side,
            side,
            side,
            1.0,
            tall.as_ptr(),
            row,
            1,
            square.as_ptr(),
            row,
            1,
            0.0,
            product.as_mut_ptr(),
            row,
            1,
        );
    }
}
