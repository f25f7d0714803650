//! The accounts of `withdraw_stake`.

use ionet_abi::accounts::{DeviceAccount, MultipliersAccount, SupplyAccount};
use ionet_abi::instructions::supply::WithdrawStakeAccounts;
use pinocchio::AccountView;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;
use crate::state::open::Open;
use crate::tokens::{self, Vault};

/// The checked accounts.
pub(super) struct WithdrawStake<'a> {
    pub(super) network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    pub(super) multipliers: Ref<'a, MultipliersAccount>,
    pub(super) device: Open<'a, DeviceAccount>,
    pub(super) io_stake: Vault<'a>,
    pub(super) destination: &'a AccountView,
}

impl<'a> WithdrawStake<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(WithdrawStakeAccounts::<()>::USES) })?;
        let WithdrawStakeAccounts { owner, network, supply, multipliers, device, io_stake, destination, token_program, program } =
            WithdrawStakeAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let multipliers: Ref<MultipliersAccount> = state::view(multipliers, call.program_id)?;
        let device: Open<DeviceAccount> = Open::at(device, call.program_id)?;
        checks::authority(owner, &device.read()?.owner)?;
        checks::recorded(io_stake, &supply.io_stake)?;
        tokens::check_account(destination, &network.io_mint, &owner.address().to_bytes())?;
        Ok(Self { io_stake: Vault::open(io_stake)?, network, supply, multipliers, device, destination })
    }
}
