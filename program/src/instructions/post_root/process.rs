//! Writes the vote into the verifier's place.

use ionet_abi::accounts::VerifiersAccount;
use ionet_abi::events::supply::PostRootRecord;
use ionet_abi::instructions::supply::PostRootArgs;
use ionet_rules::supply::At;

use super::accounts::PostRoot;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Votes.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let PostRootArgs { statement } = checks::arguments(call)?;
    let PostRoot { verifier, network, supply, epochs, verifiers, place } = PostRoot::check(call)?;
    let now = clock::unix_secs()?;

    let at = At { params: &supply.params, now };
    let (weight, stamp) = verifiers.step(|verifiers: &mut VerifiersAccount| {
        let entry = &mut verifiers.places[place];
        entry.vote(&statement, &epochs.book, &at)?;
        Ok(entry.weight(at.params))
    })?;

    stamp.emit(&network, now, &PostRootRecord { verifier: verifier.address().to_bytes(), weight, statement })
}
