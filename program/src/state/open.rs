//! An account of the supply side during one instruction: read where it lies, changed in place by a rule, its record numbered.

use core::marker::PhantomData;

use ionet_abi::accounts::{ClaimAccount, DeviceAccount, EpochsAccount, ProgramAccount, VerifiersAccount};
use ionet_abi::faults::Fault;
use ionet_rules::RuleError;
use pinocchio::account::Ref;
use pinocchio::{AccountView, Address};

use crate::events::Stamp;
use crate::refusal::Outcome;
use crate::state;

/// An account type whose records are numbered.
pub(crate) trait Subject: ProgramAccount {
    /// Records written so far.
    fn records(&mut self) -> &mut u32;
}

macro_rules! subjects {
    ($($type:ty),+) => {
        $(impl Subject for $type {
            fn records(&mut self) -> &mut u32 {
                &mut self.records
            }
        })+
    };
}

subjects!(ClaimAccount, DeviceAccount, EpochsAccount, VerifiersAccount);

/// An account, checked.
pub(crate) struct Open<'a, T> {
    account: &'a AccountView,
    kind: PhantomData<T>,
}

impl<'a, T: ProgramAccount> Open<'a, T> {
    /// The account, when this program owns it and it is of this type. Its address needs no check: each account of a type is made by one
    /// instruction, at its one address.
    #[inline(always)]
    pub(crate) fn at(account: &'a AccountView, program_id: &Address) -> Outcome<Self> {
        state::view::<T>(account, program_id)?;
        Ok(Self { account, kind: PhantomData })
    }

    /// Its address.
    pub(crate) fn address(&self) -> &'a Address {
        self.account.address()
    }

    /// The account in its own bytes.
    #[inline(always)]
    pub(crate) fn read(&self) -> Outcome<Ref<'a, T>> {
        Ref::filter_map(self.account.try_borrow()?, T::view).map_err(|_| Fault::WrongAccountType.into())
    }

    /// Changes the account where it lies. When `rule` refuses, the whole instruction is refused, and nothing of it remains.
    #[inline(always)]
    pub(crate) fn change<R>(&self, rule: impl FnOnce(&mut T) -> Outcome<R>) -> Outcome<R> {
        let mut account = *self.account;
        let mut data = account.try_borrow_mut()?;
        rule(bytemuck::try_from_bytes_mut(&mut data).map_err(|_| Fault::WrongAccountType)?)
    }
}

impl<'a, T: Subject> Open<'a, T> {
    /// As [`Self::change`], for a step that is recorded.
    #[inline(always)]
    pub(crate) fn step<R>(&self, rule: impl FnOnce(&mut T) -> Outcome<R>) -> Outcome<(R, Stamp<'a>)> {
        self.change(|value| {
            let result = rule(value)?;
            let records = value.records();
            let stamp = Stamp { subject: self.account.address(), record: *records };
            *records = stamp.record.checked_add(1).ok_or(RuleError::Overflow)?;
            Ok((result, stamp))
        })
    }
}

/// Fills the zero bytes of an account that was just created.
pub(crate) fn fill<T: ProgramAccount>(account: &AccountView, with: impl FnOnce(&mut T)) -> Outcome {
    let mut account = *account;
    let mut data = account.try_borrow_mut()?;
    with(bytemuck::try_from_bytes_mut(&mut data).map_err(|_| Fault::WrongAccountType)?);
    Ok(())
}
