//! The accounts of `pay`.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::PayAccounts;
use pinocchio::AccountView;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::booking::OpenBooking;
use crate::state::network::Network;
use crate::tokens::{self, Vault};

/// The checked accounts.
pub(super) struct Pay<'a> {
    pub(super) customer: &'a AccountView,
    pub(super) network: Network<'a>,
    pub(super) booking: OpenBooking<'a>,
    pub(super) source: &'a AccountView,
    pub(super) escrow: Vault<'a>,
}

impl<'a> Pay<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(PayAccounts::<()>::USES) })?;
        let PayAccounts { customer, network, booking, source, escrow, token_program, program } = PayAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let booking = OpenBooking::open(booking, call.program_id)?;
        checks::authority(customer, &booking.customer)?;
        let currency = booking.book.currency()?;
        checks::recorded(escrow, network.vault(VaultKind::escrow(currency)))?;
        tokens::check_account(source, network.mint(currency), &booking.customer)?;
        Ok(Self { customer, source, escrow: Vault::open(escrow)?, network, booking })
    }
}
