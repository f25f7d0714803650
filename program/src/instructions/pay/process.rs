//! Moves a payment from the customer into escrow.

use ionet_abi::events::PayRecord;
use ionet_abi::instructions::PayArgs;
use ionet_rules::money::Units;

use super::accounts::Pay;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Pays.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let PayArgs { amount, sequence, reserved } = checks::arguments(call)?;
    checks::well_formed(reserved == 0)?;
    let Pay { customer, network, mut booking, source, mut escrow } = Pay::check(call)?;
    let now = clock::unix_secs()?;

    booking.book.pay(sequence, Units(amount), &network.params, now)?;

    escrow.receive(source, customer, amount)?;
    escrow.settle(booking.book.vault_liability()?.0)?;
    let record = PayRecord { amount, paid: booking.book.paid.0, total: booking.book.total()?.0, sequence, reserved: 0 };
    booking.commit(&network, now, &record)
}
