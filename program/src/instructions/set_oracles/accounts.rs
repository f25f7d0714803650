//! The accounts of `set_oracles`.

use ionet_abi::instructions::SetOraclesAccounts;
use pinocchio::{AccountView, Address};

use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::network::Network;
use crate::state::oracle::OpenOracle;

/// The checked accounts.
pub(super) struct SetOracles<'a> {
    pub(super) oracle: OpenOracle<'a>,
}

impl<'a> SetOracles<'a> {
    pub(super) fn check(program_id: &'a Address, accounts: &'a [AccountView]) -> Outcome<Self> {
        let list = checks::list(accounts, const { Uses::of(SetOraclesAccounts::<()>::USES) })?;
        let SetOraclesAccounts { authority, network, oracle } = SetOraclesAccounts::from_list(list);
        let network = Network::open(network, program_id)?;
        let oracle = OpenOracle::open(oracle, program_id)?;
        checks::authority(authority, &network.authority)?;
        Ok(Self { oracle })
    }
}
