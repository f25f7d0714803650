//! The accounts of `accept_co_stake`.

use ionet_abi::accounts::{DeviceAccount, SupplyAccount};
use ionet_abi::faults::Fault;
use ionet_abi::instructions::supply::AcceptCoStakeAccounts;
use pinocchio::account::Ref;
use pinocchio::address::address_eq;
use pinocchio::{AccountView, Address};

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;
use crate::state::open::Open;
use crate::tokens::{self, Vault};

/// The checked accounts.
pub(super) struct AcceptCoStake<'a> {
    pub(super) payer: &'a AccountView,
    pub(super) co_staker: &'a AccountView,
    pub(super) network: Network<'a>,
    pub(super) device: Open<'a, DeviceAccount>,
    pub(super) claim: &'a AccountView,
    pub(super) source: &'a AccountView,
    pub(super) io_stake: Vault<'a>,
}

impl<'a> AcceptCoStake<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(AcceptCoStakeAccounts::<()>::USES) })?;
        let AcceptCoStakeAccounts {
            payer,
            co_staker,
            network,
            supply,
            device,
            claim,
            source,
            io_stake,
            token_program,
            system_program,
            program,
        } = AcceptCoStakeAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::system_program(system_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let device: Open<DeviceAccount> = Open::at(device, call.program_id)?;
        // The owner is not its own co-staker.
        if address_eq(co_staker.address(), &Address::new_from_array(device.read()?.owner)) {
            return Err(Fault::WrongSigner.into());
        }
        checks::recorded(io_stake, &supply.io_stake)?;
        tokens::check_account(source, &network.io_mint, &co_staker.address().to_bytes())?;
        Ok(Self { io_stake: Vault::open(io_stake)?, payer, co_staker, network, device, claim, source })
    }
}
