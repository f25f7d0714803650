//! The accounts of `register_device`.

use ionet_abi::accounts::MultipliersAccount;
use ionet_abi::instructions::supply::RegisterDeviceAccounts;
use ionet_abi::{AddressBytes, seeds};
use pinocchio::AccountView;
use pinocchio::account::Ref;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state;
use crate::state::create::Place;
use crate::state::network::Network;

/// The checked accounts.
pub(super) struct RegisterDevice<'a> {
    pub(super) payer: &'a AccountView,
    pub(super) owner: &'a AccountView,
    pub(super) network: Network<'a>,
    pub(super) multipliers: Ref<'a, MultipliersAccount>,
    pub(super) device: Place<'a>,
    pub(super) claim: Place<'a>,
}

impl<'a> RegisterDevice<'a> {
    pub(super) fn check(call: &Call<'a>, key: &'a AddressBytes) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(RegisterDeviceAccounts::<()>::USES) })?;
        let RegisterDeviceAccounts { payer, owner, quote_authority, network, multipliers, device, claim, system_program, program } =
            RegisterDeviceAccounts::from_list(list);
        checks::system_program(system_program)?;
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let multipliers: Ref<MultipliersAccount> = state::view(multipliers, call.program_id)?;
        checks::authority(quote_authority, &network.quote_authority)?;
        let device = Place::find(device, &[seeds::DEVICE, key], call.program_id)?;
        let claim = Place::find(claim, &[seeds::CLAIM, key], call.program_id)?;
        Ok(Self { payer, owner, network, multipliers, device, claim })
    }
}
