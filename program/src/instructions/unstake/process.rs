//! The owner begins to leave, for good.

use ionet_abi::accounts::DeviceAccount;
use ionet_abi::events::supply::UnstakeRecord;
use ionet_abi::instructions::supply::UnstakeArgs;
use ionet_rules::RuleError;

use super::accounts::Unstake;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Begins.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let UnstakeArgs {} = checks::arguments(call)?;
    let Unstake { network, supply, device } = Unstake::check(call)?;
    let now = clock::unix_secs()?;

    let (record, stamp) = device.step(|device: &mut DeviceAccount| {
        device.stake.unstake(now)?;
        let until_unix_secs = device.stake.unstaked_at_unix_secs(&supply.params).ok_or(RuleError::NotUnstaking)?;
        Ok(UnstakeRecord { device: device.device, owner_stake: device.stake.owner.0, until_unix_secs })
    })?;

    stamp.emit(&network, now, &record)
}
