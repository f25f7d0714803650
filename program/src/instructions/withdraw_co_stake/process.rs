//! Sends the co-stake back after notice and wait.

use ionet_abi::accounts::DeviceAccount;
use ionet_abi::events::supply::WithdrawCoStakeRecord;
use ionet_abi::instructions::supply::WithdrawCoStakeArgs;

use super::accounts::WithdrawCoStake;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;
use crate::state::device::forget_co_staker;

/// Withdraws.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let WithdrawCoStakeArgs {} = checks::arguments(call)?;
    let WithdrawCoStake { network, supply, device, mut io_stake, destination } = WithdrawCoStake::check(call)?;
    let now = clock::unix_secs()?;

    let (record, stamp) = device.step(|device: &mut DeviceAccount| {
        let amount = device.stake.withdraw_co(&supply.params, now)?.0;
        let record = WithdrawCoStakeRecord { device: device.device, co_staker: device.co_staker, amount };
        forget_co_staker(device);
        Ok(record)
    })?;

    io_stake.send(destination, &network, record.amount)?;
    io_stake.settle(0)?;
    stamp.emit(&network, now, &record)
}
