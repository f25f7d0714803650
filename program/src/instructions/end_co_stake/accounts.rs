//! The accounts of `end_co_stake`.

use ionet_abi::accounts::{DeviceAccount, MultipliersAccount, SupplyAccount};
use ionet_abi::instructions::supply::EndCoStakeAccounts;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;
use crate::state::open::Open;

/// The checked accounts.
pub(super) struct EndCoStake<'a> {
    pub(super) network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    pub(super) multipliers: Ref<'a, MultipliersAccount>,
    pub(super) device: Open<'a, DeviceAccount>,
}

impl<'a> EndCoStake<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(EndCoStakeAccounts::<()>::USES) })?;
        let EndCoStakeAccounts { party, network, supply, multipliers, device, program } = EndCoStakeAccounts::from_list(list);
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let multipliers: Ref<MultipliersAccount> = state::view(multipliers, call.program_id)?;
        let device: Open<DeviceAccount> = Open::at(device, call.program_id)?;
        let parties = device.read()?;
        checks::authority(party, &parties.owner).or_else(|_| checks::authority(party, &parties.co_staker))?;
        drop(parties);
        Ok(Self { network, supply, multipliers, device })
    }
}
