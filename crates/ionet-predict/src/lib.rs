//! Whether a device will last: the chance that it serves a hire to its end, learnt from the network's own recorded hires.
//!
//! [`learn`] takes the recorded hires and gives a [`Predictor`] and a [`Report`]. It fits a model to the past, asks it about the latest hires,
//! which it has not seen, and compares it by Brier score with the plain historical mean. Only if it is better, by more than chance explains,
//! is it used; else the mean is. The report says which, and why.
//!
//! The model is a discrete-time hazard: time is cut into periods, and for each of them a logistic regression (`linfa-logistic`) gives the
//! chance that a device which lasted so far fails in it. What is chance in here is drawn from a seed; the same hires in any order, with the
//! same seed, give the same answer. Within the crate there are floats, because that is what a regression is made of; what leaves it is in
//! basis points.

mod columns;
mod evaluate;
mod hire;
mod learn;
mod model;
mod periods;
mod predictor;
mod report;

pub use hire::{Class, Features, Hire, Outcome};
pub use learn::{LEAST_FAILURES, LEAST_HELD_OUT, LEAST_TRAINED, MAX_HIRES, learn};
pub use predictor::{PRIOR_BPS, PRIOR_HIRES, Predictor};
pub use report::{Calibration, Report, Used, Why};
