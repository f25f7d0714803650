//! What a challenge costs the device and the hub: products of three sizes against plain BLAS crates, memory with and without half of it,
//! the clock, and the ratio of both sides.
//!
//! `cargo run --release -p ionet-proofs --example bench_proofs` prints one JSON object.
#![expect(clippy::cast_precision_loss, reason = "times and counts are far below 2^53")]

mod clock;
mod memory;
mod products;

use std::fs;
use std::num::NonZeroUsize;
use std::thread;
use std::time::{Duration, Instant};

use ionet_proofs::Seed;
use ionet_types::agent::challenge::{Fixed, Job, Task};
use serde_json::{Value, json};

const METHOD: &str = "Processor engine on all cores. product: for each side, an order of `rows` rows is generated, multiplied, turned into \
    integers, hashed and committed to (prover), and its opened rows are checked with their paths (verifier); ratio is prover time times threads \
    over verifier time, which is one thread. raw crates: the same strips of the tall factor, ready in memory, each thread its own, with gemm and \
    matrixmultiply in 32-bit floats; to_best is the prover's speed over the fastest of them by the clock on the wall, and \
    to_best_processor_time the processor time of all rounds of the fastest over the prover's, which other work on the machine disturbs less. \
    Rounds of all three alternate. memory: fill, with \
    the hashes, and one pass of a scan; plain_read adds up the same memory as 64-bit words. half: a device that kept half of the lanes makes the \
    others again in a buffer for each thread, with the same code but without hashes or new pages, and reads all; compared with the share of \
    the fill that the terms allow. clock: cycles are those of a chain of shifts and exclusive-ors, six a step on any processor that does one \
    such operation in a cycle. Medians of the rounds.";
const ROUNDS: usize = 7;

fn main() -> anyhow::Result<()> {
    let threads = thread::available_parallelism()?;
    let sizes =
        [512, 1_024, 2_048, 4_096].into_iter().map(|side| products::measure(side, threads)).collect::<anyhow::Result<Vec<Value>>>()?;
    let printed = json!({
        "method": METHOD,
        "rounds": ROUNDS,
        "threads": threads,
        "product": sizes,
        "memory": memory::measure(threads)?,
        "clock": clock::measure(),
    });
    println!("{printed}");
    Ok(())
}

fn task(job: Job, round: usize) -> anyhow::Result<Task> {
    Ok(Task { id: Fixed([1; 16]), epoch: 1, nonce: Fixed([u8::try_from(round)?; 32]), job })
}

fn seed(job: Job, round: usize) -> anyhow::Result<Seed> {
    Ok(Seed::new("benchmark", &[2; 32], &task(job, round)?))
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

/// Each part on one of the threads, whichever is free.
fn on_threads<P: Send>(threads: NonZeroUsize, parts: impl Iterator<Item = P> + Send, work: impl Fn(P) + Sync) {
    let parts = std::sync::Mutex::new(parts);
    thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| {
                while let Some(part) = { parts.lock().ok().and_then(|mut parts| parts.next()) } {
                    work(part);
                }
            });
        }
    });
}

/// Processor time of this process so far, of all its threads, in seconds, to a hundredth; zero where the system does not say.
fn processor_secs() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // Behind the name, which may have spaces: state and ten more, then user and system time in hundredths.
    let fields = stat.rsplit(')').next().unwrap_or_default().split(' ').skip(12).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// Median in seconds.
fn median(mut rounds: Vec<Duration>) -> f64 {
    rounds.sort_unstable();
    rounds.get(rounds.len() / 2).copied().unwrap_or_default().as_secs_f64()
}

fn rounded(figure: f64, digits: i32) -> Value {
    let scale = 10f64.powi(digits);
    json!((figure * scale).round() / scale)
}
