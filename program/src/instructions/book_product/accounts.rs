//! The accounts of `book_product`.

use ionet_abi::instructions::BookProductAccounts;
use ionet_abi::seeds;
use pinocchio::AccountView;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::create::Place;
use crate::state::network::Network;

/// The checked accounts.
pub(super) struct BookProduct<'a> {
    pub(super) payer: &'a AccountView,
    pub(super) customer: &'a AccountView,
    pub(super) network: Network<'a>,
    pub(super) booking: Place<'a>,
}

impl<'a> BookProduct<'a> {
    pub(super) fn check(call: &Call<'a>, cluster_id: &'a [u8; 16]) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(BookProductAccounts::<()>::USES) })?;
        let BookProductAccounts { payer, customer, quote_authority, network, booking, system_program, program } =
            BookProductAccounts::from_list(list);
        checks::system_program(system_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        checks::authority(quote_authority, &network.quote_authority)?;
        let booking = Place::find(booking, &[seeds::BOOKING, cluster_id], call.program_id)?;
        Ok(Self { payer, customer, network, booking })
    }
}
