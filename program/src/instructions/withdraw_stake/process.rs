//! Sends back what exceeds the minimum, or all that was unstaked.

use ionet_abi::accounts::DeviceAccount;
use ionet_abi::events::supply::WithdrawStakeRecord;
use ionet_abi::instructions::supply::WithdrawStakeArgs;
use ionet_rules::money::Io;

use super::accounts::WithdrawStake;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;
use crate::state::device::minimum;

/// Withdraws.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let WithdrawStakeArgs { amount } = checks::arguments(call)?;
    let WithdrawStake { network, supply, multipliers, device, mut io_stake, destination } = WithdrawStake::check(call)?;
    let now = clock::unix_secs()?;

    let (record, stamp) = device.step(|device: &mut DeviceAccount| {
        let amount = if amount == 0 {
            device.stake.withdraw_unstaked(&supply.params, now)?.0
        } else {
            let minimum = minimum(device, &multipliers, &supply.params)?;
            device.stake.withdraw_overflow(Io(amount), minimum, now)?;
            amount
        };
        Ok(WithdrawStakeRecord { device: device.device, amount, owner_stake: device.stake.owner.0 })
    })?;

    io_stake.send(destination, &network, record.amount)?;
    io_stake.settle(0)?;
    stamp.emit(&network, now, &record)
}
