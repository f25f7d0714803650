//! Somebody who asks for the state of one device after another while heartbeats are taken in.

use std::hash::BuildHasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use ionet_devices::Shards;

use crate::crowd::START;

/// Time from one question to the next.
const EVERY: Duration = Duration::from_micros(200);

/// How long the answers took, shortest first.
pub(crate) struct Answers(Vec<Duration>);

impl Answers {
    /// A percentile, microseconds.
    pub(crate) fn micros(&self, percent: f64) -> f64 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the answers")]
        let rank = ((self.0.len() - 1) as f64 * percent / 100.0) as usize;
        self.0[rank].as_secs_f64() * 1e6
    }
}

/// Asks while `work` is done.
pub(crate) fn during<S: BuildHasher + Send + Sync>(
    shards: &Shards<S>,
    keys: &[[u8; 32]],
    work: impl FnOnce() -> anyhow::Result<f64>,
) -> anyhow::Result<(f64, Answers)> {
    let done = AtomicBool::new(false);
    let (rate, mut answers, unknown) = std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let (mut answers, mut unknown) = (Vec::new(), 0);
            for key in keys.iter().cycle() {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                let began = Instant::now();
                unknown += usize::from(shards.glance(key, START).is_none());
                let took = began.elapsed();
                answers.push(took);
                std::thread::sleep(EVERY.saturating_sub(took));
            }
            (answers, unknown)
        });
        let rate = work();
        done.store(true, Ordering::Relaxed);
        let (answers, unknown) = asking.join().expect("asking does not panic");
        (rate, answers, unknown)
    });
    ensure!(unknown == 0 && answers.len() > 1_000, "{} answers, {unknown} of them unknown", answers.len());
    answers.sort_unstable();
    Ok((rate?, Answers(answers)))
}
