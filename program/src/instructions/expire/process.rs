//! Moves what was paid from escrow back to the customer.

use ionet_abi::events::ExpireRecord;
use ionet_abi::instructions::ExpireArgs;

use super::accounts::Expire;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Expires.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let ExpireArgs {} = checks::arguments(call)?;
    let Expire { network, mut booking, mut escrow, destination } = Expire::check(call)?;
    let now = clock::unix_secs()?;

    let amount = booking.book.expire(now)?.0;

    escrow.send(destination, &network, amount)?;
    escrow.settle(booking.book.vault_liability()?.0)?;
    booking.commit(&network, now, &ExpireRecord { amount })
}
