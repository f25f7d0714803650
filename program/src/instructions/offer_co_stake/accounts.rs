//! The accounts of `offer_co_stake`.

use ionet_abi::accounts::DeviceAccount;
use ionet_abi::instructions::supply::OfferCoStakeAccounts;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::network::Network;
use crate::state::open::Open;

/// The checked accounts.
pub(super) struct OfferCoStake<'a> {
    pub(super) network: Network<'a>,
    pub(super) device: Open<'a, DeviceAccount>,
}

impl<'a> OfferCoStake<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(OfferCoStakeAccounts::<()>::USES) })?;
        let OfferCoStakeAccounts { owner, network, device, program } = OfferCoStakeAccounts::from_list(list);
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let device: Open<DeviceAccount> = Open::at(device, call.program_id)?;
        checks::authority(owner, &device.read()?.owner)?;
        Ok(Self { network, device })
    }
}
