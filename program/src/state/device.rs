//! What a device must stake, from the on-chain multiplier table.

use ionet_abi::accounts::{DeviceAccount, MultipliersAccount};
use ionet_rules::booking::HardwareKind;
use ionet_rules::money::Io;
use ionet_rules::multipliers::Model;
use ionet_rules::stake;
use ionet_rules::supply::SupplyParams;

use crate::refusal::Outcome;

/// The minimum stake of a device as the table is now.
pub(crate) fn minimum(device: &DeviceAccount, multipliers: &MultipliersAccount, params: &SupplyParams) -> Outcome<Io> {
    let model = Model { number: device.model, kind: HardwareKind::from_u8(device.kind)? };
    Ok(stake::minimum(model.centi(multipliers.models(), params)?, device.processors)?)
}

/// With the last of a co-stake the device has no co-staker.
pub(crate) fn forget_co_staker(device: &mut DeviceAccount) {
    if device.stake.co.is_zero() {
        device.co_staker = [0; 32];
    }
}
