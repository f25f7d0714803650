//! The accounts of `withdraw_co_stake`.

use ionet_abi::accounts::{DeviceAccount, SupplyAccount};
use ionet_abi::instructions::supply::WithdrawCoStakeAccounts;
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
pub(super) struct WithdrawCoStake<'a> {
    pub(super) network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    pub(super) device: Open<'a, DeviceAccount>,
    pub(super) io_stake: Vault<'a>,
    pub(super) destination: &'a AccountView,
}

impl<'a> WithdrawCoStake<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(WithdrawCoStakeAccounts::<()>::USES) })?;
        let WithdrawCoStakeAccounts { co_staker, network, supply, device, io_stake, destination, token_program, program } =
            WithdrawCoStakeAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let device: Open<DeviceAccount> = Open::at(device, call.program_id)?;
        checks::authority(co_staker, &device.read()?.co_staker)?;
        checks::recorded(io_stake, &supply.io_stake)?;
        tokens::check_account(destination, &network.io_mint, &co_staker.address().to_bytes())?;
        Ok(Self { io_stake: Vault::open(io_stake)?, network, supply, device, destination })
    }
}
