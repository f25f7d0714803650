//! The program's own accounts: opening them, creating them, writing them back.

pub(crate) mod booking;
pub(crate) mod claim;
pub(crate) mod create;
pub(crate) mod device;
pub(crate) mod network;
pub(crate) mod open;
pub(crate) mod oracle;

use ionet_abi::accounts::ProgramAccount;
use ionet_abi::faults::Fault;
use pinocchio::account::Ref;
use pinocchio::{AccountView, Address};

use crate::refusal::Outcome;

/// The account in its own bytes, when this program owns it and its length, tag and version are right.
pub(crate) fn view<'a, T: ProgramAccount>(account: &'a AccountView, program_id: &Address) -> Outcome<Ref<'a, T>> {
    if !account.owned_by(program_id) {
        return Err(Fault::WrongOwner.into());
    }
    Ref::filter_map(account.try_borrow()?, T::view).map_err(|_| Fault::WrongAccountType.into())
}

/// Writes an account back.
pub(crate) fn write<T: ProgramAccount>(account: &AccountView, value: &T) -> Outcome {
    let mut account = *account;
    let mut data = account.try_borrow_mut()?;
    let bytes = bytemuck::bytes_of(value);
    if data.len() != bytes.len() {
        return Err(Fault::WrongAccountType.into());
    }
    data.copy_from_slice(bytes);
    Ok(())
}
