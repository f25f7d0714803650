//! The accounts of `set_payout`.

use ionet_abi::accounts::ClaimAccount;
use ionet_abi::instructions::supply::SetPayoutAccounts;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::network::Network;
use crate::state::open::Open;

/// The checked accounts.
pub(super) struct SetPayout<'a> {
    pub(super) network: Network<'a>,
    pub(super) claim: Open<'a, ClaimAccount>,
}

impl<'a> SetPayout<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(SetPayoutAccounts::<()>::USES) })?;
        let SetPayoutAccounts { owner, network, claim, program } = SetPayoutAccounts::from_list(list);
        checks::this_program(program, call.program_id)?;
        let network = Network::open(network, call.program_id)?;
        let claim: Open<ClaimAccount> = Open::at(claim, call.program_id)?;
        checks::authority(owner, &claim.read()?.owner)?;
        Ok(Self { network, claim })
    }
}
