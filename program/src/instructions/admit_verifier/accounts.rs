//! The accounts of `admit_verifier`.

use ionet_abi::accounts::VerifiersAccount;
use ionet_abi::instructions::supply::AdmitVerifierAccounts;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::network::Network;
use crate::state::open::Open;

/// The checked accounts.
pub(super) struct AdmitVerifier<'a> {
    pub(super) network: Network<'a>,
    pub(super) verifiers: Open<'a, VerifiersAccount>,
}

impl<'a> AdmitVerifier<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(AdmitVerifierAccounts::<()>::USES) })?;
        let AdmitVerifierAccounts { authority, network, verifiers, program } = AdmitVerifierAccounts::from_list(list);
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let verifiers: Open<VerifiersAccount> = Open::at(verifiers, call.program_id)?;
        checks::authority(authority, &network.authority)?;
        Ok(Self { network, verifiers })
    }
}
