//! What is asked: the chance that a device serves so many minutes.

use serde::{Deserialize, Serialize};

use crate::hire::Features;
use crate::model::Model;

/// What is believed without any history: 95 % of hires are served to the end.
pub const PRIOR_BPS: u16 = 9_500;
/// How many hires that belief is worth: so many recorded ones speak as loud.
pub const PRIOR_HIRES: u64 = 20;
/// The whole, in basis points.
const WHOLE_BPS: u16 = 10_000;

/// What was learnt. It can be stored and read again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Predictor {
    mean_bps: u16,
    model: Option<Model>,
}

impl Predictor {
    /// What is believed before anything was recorded.
    pub fn prior() -> Self {
        Self::mean(0, 0)
    }

    /// The mean of so many hires, of which so many were survived, with what was believed before.
    pub(crate) fn mean(survived: u64, hires: u64) -> Self {
        let whole = u128::from(WHOLE_BPS);
        let believed = u128::from(PRIOR_BPS) * u128::from(PRIOR_HIRES);
        let share = (u128::from(survived.min(hires)) * whole + believed) / (u128::from(hires) + u128::from(PRIOR_HIRES));
        Self { mean_bps: u16::try_from(share).unwrap_or(WHOLE_BPS).min(WHOLE_BPS), model: None }
    }

    pub(crate) fn with_model(self, model: Model) -> Self {
        Self { model: Some(model), ..self }
    }

    /// The chance that a device which stands so now serves these minutes, basis points, 0 to 10,000: never more for more minutes. Where no
    /// model is used it is the network's mean, whatever the device and the minutes.
    pub fn survival_bps(&self, features: &Features, minutes: u32) -> u16 {
        let survival = self.model.as_ref().map(|model| model.survival(features, minutes));
        survival.filter(|survival| survival.is_finite()).map_or(self.mean_bps, to_bps)
    }

    /// Whether a model is used, and not the mean.
    pub fn uses_model(&self) -> bool {
        self.model.is_some()
    }

    /// The mean of all hires, with what was believed before, basis points.
    pub fn mean_bps(&self) -> u16 {
        self.mean_bps
    }
}

/// A share from 0 to 1 in basis points, rounded down.
#[expect(clippy::cast_sign_loss, reason = "clamped to 0 and 10,000 first")]
pub(crate) fn to_bps(share: f64) -> u16 {
    (share * f64::from(WHOLE_BPS)).clamp(0.0, f64::from(WHOLE_BPS)) as u16
}
