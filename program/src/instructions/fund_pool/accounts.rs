//! The accounts of `fund_pool`.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::FundPoolAccounts;
use pinocchio::AccountView;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::network::Network;
use crate::tokens::{self, Vault};

/// The checked accounts.
pub(super) struct FundPool<'a> {
    pub(super) authority: &'a AccountView,
    pub(super) usdc_source: &'a AccountView,
    pub(super) io_source: &'a AccountView,
    pub(super) usdc_pool: Vault<'a>,
    pub(super) io_pool: Vault<'a>,
}

impl<'a> FundPool<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(FundPoolAccounts::<()>::USES) })?;
        let FundPoolAccounts { authority, network, usdc_source, io_source, usdc_pool, io_pool, token_program } =
            FundPoolAccounts::from_list(list);
        checks::token_program(token_program)?;
        let network = Network::open(network, call.program_id)?;
        checks::authority(authority, &network.authority)?;
        checks::recorded(usdc_pool, network.vault(VaultKind::UsdcPool))?;
        checks::recorded(io_pool, network.vault(VaultKind::IoPool))?;
        tokens::check_account(usdc_source, &network.usdc_mint, &network.authority)?;
        tokens::check_account(io_source, &network.io_mint, &network.authority)?;
        Ok(Self { authority, usdc_source, io_source, usdc_pool: Vault::open(usdc_pool)?, io_pool: Vault::open(io_pool)? })
    }
}
