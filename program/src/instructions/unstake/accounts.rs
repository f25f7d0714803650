//! The accounts of `unstake`.

use ionet_abi::accounts::{DeviceAccount, SupplyAccount};
use ionet_abi::instructions::supply::UnstakeAccounts;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;
use crate::state::open::Open;

/// The checked accounts.
pub(super) struct Unstake<'a> {
    pub(super) network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    pub(super) device: Open<'a, DeviceAccount>,
}

impl<'a> Unstake<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(UnstakeAccounts::<()>::USES) })?;
        let UnstakeAccounts { owner, quote_authority, network, supply, device, program } = UnstakeAccounts::from_list(list);
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let device: Open<DeviceAccount> = Open::at(device, call.program_id)?;
        checks::authority(quote_authority, &network.quote_authority)?;
        checks::authority(owner, &device.read()?.owner)?;
        Ok(Self { network, supply, device })
    }
}
