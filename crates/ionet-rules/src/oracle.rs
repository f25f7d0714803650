//! The price of IO: the median of the oracle set's fresh submissions (docs/economy.md, section 7).

use bytemuck::{Pod, Zeroable};

use crate::money::{BPS, MicroUsd};
use crate::params::Params;
use crate::{RuleError, RuleResult};

/// Most oracles a network can have.
pub const MAX_ORACLES: usize = 8;
/// Highest price accepted, micro-USD per IO: a million dollars. Keeps every later product inside 128 bits.
pub const MAX_PRICE: MicroUsd = MicroUsd(1_000_000_000_000);

/// One oracle's last price.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Submission {
    /// Micro-USD per IO; zero before the first submission.
    pub price: MicroUsd,
    /// When it was submitted, unix seconds.
    pub at_unix_secs: i64,
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
    let allowed = median.0 / BPS * u64::from(params.price_scatter_bps) + median.0 % BPS * u64::from(params.price_scatter_bps) / BPS;
    let lowest = fresh[0].0;
    let highest = fresh[count - 1].0;
    if median.0 - lowest > allowed || highest - median.0 > allowed {
        return Err(RuleError::PriceScattered);
    }
    Ok(median)
}
