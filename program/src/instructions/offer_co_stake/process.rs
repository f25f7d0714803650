//! Writes the terms of the offer.

use ionet_abi::accounts::DeviceAccount;
use ionet_abi::events::supply::OfferCoStakeRecord;
use ionet_abi::instructions::supply::OfferCoStakeArgs;
use ionet_rules::money::Io;

use super::accounts::OfferCoStake;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Offers.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let OfferCoStakeArgs { max, share_bps, reserved } = checks::arguments(call)?;
    checks::well_formed(reserved == [0; 6])?;
    let OfferCoStake { network, device } = OfferCoStake::check(call)?;
    let now = clock::unix_secs()?;

    let (record, stamp) = device.step(|device: &mut DeviceAccount| {
        device.stake.offer(Io(max), share_bps)?;
        Ok(OfferCoStakeRecord { device: device.device, max, share_bps: device.stake.co_share_bps, reserved })
    })?;

    stamp.emit(&network, now, &record)
}
