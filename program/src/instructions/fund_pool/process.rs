//! Moves reserves from the authority into the pool.

use ionet_abi::instructions::FundPoolArgs;
use ionet_rules::RuleError;
use pinocchio::{AccountView, Address};

use super::accounts::FundPool;
use crate::checks;
use crate::refusal::Outcome;

/// Funds.
#[inline(never)]
pub(crate) fn process(program_id: &Address, accounts: &[AccountView], data: &[u8]) -> Outcome {
    let FundPoolArgs { usdc, io } = checks::arguments(data)?;
    let FundPool { authority, usdc_source, io_source, mut usdc_pool, mut io_pool } = FundPool::check(program_id, accounts)?;
    if usdc == 0 && io == 0 {
        return Err(RuleError::ZeroAmount.into());
    }

    usdc_pool.receive(usdc_source, authority, usdc)?;
    io_pool.receive(io_source, authority, io)?;
    usdc_pool.settle(0)?;
    io_pool.settle(0)
}
