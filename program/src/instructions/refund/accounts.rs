//! The accounts of `refund`.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::RefundAccounts;
use pinocchio::AccountView;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::booking::OpenBooking;
use crate::state::network::Network;
use crate::tokens::{self, Vault};

/// The checked accounts.
pub(super) struct Refund<'a> {
    pub(super) network: Network<'a>,
    pub(super) booking: OpenBooking<'a>,
    pub(super) escrow: Vault<'a>,
    pub(super) treasury: Vault<'a>,
    pub(super) destination: &'a AccountView,
}

impl<'a> Refund<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(RefundAccounts::<()>::USES) })?;
        let RefundAccounts { network, booking, escrow, treasury, destination, token_program, program } = RefundAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let booking = OpenBooking::open(booking, call.program_id)?;
        let currency = booking.book.currency()?;
        checks::recorded(escrow, network.vault(VaultKind::escrow(currency)))?;
        checks::recorded(treasury, network.vault(VaultKind::treasury(currency)))?;
        // Not refundable is for the rule to say; here it matters only whether anything would go to the destination.
        if booking.book.refund_amount().is_ok_and(|amount| !amount.is_zero()) {
            tokens::check_account(destination, network.mint(currency), &booking.customer)?;
        }
        Ok(Self { escrow: Vault::open(escrow)?, treasury: Vault::open(treasury)?, destination, network, booking })
    }
}
