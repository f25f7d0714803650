//! The accounts of `expire`.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::ExpireAccounts;
use pinocchio::AccountView;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::booking::OpenBooking;
use crate::state::network::Network;
use crate::tokens::{self, Vault};

/// The checked accounts.
pub(super) struct Expire<'a> {
    pub(super) network: Network<'a>,
    pub(super) booking: OpenBooking<'a>,
    pub(super) escrow: Vault<'a>,
    pub(super) destination: &'a AccountView,
}

impl<'a> Expire<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(ExpireAccounts::<()>::USES) })?;
        let ExpireAccounts { network, booking, escrow, destination, token_program, program } = ExpireAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let booking = OpenBooking::open(booking, call.program_id)?;
        let currency = booking.book.currency()?;
        checks::recorded(escrow, network.vault(VaultKind::escrow(currency)))?;
        // All that was paid goes back; nothing paid, nothing goes to the destination.
        if !booking.book.paid.is_zero() {
            tokens::check_account(destination, network.mint(currency), &booking.customer)?;
        }
        Ok(Self { escrow: Vault::open(escrow)?, destination, network, booking })
    }
}
