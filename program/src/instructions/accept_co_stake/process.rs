//! Takes the co-stake into the vault of stakes. Its claims get an account of their own, for life: who comes back finds the one it had.

use ionet_abi::accounts::{ClaimAccount, DeviceAccount};
use ionet_abi::events::supply::AcceptCoStakeRecord;
use ionet_abi::instructions::supply::AcceptCoStakeArgs;
use ionet_abi::seeds;
use ionet_rules::money::Io;

use super::accounts::AcceptCoStake;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;
use crate::state::claim::Beneficiary;
use crate::state::create::Place;
use crate::state::open::Open;

/// Co-stakes.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let AcceptCoStakeArgs { amount, share_bps, reserved } = checks::arguments(call)?;
    checks::well_formed(reserved == [0; 6])?;
    let new = AcceptCoStake::check(call)?;
    open_claim(&new, call)?;
    let AcceptCoStake { co_staker, network, device, source, mut io_stake, .. } = new;
    let now = clock::unix_secs()?;

    let (record, stamp) = device.step(|device: &mut DeviceAccount| {
        device.stake.accept(Io(amount), share_bps)?;
        device.co_staker = co_staker.address().to_bytes();
        Ok(AcceptCoStakeRecord { device: device.device, co_staker: device.co_staker, amount, share_bps, reserved })
    })?;

    io_stake.receive(source, co_staker, amount)?;
    io_stake.settle(0)?;
    stamp.emit(&network, now, &record)
}

/// The claim account at its one address, created when it is not there.
#[inline(never)]
fn open_claim(new: &AcceptCoStake, call: &Call) -> Outcome {
    let device = new.device.read()?.device;
    let co_staker = new.co_staker.address().to_bytes();
    let place = Place::locate(new.claim, &[seeds::CLAIM, &device, &co_staker], call.program_id)?;
    if place.is_vacant() {
        return Beneficiary { device, owner: co_staker, payout: co_staker }.create(&place, new.payer, call.program_id);
    }
    Open::<ClaimAccount>::at(new.claim, call.program_id).map(|_| ())
}
