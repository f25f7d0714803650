//! Moves what was paid from escrow back to the customer.

use ionet_abi::events::ExpireRecord;
use ionet_abi::instructions::ExpireArgs;
use pinocchio::{AccountView, Address};

use super::accounts::Expire;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Expires.
#[inline(never)]
pub(crate) fn process(program_id: &Address, accounts: &[AccountView], data: &[u8]) -> Outcome {
    let ExpireArgs {} = checks::arguments(data)?;
    let Expire { network, mut booking, mut escrow, destination } = Expire::check(program_id, accounts)?;
    let now = clock::unix_secs()?;

    let amount = booking.book.expire(now)?.0;

    escrow.send(destination, &network, amount)?;
    escrow.settle(booking.book.vault_liability()?.0)?;
    booking.commit(&network, now, &ExpireRecord { amount })
}
