//! The accounts of `repurchase`.

use ionet_abi::accounts::{OracleAccount, VaultKind};
use ionet_abi::instructions::RepurchaseAccounts;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::booking::OpenBooking;
use crate::state::network::Network;
use crate::tokens::Vault;

/// The checked accounts.
pub(super) struct Repurchase<'a> {
    pub(super) network: Network<'a>,
    pub(super) oracle: Ref<'a, OracleAccount>,
    pub(super) booking: OpenBooking<'a>,
    pub(super) usdc_escrow: Vault<'a>,
    pub(super) io_escrow: Vault<'a>,
    pub(super) usdc_pool: Vault<'a>,
    pub(super) io_pool: Vault<'a>,
}

impl<'a> Repurchase<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(RepurchaseAccounts::<()>::USES) })?;
        let RepurchaseAccounts { network, oracle, booking, usdc_escrow, io_escrow, usdc_pool, io_pool, token_program, program } =
            RepurchaseAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let oracle = state::view(oracle, call.program_id)?;
        let booking = OpenBooking::open(booking, call.program_id)?;
        checks::recorded(usdc_escrow, network.vault(VaultKind::UsdcEscrow))?;
        checks::recorded(io_escrow, network.vault(VaultKind::IoEscrow))?;
        checks::recorded(usdc_pool, network.vault(VaultKind::UsdcPool))?;
        checks::recorded(io_pool, network.vault(VaultKind::IoPool))?;
        Ok(Self {
            usdc_escrow: Vault::open(usdc_escrow)?,
            io_escrow: Vault::open(io_escrow)?,
            usdc_pool: Vault::open(usdc_pool)?,
            io_pool: Vault::open(io_pool)?,
            network,
            oracle,
            booking,
        })
    }
}
