//! Takes the stake, or what is added to it, into the vault of stakes.

use ionet_abi::accounts::DeviceAccount;
use ionet_abi::events::supply::StakeRecord;
use ionet_abi::instructions::supply::StakeArgs;
use ionet_rules::money::Io;

use super::accounts::Stake;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Stakes.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let StakeArgs { amount } = checks::arguments(call)?;
    let Stake { owner, network, device, source, mut vault } = Stake::check(call)?;
    let now = clock::unix_secs()?;

    let (record, stamp) = device.step(|device: &mut DeviceAccount| {
        device.stake.deposit(Io(amount))?;
        Ok(StakeRecord { device: device.device, amount, owner_stake: device.stake.owner.0 })
    })?;

    vault.receive(source, owner, amount)?;
    vault.settle(0)?;
    stamp.emit(&network, now, &record)
}
