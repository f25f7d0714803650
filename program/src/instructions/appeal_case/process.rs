//! From now on the council decides.

use ionet_abi::accounts::{CaseAccount, DeviceAccount};
use ionet_abi::events::supply::AppealCaseRecord;
use ionet_abi::instructions::supply::AppealCaseArgs;

use super::accounts::AppealCase;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Appeals.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let AppealCaseArgs { appeal } = checks::arguments(call)?;
    checks::well_formed(appeal != [0; 32])?;
    let AppealCase { network, supply, device, case } = AppealCase::check(call)?;
    let now = clock::unix_secs()?;

    let case_id = case.change(|case: &mut CaseAccount| {
        case.book.appeal(&supply.params, now)?;
        case.appeal = appeal;
        Ok(case.case_id)
    })?;
    let (device, stamp) = device.step(|device: &mut DeviceAccount| Ok(device.device))?;

    stamp.emit(&network, now, &AppealCaseRecord { device, case_id, appeal })
}
