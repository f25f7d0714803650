//! Compute rewards: credits for what a supplier leaves in tokens, the bonus for leaving more, and how the bonus vests; and how the
//! suppliers' part of a cluster's work is divided among its devices (docs/economy.md, section 3).

use crate::money::{BPS, Io, MicroUsd, mul_div_down};
use crate::supply::SupplyParams;
use crate::{RuleError, RuleResult};

/// Lowest dollar share, basis points.
pub const MIN_DOLLAR_SHARE_BPS: u16 = 3_000;
/// Highest dollar share, basis points: what everybody has until suppliers can choose.
pub const MAX_DOLLAR_SHARE_BPS: u16 = 9_000;

/// Compute credits for worked value `after_fees` (S): `(1 - d) * S`, 1 credit = 1 USD, so millionths of a credit are micro-USD.
/// It is what the dollar share, rounded down, leaves.
pub fn compute_credits(after_fees: MicroUsd, dollar_share_bps: u16) -> RuleResult<MicroUsd> {
    after_fees.minus(after_fees.share_down(checked_dollar_share(dollar_share_bps)?)?)
}

/// `m(d) = 1 + b * (0.9 - d) / 0.6` in basis points, rounded down.
pub fn lock_multiplier_bps(dollar_share_bps: u16, params: &SupplyParams) -> RuleResult<u16> {
    const RANGE_BPS: u64 = 6_000;
    let left = MAX_DOLLAR_SHARE_BPS.saturating_sub(checked_dollar_share(dollar_share_bps)?);
    let bonus = mul_div_down(u64::from(params.bonus_bps), u64::from(left), RANGE_BPS)?;
    BPS.checked_add(bonus).and_then(|bps| u16::try_from(bps).ok()).ok_or(RuleError::Overflow)
}

/// Weight of a device in its compute pot: credits times `m(d)`.
pub fn compute_weight(credits: MicroUsd, dollar_share_bps: u16, params: &SupplyParams) -> RuleResult<u64> {
    credits.0.checked_mul(u64::from(lock_multiplier_bps(dollar_share_bps, params)?)).ok_or(RuleError::Overflow)
}

fn checked_dollar_share(bps: u16) -> RuleResult<u16> {
    if (MIN_DOLLAR_SHARE_BPS..=MAX_DOLLAR_SHARE_BPS).contains(&bps) { Ok(bps) } else { Err(RuleError::ParamOutOfBounds) }
}

/// A compute reward in two parts that sum to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComputeReward {
    /// Paid like any other reward: what a multiplier of one would have given, rounded down.
    pub free: Io,
    /// What the multiplier added: vests linearly.
    pub locked: Io,
}

/// Divides a compute reward into what is free and what is locked.
pub fn split_compute_reward(reward: Io, dollar_share_bps: u16, params: &SupplyParams) -> RuleResult<ComputeReward> {
    let multiplier = lock_multiplier_bps(dollar_share_bps, params)?;
    let free = Io(mul_div_down(reward.0, BPS, u64::from(multiplier))?);
    Ok(ComputeReward { free, locked: reward.minus(free)? })
}

/// How much of a locked reward has vested `elapsed_secs` after it was earned: linear, rounded down, all of it at the end.
pub fn vested(locked: Io, elapsed_secs: i64, params: &SupplyParams) -> RuleResult<Io> {
    let whole = u64::from(params.vesting_secs);
    let elapsed = u64::try_from(elapsed_secs).unwrap_or(0);
    if elapsed >= whole { Ok(locked) } else { mul_div_down(locked.0, elapsed, whole).map(Io) }
}

/// Divides the suppliers' part of a work log among the cluster's devices by the minutes that each delivered, in the order given. Each gets
/// what the minutes up to and including its own are worth less what those before it are worth, so the shares sum to the part exactly
/// whenever a minute was delivered.
pub fn work_shares(part: u64, minutes: &[u32]) -> impl Iterator<Item = RuleResult<u64>> {
    let all = minutes.iter().fold(0u64, |sum, one| sum.saturating_add(u64::from(*one)));
    let mut delivered = 0u64;
    let mut given = 0u64;
    minutes.iter().map(move |one| {
        if all == 0 {
            return Ok(0);
        }
        delivered = delivered.saturating_add(u64::from(*one));
        let until = mul_div_down(part, delivered, all)?;
        let share = until.checked_sub(given).ok_or(RuleError::Overflow)?;
        given = until;
        Ok(share)
    })
}
