//! Writes a key into an empty place, or takes one without a bond out of its place.

use ionet_abi::AddressBytes;
use ionet_abi::accounts::VerifiersAccount;
use ionet_abi::events::supply::AdmitVerifierRecord;
use ionet_abi::faults::Fault;
use ionet_abi::instructions::supply::AdmitVerifierArgs;
use ionet_rules::RuleError;
use ionet_rules::epochs::MAX_VERIFIERS;

use super::accounts::AdmitVerifier;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Admits.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let AdmitVerifierArgs { key, place } = checks::arguments(call)?;
    checks::well_formed(usize::from(place) < MAX_VERIFIERS)?;
    let AdmitVerifier { network, verifiers } = AdmitVerifier::check(call)?;
    let now = clock::unix_secs()?;

    let admitted = key != [0; 32];
    let (verifier, stamp) = verifiers.step(|verifiers: &mut VerifiersAccount| {
        let place = usize::from(place);
        if admitted { admit(verifiers, place, key) } else { empty(verifiers, place) }
    })?;

    stamp.emit(&network, now, &AdmitVerifierRecord { verifier, place, admitted: admitted.into(), reserved: [0; 6] })
}

fn admit(verifiers: &mut VerifiersAccount, place: usize, key: AddressBytes) -> Outcome<AddressBytes> {
    if verifiers.place(&key).is_some() || verifiers.places[place].key != [0; 32] {
        return Err(Fault::PlaceTaken.into());
    }
    verifiers.places[place].key = key;
    Ok(key)
}

fn empty(verifiers: &mut VerifiersAccount, place: usize) -> Outcome<AddressBytes> {
    let verifier = &mut verifiers.places[place];
    if !verifier.bond.is_zero() {
        return Err(Fault::PlaceTaken.into());
    }
    let key = core::mem::take(&mut verifier.key);
    if key == [0; 32] { Err(RuleError::NothingStaked.into()) } else { Ok(key) }
}
