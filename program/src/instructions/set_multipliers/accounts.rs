//! The accounts of `set_multipliers`.

use ionet_abi::accounts::MultipliersAccount;
use ionet_abi::instructions::supply::SetMultipliersAccounts;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::network::Network;
use crate::state::open::Open;

/// The checked accounts.
pub(super) struct SetMultipliers<'a> {
    pub(super) multipliers: Open<'a, MultipliersAccount>,
}

impl<'a> SetMultipliers<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(SetMultipliersAccounts::<()>::USES) })?;
        let SetMultipliersAccounts { authority, network, multipliers } = SetMultipliersAccounts::from_list(list);
        let network = Network::open(network, call.program_id)?;
        let multipliers: Open<MultipliersAccount> = Open::at(multipliers, call.program_id)?;
        checks::authority(authority, &network.authority)?;
        Ok(Self { multipliers })
    }
}
