//! Takes away all votes for a statement: it stands again only when the verifiers vote for it again.

use ionet_abi::accounts::VerifiersAccount;
use ionet_abi::events::supply::StrikeRootRecord;
use ionet_abi::instructions::supply::StrikeRootArgs;
use ionet_rules::epochs::MAX_VERIFIERS;

use super::accounts::StrikeRoot;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Strikes.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let StrikeRootArgs { place } = checks::arguments(call)?;
    checks::well_formed(usize::from(place) < MAX_VERIFIERS)?;
    let StrikeRoot { network, verifiers } = StrikeRoot::check(call)?;
    let now = clock::unix_secs()?;

    let (statement, stamp) = verifiers.step(|verifiers: &mut VerifiersAccount| {
        let statement = *verifiers.places[usize::from(place)].voted()?;
        for entry in verifiers.places.iter_mut().filter(|entry| entry.supports(&statement)) {
            entry.forget_vote();
        }
        Ok(statement)
    })?;

    stamp.emit(&network, now, &StrikeRootRecord { statement })
}
