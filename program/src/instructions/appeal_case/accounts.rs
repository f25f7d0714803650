//! The accounts of `appeal_case`.

use ionet_abi::accounts::{CaseAccount, DeviceAccount, SupplyAccount};
use ionet_abi::instructions::supply::AppealCaseAccounts;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::instructions::closing;
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;
use crate::state::open::Open;

/// The checked accounts.
pub(super) struct AppealCase<'a> {
    pub(super) network: Network<'a>,
    pub(super) supply: Ref<'a, SupplyAccount>,
    pub(super) device: Open<'a, DeviceAccount>,
    pub(super) case: Open<'a, CaseAccount>,
}

impl<'a> AppealCase<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(AppealCaseAccounts::<()>::USES) })?;
        let AppealCaseAccounts { owner, network, supply, device, case, program } = AppealCaseAccounts::from_list(list);
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let supply: Ref<SupplyAccount> = state::view(supply, call.program_id)?;
        let device: Open<DeviceAccount> = Open::at(device, call.program_id)?;
        let case: Open<CaseAccount> = Open::at(case, call.program_id)?;
        checks::authority(owner, &device.read()?.owner)?;
        closing::belongs(&case, &device)?;
        Ok(Self { network, supply, device, case })
    }
}
