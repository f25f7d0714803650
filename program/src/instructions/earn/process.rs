//! Sends the IO that waits out of escrow: part is burned, part is for incentives, the rest is the treasury's.

use ionet_abi::events::EarnRecord;
use ionet_abi::instructions::EarnArgs;

use super::accounts::Earn;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Earns.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let EarnArgs { sequence } = checks::arguments(call)?;
    let Earn { network, mut booking, mut io_escrow, mut io_treasury, mut io_incentives, io_mint } = Earn::check(call)?;
    let now = clock::unix_secs()?;

    let (amount, split) = booking.book.earn(sequence, &network.params)?;

    io_escrow.burn(io_mint, &network, split.burned.0)?;
    io_escrow.pass(&mut io_incentives, &network, split.incentives.0)?;
    io_escrow.pass(&mut io_treasury, &network, split.treasury.0)?;
    io_escrow.settle(booking.book.io_liability()?.0)?;
    io_treasury.settle(0)?;
    io_incentives.settle(0)?;
    let record = EarnRecord {
        amount: amount.0,
        burned: split.burned.0,
        incentives: split.incentives.0,
        treasury: split.treasury.0,
        sequence,
        reserved: 0,
    };
    booking.commit(&network, now, &record)
}
