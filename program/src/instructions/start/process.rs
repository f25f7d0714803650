//! Moves the customer's fees from escrow to the treasury.

use ionet_abi::events::StartRecord;
use ionet_abi::instructions::StartArgs;
use pinocchio::{AccountView, Address};

use super::accounts::Start;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Starts.
#[inline(never)]
pub(crate) fn process(program_id: &Address, accounts: &[AccountView], data: &[u8]) -> Outcome {
    let StartArgs {} = checks::arguments(data)?;
    let Start { network, mut booking, mut escrow, mut treasury } = Start::check(program_id, accounts)?;
    let now = clock::unix_secs()?;

    let fees = booking.book.start(now)?.0;

    escrow.pass(&mut treasury, &network, fees)?;
    escrow.settle(booking.book.vault_liability()?.0)?;
    treasury.settle(0)?;
    booking.commit(&network, now, &StartRecord { fees })
}
