//! The clock: cycles of a step, and how much faster it is taken back.

use std::hint::black_box;

use ionet_proofs::clock::{CYCLES_PER_STEP, step, step_back};
use serde_json::{Value, json};

use crate::{ROUNDS, median, rounded, timed};

const STEPS: u32 = 200_000;
const SHIFTS: u32 = 50_000_000;

pub(crate) fn measure() -> Value {
    let (mut forwards, mut backwards, mut shifts) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        shifts.push(timed(|| black_box((0..SHIFTS).fold(black_box(88_172_645_463_325_252u64), |word, _| shift(word)))).0);
        let (took, end) = timed(|| (0..STEPS).fold(black_box(1u128), |state, _| step(state)));
        forwards.push(took);
        let (took, start) = timed(|| (0..STEPS).fold(black_box(end), |state, _| step_back(state)));
        backwards.push(took);
        assert_eq!(start, 1);
    }
    let (forwards, backwards) = (median(forwards), median(backwards));
    let mhz = 6.0 * f64::from(SHIFTS) / median(shifts) / 1e6;
    json!({
        "mhz_by_shifts": rounded(mhz, 0),
        "cycles_per_step": rounded(forwards / f64::from(STEPS) * mhz * 1e6, 0),
        "cycles_per_step_assumed": CYCLES_PER_STEP,
        "mhz_by_the_job": rounded(f64::from(STEPS) * CYCLES_PER_STEP as f64 / forwards / 1e6, 0),
        "prover_to_verifier": rounded(forwards / backwards, 0),
    })
}

/// One step of Marsaglia's generator: three shifts and three exclusive-ors, each of which waits for the one before.
fn shift(word: u64) -> u64 {
    let word = word ^ (word << 13);
    let word = word ^ (word >> 7);
    word ^ (word << 17)
}
