//! The accounts of `earn`.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::EarnAccounts;
use pinocchio::AccountView;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::booking::OpenBooking;
use crate::state::network::Network;
use crate::tokens::Vault;

/// The checked accounts.
pub(super) struct Earn<'a> {
    pub(super) network: Network<'a>,
    pub(super) booking: OpenBooking<'a>,
    pub(super) io_escrow: Vault<'a>,
    pub(super) io_treasury: Vault<'a>,
    pub(super) io_incentives: Vault<'a>,
    pub(super) io_mint: &'a AccountView,
}

impl<'a> Earn<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(EarnAccounts::<()>::USES) })?;
        let EarnAccounts { network, booking, io_escrow, io_treasury, io_incentives, io_mint, token_program, program } =
            EarnAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let booking = OpenBooking::open(booking, call.program_id)?;
        checks::recorded(io_escrow, network.vault(VaultKind::IoEscrow))?;
        checks::recorded(io_treasury, network.vault(VaultKind::IoTreasury))?;
        checks::recorded(io_incentives, network.vault(VaultKind::IoIncentives))?;
        checks::recorded(io_mint, &network.io_mint)?;
        Ok(Self {
            io_escrow: Vault::open(io_escrow)?,
            io_treasury: Vault::open(io_treasury)?,
            io_incentives: Vault::open(io_incentives)?,
            io_mint,
            network,
            booking,
        })
    }
}
