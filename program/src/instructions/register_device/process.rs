//! Creates the device's account, nothing staked yet, and the account of its claims.

use ionet_abi::accounts::{AccountTag, DeviceAccount, ProgramAccount, VERSION};
use ionet_abi::events::supply::RegisterDeviceRecord;
use ionet_abi::instructions::supply::RegisterDeviceArgs;
use ionet_rules::booking::HardwareKind;
use ionet_rules::multipliers::Model;
use ionet_rules::stake;

use super::accounts::RegisterDevice;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;
use crate::state::claim::Beneficiary;
use crate::state::open::{Open, fill};

/// Registers.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let args: RegisterDeviceArgs = checks::arguments(call)?;
    let RegisterDeviceArgs { device, payout, processors, model, kind, reserved } = args;
    checks::well_formed(device != [0; 32] && payout != [0; 32] && reserved == 0)?;
    let model_of = Model { number: model, kind: HardwareKind::from_u8(kind)? };
    let RegisterDevice { payer, owner, network, multipliers, device: place, claim } = RegisterDevice::check(call, &device)?;
    let now = clock::unix_secs()?;

    model_of.entry(multipliers.models())?;
    // The least that any device of so many processors must stake: refused when it has too many or none.
    stake::minimum(0, processors)?;

    let owner = owner.address().to_bytes();
    Beneficiary { device, owner, payout }.create(&claim, payer, call.program_id)?;
    place.create(payer, DeviceAccount::SIZE, call.program_id)?;
    fill(place.account(), |account: &mut DeviceAccount| {
        account.tag = AccountTag::Device as u8;
        account.version = VERSION;
        account.bump = place.bump();
        account.kind = kind;
        account.device = device;
        account.owner = owner;
        account.processors = processors;
        account.model = model;
    })?;
    let ((), stamp) = Open::<DeviceAccount>::at(place.account(), call.program_id)?.step(|_| Ok(()))?;
    stamp.emit(&network, now, &RegisterDeviceRecord { device, owner, payout, processors, model, kind, reserved })
}
