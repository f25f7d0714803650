//! The hazard model: fitted by a logistic regression over every period that each hire lived through.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_logistic::LogisticRegression;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::columns;
use crate::hire::{Features, Hire};
use crate::periods;

/// How strongly coefficients are held back: as much as ten failures speak for them. Keeps a column that says nothing near zero.
const RIDGE: f64 = 10.0;
/// Steps of the fit. It converges in a few dozen.
const MAX_STEPS: u64 = 200;

/// A fitted model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Model {
    intercept: f64,
    columns: Vec<Column>,
}

/// One column: its mean and spread in what the model was fitted to, and its coefficient in spreads.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    mean: f64,
    spread: f64,
    coefficient: f64,
}

/// Every period that a hire was watched through: what the regression saw, and whether the device failed in it.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    values: Vec<[f64; columns::COUNT]>,
    failed: Vec<bool>,
}

impl Rows {
    /// Adds a hire as it was known at a moment.
    ///
    /// Only periods that it was wanted and watched for in whole count, whether it failed in them or not: what ends in the middle of one is
    /// cut off at its beginning. So nothing but failing decides whether a failure is counted.
    pub(crate) fn add(&mut self, hire: &Hire, known_until_unix_secs: i64) {
        let watched = hire.watched_minutes(known_until_unix_secs);
        for period in periods::all().take_while(|period| period.to_minute <= watched) {
            let failed = hire.failed_after_minutes().is_some_and(|after| after < period.to_minute);
            self.values.push(columns::of(&hire.features, period));
            self.failed.push(failed);
            if failed {
                break;
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.failed.len()
    }

    pub(crate) fn failures(&self) -> usize {
        self.failed.iter().filter(|failed| **failed).count()
    }

    /// Fits a model; `None` when that cannot be done, as when all failed, or none.
    pub(crate) fn fit(self) -> Option<Model> {
        let count = f64::from(u32::try_from(self.len()).ok()?);
        let mut spreads = [(0.0, 0.0); columns::COUNT];
        for (column, spread) in spreads.iter_mut().enumerate() {
            let mean = self.values.iter().map(|row| row[column]).sum::<f64>() / count;
            let variance = self.values.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / count;
            *spread = (mean, variance.sqrt());
        }
        let scaled =
            self.values.iter().flat_map(|row| row.iter().zip(&spreads).map(|(value, (mean, spread))| scale(*value, *mean, *spread)));
        let records = Array2::from_shape_vec((self.len(), columns::COUNT), scaled.collect()).ok()?;
        let dataset = DatasetBase::new(records, Array1::from_vec(self.failed));
        // The optimiser times itself for its own statistics; nothing of that enters the result.
        let fitted = LogisticRegression::default().alpha(RIDGE).max_iterations(MAX_STEPS).fit(&dataset).ok()?;
        // The larger class is the positive one: `true`, failed.
        let sign = if fitted.labels().pos.class { 1.0 } else { -1.0 };
        let columns = spreads.iter().zip(fitted.params()).map(|(&(mean, spread), coefficient)| Column {
            mean,
            spread,
            coefficient: coefficient * sign,
        });
        let model = Model { intercept: fitted.intercept() * sign, columns: columns.collect() };
        model.is_finite().then_some(model)
    }
}

impl Model {
    /// The chance that a device lasts these minutes, 0 to 1. Never more for more minutes.
    pub(crate) fn survival(&self, features: &Features, minutes: u32) -> f64 {
        // Of each period, the logarithm of the chance to last, times how much of it is hired: sums of what is never negative.
        let periods = periods::all().take_while(|period| period.from_minute < minutes);
        let lost: f64 = periods.map(|period| period.held(minutes) * ln_1p_exp(self.logit(&columns::of(features, period)))).sum();
        (-lost).exp()
    }

    fn logit(&self, values: &[f64; columns::COUNT]) -> f64 {
        let terms = self.columns.iter().zip(values).map(|(column, value)| column.coefficient * scale(*value, column.mean, column.spread));
        self.intercept + terms.sum::<f64>()
    }

    fn is_finite(&self) -> bool {
        let finite = |column: &Column| column.mean.is_finite() && column.spread.is_finite() && column.coefficient.is_finite();
        self.intercept.is_finite() && self.columns.iter().all(finite)
    }
}

/// In spreads from the mean. A column that never changed says nothing.
fn scale(value: f64, mean: f64, spread: f64) -> f64 {
    if spread > 1e-9 { (value - mean) / spread } else { 0.0 }
}

/// `ln(1 + e^x)`, which is what failing with the chance of logit `x` takes from the logarithm of the chance to last.
fn ln_1p_exp(x: f64) -> f64 {
    if x > 30.0 { x } else { x.exp().ln_1p() }
}
