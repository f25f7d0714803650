//! Takes the bond into the vault of stakes.

use ionet_abi::accounts::VerifiersAccount;
use ionet_abi::events::supply::BondRecord;
use ionet_abi::instructions::supply::BondArgs;
use ionet_rules::money::Io;

use super::accounts::Bond;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Bonds.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let BondArgs { amount } = checks::arguments(call)?;
    let Bond { verifier, network, verifiers, place, source, mut io_stake } = Bond::check(call)?;
    let now = clock::unix_secs()?;

    let (bond, stamp) = verifiers.step(|verifiers: &mut VerifiersAccount| {
        let entry = &mut verifiers.places[place];
        entry.deposit(Io(amount))?;
        Ok(entry.bond.0)
    })?;

    io_stake.receive(source, verifier, amount)?;
    io_stake.settle(0)?;
    stamp.emit(&network, now, &BondRecord { verifier: verifier.address().to_bytes(), amount, bond })
}
