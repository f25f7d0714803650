//! The accounts of `worked`.

use ionet_abi::accounts::{OracleAccount, VaultKind};
use ionet_abi::instructions::WorkedAccounts;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::booking::OpenBooking;
use crate::state::network::Network;
use crate::tokens::Vault;

/// The checked accounts.
pub(super) struct Worked<'a> {
    pub(super) network: Network<'a>,
    pub(super) oracle: Ref<'a, OracleAccount>,
    pub(super) booking: OpenBooking<'a>,
    pub(super) escrow: Vault<'a>,
    pub(super) payable: Vault<'a>,
    pub(super) treasury: Vault<'a>,
}

impl<'a> Worked<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(WorkedAccounts::<()>::USES) })?;
        let WorkedAccounts { verifier, network, oracle, booking, escrow, payable, treasury, token_program, program } =
            WorkedAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let oracle = state::view(oracle, call.program_id)?;
        let booking = OpenBooking::open(booking, call.program_id)?;
        checks::authority(verifier, &network.verifier)?;
        let currency = booking.book.currency()?;
        checks::recorded(escrow, network.vault(VaultKind::escrow(currency)))?;
        checks::recorded(payable, network.vault(VaultKind::payable(currency)))?;
        checks::recorded(treasury, network.vault(VaultKind::treasury(currency)))?;
        Ok(Self {
            escrow: Vault::open(escrow)?,
            payable: Vault::open(payable)?,
            treasury: Vault::open(treasury)?,
            network,
            oracle,
            booking,
        })
    }
}
