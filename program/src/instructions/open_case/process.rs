//! Freezes what the case asks for, of the device's locked rewards and of its stake.

use ionet_abi::accounts::{AccountTag, CaseAccount, DeviceAccount, EpochsAccount, ProgramAccount, VERSION};
use ionet_abi::events::supply::OpenCaseRecord;
use ionet_abi::instructions::supply::OpenCaseArgs;
use ionet_rules::RuleError;
use ionet_rules::money::Io;
use ionet_rules::slash::{Case, Offence};
use ionet_rules::stake::Charge;
use ionet_rules::supply::At;

use super::accounts::OpenCase;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;
use crate::state::open::fill;

/// Opens.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let OpenCaseArgs { case_id, evidence, amount, unvested, offence, reserved } = checks::arguments(call)?;
    checks::well_formed(reserved == [0; 7])?;
    let charge = Charge { offence: Offence::from_u8(offence)?, amount: Io(amount), unvested: Io(unvested) };
    let OpenCase { payer, verifier, network, supply, place, verifiers, epochs, device, case } = OpenCase::check(call, &case_id)?;
    let now = clock::unix_secs()?;

    if verifiers.places[place].weight(&supply.params) == 0 {
        return Err(RuleError::NotBonded.into());
    }
    let at = At { params: &supply.params, now };
    let ((key, parts), stamp) = device.step(|device: &mut DeviceAccount| Ok((device.device, device.stake.freeze(&charge, &at)?)))?;
    epochs.change(|epochs: &mut EpochsAccount| {
        if charge.unvested > epochs.book.locked_free()? {
            return Err(RuleError::SlashTooLarge.into());
        }
        Ok(epochs.book.freeze_locked(parts.unvested)?)
    })?;

    let verifier = verifier.address().to_bytes();
    case.create(payer, CaseAccount::SIZE, call.program_id)?;
    fill(case.account(), |account: &mut CaseAccount| {
        account.tag = AccountTag::Case as u8;
        account.version = VERSION;
        account.bump = case.bump();
        account.case_id = case_id;
        account.device = key;
        account.verifier = verifier;
        account.evidence = evidence;
        account.book = Case::open(charge.offence, parts, now);
    })?;
    stamp.emit(&network, now, &OpenCaseRecord { device: key, case_id, evidence, verifier, parts, offence, reserved })
}
