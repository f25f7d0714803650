//! The accounts of `strike_root`.

use ionet_abi::accounts::{SupplyAccount, VerifiersAccount};
use ionet_abi::instructions::supply::StrikeRootAccounts;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;
use crate::state::open::Open;

/// The checked accounts.
pub(super) struct StrikeRoot<'a> {
    pub(super) network: Network<'a>,
    pub(super) verifiers: Open<'a, VerifiersAccount>,
}

impl<'a> StrikeRoot<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(StrikeRootAccounts::<()>::USES) })?;
        let StrikeRootAccounts { council, network, supply, verifiers, program } = StrikeRootAccounts::from_list(list);
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let verifiers: Open<VerifiersAccount> = Open::at(verifiers, call.program_id)?;
        checks::authority(council, &supply.council)?;
        Ok(Self { network, verifiers })
    }
}
