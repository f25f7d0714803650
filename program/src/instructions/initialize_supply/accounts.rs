//! The accounts of `initialize_supply`.

use ionet_abi::instructions::supply::InitializeSupplyAccounts;
use ionet_abi::seeds;
use pinocchio::AccountView;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::create::Place;
use crate::state::network::Network;

/// The checked accounts.
pub(super) struct InitializeSupply<'a> {
    pub(super) payer: &'a AccountView,
    pub(super) network: Network<'a>,
    pub(super) supply: Place<'a>,
    pub(super) epochs: Place<'a>,
    pub(super) verifiers: Place<'a>,
    pub(super) multipliers: Place<'a>,
    pub(super) io_rewards: Place<'a>,
    pub(super) io_stake: Place<'a>,
    pub(super) io_mint: &'a AccountView,
}

impl<'a> InitializeSupply<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(InitializeSupplyAccounts::<()>::USES) })?;
        let InitializeSupplyAccounts {
            payer,
            authority,
            network,
            supply,
            epochs,
            verifiers,
            multipliers,
            io_rewards,
            io_stake,
            io_mint,
            token_program,
            system_program,
        } = InitializeSupplyAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::system_program(system_program)?;
        let network = Network::open(network, call.program_id)?;
        checks::authority(authority, &network.authority)?;
        checks::recorded(io_mint, &network.io_mint)?;
        checks::recorded(io_mint, &network.io_mint)?;
        let supply = Place::find(supply, &[seeds::SUPPLY], call.program_id)?;
        let epochs = Place::find(epochs, &[seeds::EPOCHS], call.program_id)?;
        let verifiers = Place::find(verifiers, &[seeds::VERIFIERS], call.program_id)?;
        let multipliers = Place::find(multipliers, &[seeds::MULTIPLIERS], call.program_id)?;
        let io_rewards = Place::find(io_rewards, &[seeds::IO_REWARDS], call.program_id)?;
        let io_stake = Place::find(io_stake, &[seeds::IO_STAKE], call.program_id)?;
        Ok(Self { payer, network, supply, epochs, verifiers, multipliers, io_rewards, io_stake, io_mint })
    }
}
