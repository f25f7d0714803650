//! The price of IO: the median of the oracle set's fresh submissions (docs/economy.md, section 7).

use crate::money::{BPS, Io, MicroUsd, io_for_value_down, mul_div_down};
use crate::params::Params;
use crate::{RuleError, RuleResult, stored};

/// Most oracles a network can have.
pub const MAX_ORACLES: usize = 8;
/// Highest price accepted, micro-USD per IO: a million dollars. Keeps every later product inside 128 bits.
pub const MAX_PRICE: MicroUsd = MicroUsd(1_000_000_000_000);

stored! {
    /// One oracle's last price.
    pub struct Submission {
        /// Micro-USD per IO; zero before the first submission.
        pub price: MicroUsd,
        /// When it was submitted, unix seconds.
        pub at_unix_secs: i64,
    }
}

impl Default for Submission {
    /// No submission yet.
    fn default() -> Self {
        bytemuck::Zeroable::zeroed()
    }
}

/// An oracle's next submission: within range and newer than its last one.
pub fn submit(last: Submission, price: MicroUsd, now: i64) -> RuleResult<Submission> {
    if price.is_zero() || price > MAX_PRICE {
        return Err(RuleError::PriceOutOfRange);
    }
    if now <= last.at_unix_secs && !last.price.is_zero() {
        return Err(RuleError::PriceNotNewer);
    }
    Ok(Submission { price, at_unix_secs: now })
}

/// The median of the fresh submissions: at least half of the set must be fresh, and none further from the median than the scatter allows.
/// With an even number the lower middle one counts, so that the price is always one that somebody submitted.
#[expect(clippy::arithmetic_side_effects, reason = "counts of at most MAX_ORACLES; sorted prices subtract downwards")]
pub fn price(submissions: &[Submission], params: &Params, now: i64) -> RuleResult<MicroUsd> {
    if submissions.is_empty() || submissions.len() > MAX_ORACLES {
        return Err(RuleError::PriceStale);
    }
    let mut fresh = [MicroUsd::ZERO; MAX_ORACLES];
    let mut count = 0usize;
    for submission in submissions {
        let age = now.saturating_sub(submission.at_unix_secs);
        if !submission.price.is_zero() && age >= 0 && age <= i64::from(params.price_max_age_secs) {
            fresh[count] = submission.price;
            count += 1;
        }
    }
    if count * 2 < submissions.len() || count == 0 {
        return Err(RuleError::PriceStale);
    }
    let fresh = &mut fresh[..count];
    fresh.sort_unstable();
    let median = fresh[(count - 1) / 2];
    let allowed = mul_div_down(median.0, u64::from(params.price_scatter_bps), BPS)?;
    let lowest = fresh[0].0;
    let highest = fresh[count - 1].0;
    if median.0 - lowest > allowed || highest - median.0 > allowed {
        return Err(RuleError::PriceScattered);
    }
    Ok(median)
}

/// The median of all last submissions, whatever their age and scatter; zero when there is none. For records only, never for money.
#[expect(clippy::arithmetic_side_effects, reason = "counts of at most MAX_ORACLES")]
pub fn last_median(submissions: &[Submission]) -> MicroUsd {
    let mut prices = [MicroUsd::ZERO; MAX_ORACLES];
    let mut count = 0usize;
    for submission in submissions.iter().take(MAX_ORACLES).filter(|submission| !submission.price.is_zero()) {
        prices[count] = submission.price;
        count += 1;
    }
    let prices = &mut prices[..count];
    prices.sort_unstable();
    if count == 0 { MicroUsd::ZERO } else { prices[(count - 1) / 2] }
}

/// What a worked value is in IO, for the record: rounded down at the last median, zero when there is no price or the amount cannot be
/// counted. Must never keep work from being logged, so it cannot fail.
pub fn io_for_record(value: MicroUsd, submissions: &[Submission]) -> Io {
    io_for_value_down(value, last_median(submissions)).unwrap_or(Io::ZERO)
}
