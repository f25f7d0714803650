//! Either side gives notice; the cool-down begins when it is over.

use ionet_abi::accounts::DeviceAccount;
use ionet_abi::events::supply::EndCoStakeRecord;
use ionet_abi::instructions::supply::EndCoStakeArgs;

use super::accounts::EndCoStake;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;
use crate::state::device::minimum;

/// Gives notice.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let EndCoStakeArgs {} = checks::arguments(call)?;
    let EndCoStake { network, supply, multipliers, device } = EndCoStake::check(call)?;
    let now = clock::unix_secs()?;

    let (record, stamp) = device.step(|device: &mut DeviceAccount| {
        let minimum = minimum(device, &multipliers, &supply.params)?;
        device.stake.give_notice(minimum, &supply.params, now)?;
        Ok(EndCoStakeRecord { device: device.device, cooling_at_unix_secs: device.stake.co_cooling_at_unix_secs })
    })?;

    stamp.emit(&network, now, &record)
}
