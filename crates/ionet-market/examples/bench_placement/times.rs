//! How long things take, by the clock and by the processor: on a machine that others use too, only the second says what the work costs.

use std::time::Instant;

use nix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};

/// When something began.
pub(crate) struct Began {
    clock: Instant,
    processor_micros: f64,
}

/// Microseconds of processor time that this thread has used.
fn processor_micros() -> f64 {
    let used = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every Linux has this clock");
    used.tv_sec() as f64 * 1e6 + used.tv_nsec() as f64 / 1e3
}

impl Began {
    pub(crate) fn now() -> Self {
        Self { clock: Instant::now(), processor_micros: processor_micros() }
    }

    /// Microseconds since, by the processor and by the clock.
    pub(crate) fn micros(&self) -> (f64, f64) {
        (processor_micros() - self.processor_micros, self.clock.elapsed().as_secs_f64() * 1e6)
    }
}

/// Times of many things of one kind.
#[derive(Default, Clone)]
pub(crate) struct Times {
    processor: Vec<f64>,
    clock: Vec<f64>,
}

impl Times {
    pub(crate) fn add(&mut self, (processor, clock): (f64, f64)) {
        self.processor.push(processor);
        self.clock.push(clock);
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        self.processor.extend(&other.processor);
        self.clock.extend(&other.clock);
    }

    /// Median, mean, 99th per cent and most, of processor time and of the clock's.
    pub(crate) fn figures(&self) -> Value {
        json!({ "processor": figures(self.processor.clone()), "clock": figures(self.clock.clone()) })
    }

    pub(crate) fn mean(&self) -> f64 {
        self.processor.iter().sum::<f64>() / self.processor.len().max(1) as f64
    }
}

fn figures(mut micros: Vec<f64>) -> Value {
    micros.sort_by(f64::total_cmp);
    let at = |percent: usize| micros.get((micros.len() * percent / 100).min(micros.len().saturating_sub(1))).copied().unwrap_or(0.0);
    let mean = micros.iter().sum::<f64>() / micros.len().max(1) as f64;
    json!({ "p50": tenths(at(50)), "mean": tenths(mean), "p99": tenths(at(99)), "most": tenths(at(100)) })
}

pub(crate) fn tenths(figure: f64) -> Value {
    json!((figure * 10.0).round() / 10.0)
}
