//! The accounts of `accept_root`.

use ionet_abi::accounts::{EpochsAccount, SupplyAccount, VaultKind, VerifiersAccount};
use ionet_abi::instructions::supply::AcceptRootAccounts;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;
use crate::state::open::Open;
use crate::tokens::Vault;

/// The checked accounts.
pub(super) struct AcceptRoot<'a> {
    pub(super) network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    pub(super) epochs: Open<'a, EpochsAccount>,
    pub(super) verifiers: Ref<'a, VerifiersAccount>,
    pub(super) io_payable: Vault<'a>,
    pub(super) usdc_payable: Vault<'a>,
    pub(super) io_rewards: Vault<'a>,
}

impl<'a> AcceptRoot<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(AcceptRootAccounts::<()>::USES) })?;
        let AcceptRootAccounts { network, supply, epochs, verifiers, io_payable, usdc_payable, io_rewards, token_program, program } =
            AcceptRootAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let epochs: Open<EpochsAccount> = Open::at(epochs, call.program_id)?;
        let verifiers: Ref<VerifiersAccount> = state::view(verifiers, call.program_id)?;
        checks::recorded(io_payable, network.vault(VaultKind::IoPayable))?;
        checks::recorded(usdc_payable, network.vault(VaultKind::UsdcPayable))?;
        checks::recorded(io_rewards, &supply.io_rewards)?;
        Ok(Self {
            io_payable: Vault::open(io_payable)?,
            usdc_payable: Vault::open(usdc_payable)?,
            io_rewards: Vault::open(io_rewards)?,
            network,
            supply,
            epochs,
            verifiers,
        })
    }
}
