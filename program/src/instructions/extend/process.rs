//! Moves the extension's price from the customer into escrow and, of a running cluster, its fees on to the treasury.

use ionet_abi::events::ExtendRecord;
use ionet_abi::instructions::ExtendArgs;
use ionet_rules::booking::Extended;
use ionet_rules::money::Units;

use super::accounts::Extend;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Extends.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let ExtendArgs { amount, minutes, sequence } = checks::arguments(call)?;
    let Extend { customer, network, mut booking, source, mut escrow, mut treasury } = Extend::check(call)?;
    let now = clock::unix_secs()?;

    let Extended { paid, fees } = booking.book.extend(sequence, minutes, Units(amount), &network.params, now)?;

    escrow.receive(source, customer, paid.0)?;
    escrow.pass(&mut treasury, &network, fees.0)?;
    escrow.settle(booking.book.vault_liability()?.0)?;
    treasury.settle(0)?;
    let record = ExtendRecord { amount: paid.0, fees: fees.0, total: booking.book.total()?.0, minutes, sequence };
    booking.commit(&network, now, &record)
}
