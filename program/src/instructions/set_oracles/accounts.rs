//! The accounts of `set_oracles`.

use ionet_abi::instructions::SetOraclesAccounts;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::network::Network;
use crate::state::oracle::OpenOracle;

/// The checked accounts.
pub(super) struct SetOracles<'a> {
    pub(super) oracle: OpenOracle<'a>,
}

impl<'a> SetOracles<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(SetOraclesAccounts::<()>::USES) })?;
        let SetOraclesAccounts { authority, network, oracle } = SetOraclesAccounts::from_list(list);
        let network = Network::open(network, call.program_id)?;
        let oracle = OpenOracle::open(oracle, call.program_id)?;
        checks::authority(authority, &network.authority)?;
        Ok(Self { oracle })
    }
}
