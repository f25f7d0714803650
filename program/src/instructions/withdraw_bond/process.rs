//! Sends the bond back after the wait.

use ionet_abi::accounts::VerifiersAccount;
use ionet_abi::events::supply::WithdrawBondRecord;
use ionet_abi::instructions::supply::WithdrawBondArgs;

use super::accounts::WithdrawBond;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Withdraws.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let WithdrawBondArgs {} = checks::arguments(call)?;
    let WithdrawBond { verifier, network, supply, verifiers, place, mut io_stake, destination } = WithdrawBond::check(call)?;
    let now = clock::unix_secs()?;

    let (amount, stamp) =
        verifiers.step(|verifiers: &mut VerifiersAccount| Ok(verifiers.places[place].withdraw(&supply.params, now)?.0))?;

    io_stake.send(destination, &network, amount)?;
    io_stake.settle(0)?;
    stamp.emit(&network, now, &WithdrawBondRecord { verifier: verifier.address().to_bytes(), amount })
}
