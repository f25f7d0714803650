//! The accounts of `stake`.

use ionet_abi::accounts::{DeviceAccount, SupplyAccount};
use ionet_abi::instructions::supply::StakeAccounts;
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
pub(super) struct Stake<'a> {
    pub(super) owner: &'a AccountView,
    pub(super) network: Network<'a>,
    pub(super) device: Open<'a, DeviceAccount>,
    pub(super) source: &'a AccountView,
    pub(super) vault: Vault<'a>,
}

impl<'a> Stake<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(StakeAccounts::<()>::USES) })?;
        let StakeAccounts { owner, network, supply, device, source, io_stake, token_program, program } = StakeAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let device: Open<DeviceAccount> = Open::at(device, call.program_id)?;
        checks::authority(owner, &device.read()?.owner)?;
        checks::recorded(io_stake, &supply.io_stake)?;
        tokens::check_account(source, &network.io_mint, &owner.address().to_bytes())?;
        Ok(Self { vault: Vault::open(io_stake)?, owner, network, device, source })
    }
}
