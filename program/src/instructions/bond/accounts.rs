//! The accounts of `bond`.

use ionet_abi::accounts::{SupplyAccount, VerifiersAccount};
use ionet_abi::faults::Fault;
use ionet_abi::instructions::supply::BondAccounts;
use pinocchio::AccountView;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;
use crate::state::open::Open;
use crate::tokens::{self, Vault};

/// The checked accounts.
pub(super) struct Bond<'a> {
    pub(super) verifier: &'a AccountView,
    pub(super) network: Network<'a>,
    /// The verifier's place.
    pub(super) place: usize,
    pub(super) verifiers: Open<'a, VerifiersAccount>,
    pub(super) source: &'a AccountView,
    pub(super) io_stake: Vault<'a>,
}

impl<'a> Bond<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(BondAccounts::<()>::USES) })?;
        let BondAccounts { verifier, network, supply, verifiers, source, io_stake, token_program, program } = BondAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let verifiers: Open<VerifiersAccount> = Open::at(verifiers, call.program_id)?;
        let place = verifiers.read()?.place(verifier.address().as_array()).ok_or(Fault::WrongSigner)?;
        checks::recorded(io_stake, &supply.io_stake)?;
        tokens::check_account(source, &network.io_mint, &verifier.address().to_bytes())?;
        Ok(Self { io_stake: Vault::open(io_stake)?, verifier, network, place, verifiers, source })
    }
}
