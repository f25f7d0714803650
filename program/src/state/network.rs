//! The network account: read by every instruction, and the signer for all vaults and all records.

use core::ops::Deref;

use ionet_abi::accounts::NetworkAccount;
use ionet_abi::seeds;
use pinocchio::account::Ref;
use pinocchio::cpi::{Seed, Signer};
use pinocchio::{AccountView, Address};

use crate::refusal::Outcome;
use crate::state;

/// The network account, checked.
pub(crate) struct Network<'a> {
    account: &'a AccountView,
    program_id: &'a Address,
    value: Ref<'a, NetworkAccount>,
}

impl<'a> Network<'a> {
    /// The account, when it is the network account. There is one per program: only `initialize` makes it, at its one address.
    pub(crate) fn open(account: &'a AccountView, program_id: &'a Address) -> Outcome<Self> {
        Ok(Self { account, program_id, value: state::view(account, program_id)? })
    }

    /// The account itself.
    pub(crate) const fn account(&self) -> &'a AccountView {
        self.account
    }

    /// This program.
    pub(crate) const fn program_id(&self) -> &'a Address {
        self.program_id
    }

    /// Calls `with` the network's signature.
    pub(crate) fn sign<R>(&self, with: impl FnOnce(&[Signer]) -> R) -> R {
        let bump = [self.value.bump];
        with(&[Signer::from(&[Seed::from(seeds::NETWORK), Seed::from(&bump)])])
    }
}

impl Deref for Network<'_> {
    type Target = NetworkAccount;

    fn deref(&self) -> &NetworkAccount {
        &self.value
    }
}
