//! What was learnt, from what, and how well it does: in whole numbers, for people and for the API.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Used {
    /// The model.
    Model,
    /// The plain mean of the recorded hires.
    Mean,
}

/// Why it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The model was better on hires that it had not seen, by more than chance explains.
    ModelIsBetter,
    /// The model was not better, or by no more than chance explains.
    ModelIsNotBetter,
    /// Too few hires, or too few failures, to fit a model or to judge it.
    TooFewHires,
    /// The fit came to no result.
    FitFailed,
}

impl Why {
    /// One sentence for a person.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::ModelIsBetter => "on hires that it had not seen the model was better than the mean, by more than chance explains",
            Self::ModelIsNotBetter => "on hires that it had not seen the model was not better than the mean by more than chance explains",
            Self::TooFewHires => "there are too few hires, or too few failures among them, to fit and judge a model",
            Self::FitFailed => "no model could be fitted",
        }
    }
}

/// A tenth of the held-out hires, by what the model said of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// How many.
    pub hires: u64,
    /// What the model said, in the mean, basis points.
    pub predicted_bps: u16,
    /// How many of them the device survived, basis points.
    pub survived_bps: u16,
}

/// How a predictor came to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// What answers.
    pub used: Used,
    /// Why.
    pub why: Why,
    /// Hires that were looked at.
    pub hires: u64,
    /// Of these, failures.
    pub failures: u64,
    /// Hires that cannot have been as they were recorded, and were left out.
    pub impossible: u64,
    /// Hires beyond [`crate::MAX_HIRES`] that chance left out.
    pub left_out: u64,
    /// Where past and held-out hires part, unix seconds: nothing known later was trained on.
    pub split_at_unix_secs: Option<i64>,
    /// Hires that the judged model was trained on.
    pub trained_hires: u64,
    /// Failures among them.
    pub trained_failures: u64,
    /// Hires that it was judged by.
    pub held_out_hires: u64,
    /// Failures among them.
    pub held_out_failures: u64,
    /// Brier score of the model on the held-out hires, millionths: 0 is perfect.
    pub model_brier_ppm: Option<u64>,
    /// Brier score of the mean of the past on the same hires, millionths.
    pub mean_brier_ppm: Option<u64>,
    /// By how much the model is better, millionths; negative where it is worse.
    pub gain_ppm: Option<i64>,
    /// Standard error of that difference, millionths.
    pub gain_error_ppm: Option<u64>,
    /// What the model said of the held-out hires and what came of them, tenth by tenth, those expected to fail first.
    pub calibration: Vec<Calibration>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let used = match self.used {
            Used::Model => "the model",
            Used::Mean => "the mean",
        };
        writeln!(f, "{used} is used: {}", self.why.sentence())?;
        writeln!(
            f,
            "{} hires, {} failures; {} impossible and {} left out by chance",
            self.hires, self.failures, self.impossible, self.left_out
        )?;
        writeln!(
            f,
            "trained on {} hires ({} failures), judged by {} later ones ({} failures)",
            self.trained_hires, self.trained_failures, self.held_out_hires, self.held_out_failures
        )?;
        if let (Some(model), Some(mean), Some(gain), Some(error)) =
            (self.model_brier_ppm, self.mean_brier_ppm, self.gain_ppm, self.gain_error_ppm)
        {
            writeln!(f, "Brier score, millionths: model {model}, mean {mean}; gain {gain} +- {error}")?;
        }
        for tenth in &self.calibration {
            writeln!(f, "  {:>6} hires: predicted {:>5} bps, survived {:>5} bps", tenth.hires, tenth.predicted_bps, tenth.survived_bps)?;
        }
        Ok(())
    }
}
