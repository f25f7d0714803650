//! From recorded hires to what is used: train on the past, judge by what came later, and only then trust.

use crate::evaluate::Scores;
use crate::hire::Hire;
use crate::model::Rows;
use crate::predictor::Predictor;
use crate::report::{Report, Used, Why};

/// Most hires that are looked at; of more, chance picks as many, so that long ago and yesterday are both among them.
pub const MAX_HIRES: usize = 20_000;
/// Fewest hires of the past to train a model on.
pub const LEAST_TRAINED: usize = 200;
/// Fewest later hires to judge it by.
pub const LEAST_HELD_OUT: usize = 50;
/// Fewest failures among the past hires; a quarter of them among the later ones.
pub const LEAST_FAILURES: usize = 20;

/// Learns from hires in any order; `seed` draws which are looked at where there are more than [`MAX_HIRES`].
///
/// The latest quarter, by when they began, is held out. The model to be judged is trained on what was known when the first of them began,
/// hires that were still running included, up to that moment. The mean that it is compared with is that of the hires that were over by then.
/// If the model is used, it is fitted once more, to all hires.
pub fn learn(hires: &[Hire], seed: u64) -> (Predictor, Report) {
    let mut known: Vec<Hire> = hires.iter().filter(|hire| hire.is_possible()).copied().collect();
    let impossible = hires.len() - known.len();
    known.sort_unstable();
    let left_out = thin(&mut known, seed);
    let survived = known.iter().filter(|hire| hire.survived()).count();
    let mean = Predictor::mean(survived as u64, known.len() as u64);
    let mut report = Report {
        used: Used::Mean,
        why: Why::TooFewHires,
        hires: known.len() as u64,
        failures: (known.len() - survived) as u64,
        impossible: impossible as u64,
        left_out: left_out as u64,
        split_at_unix_secs: None,
        trained_hires: 0,
        trained_failures: 0,
        held_out_hires: 0,
        held_out_failures: 0,
        model_brier_ppm: None,
        mean_brier_ppm: None,
        gain_ppm: None,
        gain_error_ppm: None,
        calibration: Vec::new(),
    };
    report.why = judge(&known, &mut report);
    if report.why != Why::ModelIsBetter {
        return (mean, report);
    }
    let mut rows = Rows::default();
    for hire in &known {
        rows.add(hire, i64::MAX);
    }
    let Some(model) = rows.fit() else {
        report.why = Why::FitFailed;
        return (mean, report);
    };
    report.used = Used::Model;
    (mean.with_model(model), report)
}

/// Trains on the past of these hires, which are in order, and judges by the rest.
fn judge(known: &[Hire], report: &mut Report) -> Why {
    let Some(split_at) = known.get(known.len() - known.len() / 4).map(|hire| hire.started_at_unix_secs) else {
        return Why::TooFewHires;
    };
    let (past, held_out) = known.split_at(known.partition_point(|hire| hire.started_at_unix_secs < split_at));
    let over: Vec<&Hire> = past.iter().filter(|hire| hire.over_at_unix_secs() <= split_at).collect();
    let failures = |hires: &mut dyn Iterator<Item = &Hire>| hires.filter(|hire| !hire.survived()).count();
    let mut rows = Rows::default();
    for hire in past {
        rows.add(hire, split_at);
    }
    let over_failures = failures(&mut over.iter().copied());
    let held_out_failures = failures(&mut held_out.iter());
    report.split_at_unix_secs = Some(split_at);
    report.trained_hires = past.len() as u64;
    report.trained_failures = rows.failures() as u64;
    report.held_out_hires = held_out.len() as u64;
    report.held_out_failures = held_out_failures as u64;
    let enough = over.len() >= LEAST_TRAINED
        && held_out.len() >= LEAST_HELD_OUT
        && rows.failures() >= LEAST_FAILURES
        && rows.len() - rows.failures() >= LEAST_FAILURES
        && held_out_failures * 4 >= LEAST_FAILURES;
    if !enough {
        return Why::TooFewHires;
    }
    let Some(model) = rows.fit() else { return Why::FitFailed };
    // Both counts are bounded by MAX_HIRES.
    let mean = 1.0 - f64::from(u32::try_from(over_failures).unwrap_or(u32::MAX)) / f64::from(u32::try_from(over.len()).unwrap_or(u32::MAX));
    let scores = Scores::new(&model, mean, held_out);
    report.model_brier_ppm = Some(ppm(scores.model).unsigned_abs());
    report.mean_brier_ppm = Some(ppm(scores.mean).unsigned_abs());
    report.gain_ppm = Some(ppm(scores.mean - scores.model));
    report.gain_error_ppm = Some(ppm(scores.error).unsigned_abs());
    report.calibration.clone_from(&scores.calibration);
    if scores.is_better() { Why::ModelIsBetter } else { Why::ModelIsNotBetter }
}

/// Leaves at most [`MAX_HIRES`], picked by chance, in their order. Returns how many are gone.
fn thin(known: &mut Vec<Hire>, seed: u64) -> usize {
    let gone = known.len().saturating_sub(MAX_HIRES);
    if gone > 0 {
        let mut drawn: Vec<(u64, usize)> = (0..known.len()).map(|index| (mix(seed ^ mix(index as u64)), index)).collect();
        drawn.sort_unstable();
        let mut kept: Vec<usize> = drawn.into_iter().take(MAX_HIRES).map(|(_, index)| index).collect();
        kept.sort_unstable();
        *known = kept.into_iter().map(|index| known[index]).collect();
    }
    gone
}

/// Scatters a number (the finaliser of SplitMix64).
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn ppm(share: f64) -> i64 {
    (share * 1e6).round() as i64
}
