//! Swaps the USDC that waits into IO: USDC from escrow into the pool, IO from the pool into escrow.

use ionet_abi::events::RepurchaseRecord;
use ionet_abi::instructions::RepurchaseArgs;
use ionet_rules::money::{Io, Usdc};
use ionet_rules::oracle;
use ionet_rules::pool::Reserves;

use super::accounts::Repurchase;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Repurchases.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let RepurchaseArgs { sequence } = checks::arguments(call)?;
    let Repurchase { network, oracle, mut booking, mut usdc_escrow, mut io_escrow, mut usdc_pool, mut io_pool } = Repurchase::check(call)?;
    let now = clock::unix_secs()?;

    let price = oracle::price(oracle.current(), &network.params, now)?;
    let reserves = Reserves { usdc: Usdc(usdc_pool.holds()), io: Io(io_pool.holds()) };
    let (Usdc(amount_in), Io(amount_out)) = booking.book.repurchase(sequence, reserves, price, &network.params)?;

    usdc_escrow.pass(&mut usdc_pool, &network, amount_in)?;
    io_pool.pass(&mut io_escrow, &network, amount_out)?;
    usdc_escrow.settle(booking.book.vault_liability()?.0)?;
    io_escrow.settle(booking.book.io_liability()?.0)?;
    usdc_pool.settle(0)?;
    io_pool.settle(0)?;
    let record = RepurchaseRecord { amount_in, amount_out, price_micro_usd: price.0, sequence, reserved: 0 };
    booking.commit(&network, now, &record)
}
