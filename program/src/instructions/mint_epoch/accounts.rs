//! The accounts of `mint_epoch`.

use ionet_abi::accounts::{EpochsAccount, SupplyAccount};
use ionet_abi::instructions::supply::MintEpochAccounts;
use pinocchio::AccountView;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;
use crate::state::open::Open;
use crate::tokens::Vault;

/// The checked accounts.
pub(super) struct MintEpoch<'a> {
    pub(super) network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    pub(super) epochs: Open<'a, EpochsAccount>,
    pub(super) io_mint: &'a AccountView,
    pub(super) io_rewards: Vault<'a>,
}

impl<'a> MintEpoch<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(MintEpochAccounts::<()>::USES) })?;
        let MintEpochAccounts { network, supply, epochs, io_mint, io_rewards, token_program, program } = MintEpochAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let epochs: Open<EpochsAccount> = Open::at(epochs, call.program_id)?;
        checks::recorded(io_mint, &network.io_mint)?;
        checks::recorded(io_rewards, &supply.io_rewards)?;
        Ok(Self { io_rewards: Vault::open(io_rewards)?, network, supply, epochs, io_mint })
    }
}
