//! The accounts of `start`.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::StartAccounts;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::booking::OpenBooking;
use crate::state::network::Network;
use crate::tokens::Vault;

/// The checked accounts.
pub(super) struct Start<'a> {
    pub(super) network: Network<'a>,
    pub(super) booking: OpenBooking<'a>,
    pub(super) escrow: Vault<'a>,
    pub(super) treasury: Vault<'a>,
}

impl<'a> Start<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(StartAccounts::<()>::USES) })?;
        let StartAccounts { verifier, network, booking, escrow, treasury, token_program, program } = StartAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let booking = OpenBooking::open(booking, call.program_id)?;
        checks::authority(verifier, &network.verifier)?;
        let currency = booking.book.currency()?;
        checks::recorded(escrow, network.vault(VaultKind::escrow(currency)))?;
        checks::recorded(treasury, network.vault(VaultKind::treasury(currency)))?;
        Ok(Self { escrow: Vault::open(escrow)?, treasury: Vault::open(treasury)?, network, booking })
    }
}
