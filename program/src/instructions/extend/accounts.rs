//! The accounts of `extend`.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::ExtendAccounts;
use pinocchio::AccountView;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::booking::OpenBooking;
use crate::state::network::Network;
use crate::tokens::{self, Vault};

/// The checked accounts.
pub(super) struct Extend<'a> {
    pub(super) customer: &'a AccountView,
    pub(super) network: Network<'a>,
    pub(super) booking: OpenBooking<'a>,
    pub(super) source: &'a AccountView,
    pub(super) escrow: Vault<'a>,
    pub(super) treasury: Vault<'a>,
}

impl<'a> Extend<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(ExtendAccounts::<()>::USES) })?;
        let ExtendAccounts { customer, quote_authority, network, booking, source, escrow, treasury, token_program, program } =
            ExtendAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let booking = OpenBooking::open(booking, call.program_id)?;
        checks::authority(customer, &booking.customer)?;
        checks::authority(quote_authority, &network.quote_authority)?;
        let currency = booking.book.currency()?;
        checks::recorded(escrow, network.vault(VaultKind::escrow(currency)))?;
        checks::recorded(treasury, network.vault(VaultKind::treasury(currency)))?;
        tokens::check_account(source, network.mint(currency), &booking.customer)?;
        Ok(Self { customer, source, escrow: Vault::open(escrow)?, treasury: Vault::open(treasury)?, network, booking })
    }
}
