//! The accounts of `claim`.

use ionet_abi::accounts::{ClaimAccount, EpochsAccount, SupplyAccount, VaultKind};
use ionet_abi::instructions::supply::ClaimAccounts;
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
pub(super) struct Claim<'a> {
    pub(super) network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    pub(super) epochs: Open<'a, EpochsAccount>,
    pub(super) beneficiary: Open<'a, ClaimAccount>,
    pub(super) io_rewards: Vault<'a>,
    pub(super) usdc_payable: Vault<'a>,
    pub(super) io_destination: &'a AccountView,
    pub(super) usdc_destination: &'a AccountView,
}

impl<'a> Claim<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(ClaimAccounts::<()>::USES) })?;
        let ClaimAccounts {
            network,
            supply,
            epochs,
            claim,
            io_rewards,
            usdc_payable,
            io_destination,
            usdc_destination,
            token_program,
            program,
        } = ClaimAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let epochs: Open<EpochsAccount> = Open::at(epochs, call.program_id)?;
        let claim: Open<ClaimAccount> = Open::at(claim, call.program_id)?;
        checks::recorded(io_rewards, &supply.io_rewards)?;
        checks::recorded(usdc_payable, network.vault(VaultKind::UsdcPayable))?;
        Ok(Self {
            io_rewards: Vault::open(io_rewards)?,
            usdc_payable: Vault::open(usdc_payable)?,
            network,
            supply,
            epochs,
            beneficiary: claim,
            io_destination,
            usdc_destination,
        })
    }
}
