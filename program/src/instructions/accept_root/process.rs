//! Makes the statement count that two thirds of the bonded weight stand behind, and moves what it pays for work in IO to the rewards.

use ionet_abi::accounts::EpochsAccount;
use ionet_abi::events::supply::AcceptRootRecord;
use ionet_abi::instructions::supply::AcceptRootArgs;
use ionet_rules::epochs::{Held, MAX_VERIFIERS};
use ionet_rules::money::{Io, Usdc};
use ionet_rules::supply::At;

use super::accounts::AcceptRoot;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Accepts.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let AcceptRootArgs { place } = checks::arguments(call)?;
    checks::well_formed(usize::from(place) < MAX_VERIFIERS)?;
    let AcceptRoot { network, supply, epochs, verifiers, mut io_payable, usdc_payable, mut io_rewards } = AcceptRoot::check(call)?;
    let now = clock::unix_secs()?;

    let statement = verifiers.places[usize::from(place)].voted()?;
    let held = Held { rewards_io: Io(io_rewards.holds()), payable_io: Io(io_payable.holds()), payable_usdc: Usdc(usdc_payable.holds()) };
    let at = At { params: &supply.params, now };
    let ((moved, owed), stamp) = epochs.step(|epochs: &mut EpochsAccount| {
        let moved = epochs.book.accept(statement, &verifiers.places, &held, &at)?;
        Ok((moved.0, epochs.book.owed_io()?))
    })?;

    io_payable.pass(&mut io_rewards, &network, moved)?;
    io_payable.settle(0)?;
    io_rewards.settle(owed.0)?;
    stamp.emit(&network, now, &AcceptRootRecord { statement: *statement, moved })
}
