//! The accounts of `open_case`.

use ionet_abi::accounts::{DeviceAccount, EpochsAccount, SupplyAccount, VerifiersAccount};
use ionet_abi::faults::Fault;
use ionet_abi::instructions::supply::OpenCaseAccounts;
use ionet_abi::seeds;
use pinocchio::AccountView;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::create::Place;
use crate::state::network::Network;
use crate::state::open::Open;

/// The checked accounts.
pub(super) struct OpenCase<'a> {
    pub(super) payer: &'a AccountView,
    pub(super) verifier: &'a AccountView,
    pub(super) network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    /// The verifier's place.
    pub(super) place: usize,
    pub(super) verifiers: Ref<'a, VerifiersAccount>,
    pub(super) epochs: Open<'a, EpochsAccount>,
    pub(super) device: Open<'a, DeviceAccount>,
    pub(super) case: Place<'a>,
}

impl<'a> OpenCase<'a> {
    pub(super) fn check(call: &Call<'a>, case_id: &'a [u8; 16]) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(OpenCaseAccounts::<()>::USES) })?;
        let OpenCaseAccounts { payer, verifier, network, supply, verifiers, epochs, device, case, system_program, program } =
            OpenCaseAccounts::from_list(list);
        checks::system_program(system_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let verifiers: Ref<VerifiersAccount> = state::view(verifiers, call.program_id)?;
        let epochs: Open<EpochsAccount> = Open::at(epochs, call.program_id)?;
        let device: Open<DeviceAccount> = Open::at(device, call.program_id)?;
        let place = verifiers.place(verifier.address().as_array()).ok_or(Fault::WrongSigner)?;
        let case = Place::find(case, &[seeds::CASE, case_id], call.program_id)?;
        Ok(Self { payer, verifier, network, supply, place, verifiers, epochs, device, case })
    }
}
