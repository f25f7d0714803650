//! The protocol's own constant-product IO/USDC pool (docs/economy.md, section 1, repurchase).

use crate::money::{BPS, Io, MicroUsd, Usdc, mul_div_down};
use crate::{RuleError, RuleResult};

/// What the pool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reserves {
    /// USDC in the pool.
    pub usdc: Usdc,
    /// IO in the pool.
    pub io: Io,
}

/// IO that `usdc_in` buys, rounded down; the product of the reserves never falls. No fee: the pool is the protocol's own.
pub fn swap(reserves: Reserves, usdc_in: Usdc) -> RuleResult<Io> {
    if reserves.usdc.is_zero() || reserves.io.is_zero() {
        return Err(RuleError::PoolEmpty);
    }
    if usdc_in.is_zero() {
        return Err(RuleError::ZeroAmount);
    }
    mul_div_down(reserves.io.0, usdc_in.0, reserves.usdc.plus(usdc_in)?.0).map(Io)
}

/// As [`swap`], refused when the swap's own price is more than `guard_bps` from the oracle's `price`, on either side.
///
/// The price is compared as value against value, so that amounts too small to divide are still judged right:
/// the IO received, at the oracle's price, must be within the guard of the USDC paid; one micro-USD of slack absorbs the rounding of a tiny swap.
#[expect(clippy::arithmetic_side_effects, reason = "a product of two 64-bit numbers, and seven times it, fit into 128 bits")]
pub fn guarded_swap(reserves: Reserves, usdc_in: Usdc, price: MicroUsd, guard_bps: u16) -> RuleResult<Io> {
    let out = swap(reserves, usdc_in)?;
    // Both sides scaled by IO_UNIT: io * price against usdc * 1e8, in u128, so nothing is lost to division.
    let value = u128::from(out.0) * u128::from(price.0);
    let paid = u128::from(usdc_in.0) * u128::from(crate::money::IO_UNIT);
    let guard = u128::from(guard_bps);
    let whole = u128::from(BPS);
    // One base unit of IO, at its price, may be lost to rounding down.
    let slack = u128::from(price.0);
    let difference = value.abs_diff(paid).saturating_sub(slack);
    let allowed = paid / whole * guard + paid % whole * guard / whole;
    if difference > allowed {
        return Err(RuleError::PoolOffOracle);
    }
    Ok(out)
}
