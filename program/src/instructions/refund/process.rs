//! Moves the value of the unused time from escrow to the customer, and rounding dust to the treasury.

use ionet_abi::events::RefundRecord;
use ionet_abi::instructions::RefundArgs;
use ionet_rules::booking::Refunded;

use super::accounts::Refund;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Refunds.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let RefundArgs {} = checks::arguments(call)?;
    let Refund { network, mut booking, mut escrow, mut treasury, destination } = Refund::check(call)?;
    let now = clock::unix_secs()?;

    let Refunded { amount, dust } = booking.book.refund()?;

    escrow.send(destination, &network, amount.0)?;
    escrow.pass(&mut treasury, &network, dust.0)?;
    escrow.settle(booking.book.vault_liability()?.0)?;
    treasury.settle(0)?;
    booking.commit(&network, now, &RefundRecord { amount: amount.0, dust: dust.0 })
}
