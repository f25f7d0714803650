//! Moves reserves from the authority into the pool.

use ionet_abi::instructions::FundPoolArgs;
use ionet_rules::RuleError;

use super::accounts::FundPool;
use crate::call::Call;
use crate::checks;
use crate::refusal::Outcome;

/// Funds.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let FundPoolArgs { usdc, io } = checks::arguments(call)?;
    let FundPool { authority, usdc_source, io_source, mut usdc_pool, mut io_pool } = FundPool::check(call)?;
    if usdc == 0 && io == 0 {
        return Err(RuleError::ZeroAmount.into());
    }

    usdc_pool.receive(usdc_source, authority, usdc)?;
    io_pool.receive(io_source, authority, io)?;
    usdc_pool.settle(0)?;
    io_pool.settle(0)
}
