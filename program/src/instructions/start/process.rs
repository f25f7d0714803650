//! Moves the customer's fees from escrow to the treasury.

use ionet_abi::events::StartRecord;
use ionet_abi::instructions::StartArgs;

use super::accounts::Start;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Starts.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let StartArgs {} = checks::arguments(call)?;
    let Start { network, mut booking, mut escrow, mut treasury } = Start::check(call)?;
    let now = clock::unix_secs()?;

    let fees = booking.book.start(now)?.0;

    escrow.pass(&mut treasury, &network, fees)?;
    escrow.settle(booking.book.vault_liability()?.0)?;
    treasury.settle(0)?;
    booking.commit(&network, now, &StartRecord { fees })
}
