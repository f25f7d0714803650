//! How a model does on hires that it has not seen, against the mean.

use crate::hire::Hire;
use crate::model::Model;
use crate::predictor::to_bps;
use crate::report::Calibration;

/// How many standard errors a gain must be above nothing to count: one in twenty of useless models would get so far by chance.
const SURE: f64 = 1.645;
/// Parts of the calibration table.
const TENTHS: usize = 10;

/// The scores of both.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scores {
    pub(crate) model: f64,
    pub(crate) mean: f64,
    /// Standard error of their difference.
    pub(crate) error: f64,
    pub(crate) calibration: Vec<Calibration>,
}

impl Scores {
    /// Scores model and mean on hires that neither was made from.
    pub(crate) fn new(model: &Model, mean: f64, held_out: &[Hire]) -> Self {
        let mut pairs: Vec<(f64, f64)> = held_out
            .iter()
            .map(|hire| (model.survival(&hire.features, hire.wanted_minutes()), if hire.survived() { 1.0 } else { 0.0 }))
            .collect();
        let of_model: Vec<f64> = pairs.iter().map(|(said, came)| (said - came).powi(2)).collect();
        let of_mean: Vec<f64> = pairs.iter().map(|(_, came)| (mean - came).powi(2)).collect();
        let gains: Vec<f64> = of_mean.iter().zip(&of_model).map(|(mean, model)| mean - model).collect();
        let gain = average(&gains);
        let variance = average(&gains.iter().map(|one| (one - gain).powi(2)).collect::<Vec<_>>());
        pairs.sort_by(|left, right| left.0.total_cmp(&right.0));
        let tenths = pairs.chunks(pairs.len().div_ceil(TENTHS).max(1));
        Self {
            model: average(&of_model),
            mean: average(&of_mean),
            error: (variance / count(gains.len())).sqrt(),
            calibration: tenths.map(calibration).collect(),
        }
    }

    /// Whether the model is better, by more than chance explains. Nothing that is not a number is better.
    pub(crate) fn is_better(&self) -> bool {
        let gain = self.mean - self.model;
        gain > 0.0 && gain > SURE * self.error
    }
}

fn calibration(pairs: &[(f64, f64)]) -> Calibration {
    let mean = |of: fn(&(f64, f64)) -> f64| to_bps(average(&pairs.iter().map(of).collect::<Vec<_>>()));
    Calibration { hires: pairs.len() as u64, predicted_bps: mean(|pair| pair.0), survived_bps: mean(|pair| pair.1) }
}

fn average(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}

fn count(values: usize) -> f64 {
    // At most as many as hires are looked at.
    u32::try_from(values).map_or(f64::INFINITY, f64::from)
}
