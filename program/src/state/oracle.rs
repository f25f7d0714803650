//! The oracle account, read as it is, or changed and written back.

use core::ops::{Deref, DerefMut};

use ionet_abi::accounts::OracleAccount;
use pinocchio::{AccountView, Address};

use crate::refusal::Outcome;
use crate::state;

/// The oracle account, checked, in a copy that can change.
pub(crate) struct OpenOracle<'a> {
    account: &'a AccountView,
    value: OracleAccount,
}

impl<'a> OpenOracle<'a> {
    /// The account, when it is the oracle account.
    pub(crate) fn open(account: &'a AccountView, program_id: &Address) -> Outcome<Self> {
        Ok(Self { account, value: *state::view::<OracleAccount>(account, program_id)? })
    }

    /// Writes it back.
    pub(crate) fn save(&self) -> Outcome {
        state::write(self.account, &self.value)
    }
}

impl Deref for OpenOracle<'_> {
    type Target = OracleAccount;

    fn deref(&self) -> &OracleAccount {
        &self.value
    }
}

impl DerefMut for OpenOracle<'_> {
    fn deref_mut(&mut self) -> &mut OracleAccount {
        &mut self.value
    }
}
