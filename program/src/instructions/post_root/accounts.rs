//! The accounts of `post_root`.

use ionet_abi::accounts::{EpochsAccount, SupplyAccount, VerifiersAccount};
use ionet_abi::faults::Fault;
use ionet_abi::instructions::supply::PostRootAccounts;
use pinocchio::AccountView;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;
use crate::state::open::Open;

/// The checked accounts.
pub(super) struct PostRoot<'a> {
    pub(super) verifier: &'a AccountView,
    pub(super) network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    pub(super) epochs: Ref<'a, EpochsAccount>,
    /// The verifier's place.
    pub(super) place: usize,
    pub(super) verifiers: Open<'a, VerifiersAccount>,
}

impl<'a> PostRoot<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(PostRootAccounts::<()>::USES) })?;
        let PostRootAccounts { verifier, network, supply, epochs, verifiers, program } = PostRootAccounts::from_list(list);
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let epochs: Ref<EpochsAccount> = state::view(epochs, call.program_id)?;
        let verifiers: Open<VerifiersAccount> = Open::at(verifiers, call.program_id)?;
        let place = verifiers.read()?.place(verifier.address().as_array()).ok_or(Fault::WrongSigner)?;
        Ok(Self { verifier, network, supply, epochs, place, verifiers })
    }
}
