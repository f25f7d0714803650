//! From now on the bond has no weight, and the vote no longer counts.

use ionet_abi::accounts::VerifiersAccount;
use ionet_abi::events::supply::UnbondRecord;
use ionet_abi::instructions::supply::UnbondArgs;

use super::accounts::Unbond;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Begins.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let UnbondArgs {} = checks::arguments(call)?;
    let Unbond { verifier, network, supply, verifiers, place } = Unbond::check(call)?;
    let now = clock::unix_secs()?;

    let (until_unix_secs, stamp) = verifiers.step(|verifiers: &mut VerifiersAccount| {
        let entry = &mut verifiers.places[place];
        entry.unbond(now)?;
        Ok(entry.unbond_at_unix_secs.saturating_add(i64::from(supply.params.unstake_secs)))
    })?;

    stamp.emit(&network, now, &UnbondRecord { verifier: verifier.address().to_bytes(), until_unix_secs })
}
