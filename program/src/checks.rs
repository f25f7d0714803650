//! The account checks. Every `accounts.rs` applies them in this order:
//!
//! 1. the list: exactly as many accounts as the interface says, who must sign signed, what changes is writable, and nothing that changes
//!    was passed twice;
//! 2. programs: the token program, the system program, this program;
//! 3. owner, length, type and version of this program's accounts;
//! 4. authority: the signer is the one recorded;
//! 5. recorded addresses: vaults and mints;
//! 6. token accounts of others ([`crate::tokens::check_account`]): owned by the token program, usable, right coin, right holder.

use ionet_abi::faults::Fault;
use ionet_abi::instructions::{AccountUse, Arguments};
use ionet_abi::{AddressBytes, SYSTEM_PROGRAM};
use pinocchio::address::address_eq;
use pinocchio::{AccountView, Address};

use crate::call::Call;
use crate::refusal::Outcome;
use crate::tokens::TOKEN_PROGRAM_ID;

/// Which places of an account list sign and change, as bits.
#[derive(Clone, Copy)]
pub(crate) struct Uses {
    signers: u32,
    writable: u32,
}

impl Uses {
    /// From the interface's list, at compile time: its texts do not get into the program.
    pub(crate) const fn of(list: &[AccountUse]) -> Self {
        assert!(list.len() <= 32);
        let mut uses = Self { signers: 0, writable: 0 };
        let mut place = 0;
        while place < list.len() {
            uses.signers |= (list[place].signer as u32) << place;
            uses.writable |= (list[place].writable as u32) << place;
            place = place.saturating_add(1);
        }
        uses
    }

    const fn signs(self, place: usize) -> bool {
        self.signers >> place & 1 != 0
    }

    const fn changes(self, place: usize) -> bool {
        self.writable >> place & 1 != 0
    }
}

/// The accounts of a list that has the right length, signers and writability, and in which nothing that changes occurs twice.
#[inline(always)]
pub(crate) fn list<'a, const COUNT: usize>(call: &Call<'a>, uses: Uses) -> Outcome<[&'a AccountView; COUNT]> {
    let list: &[AccountView; COUNT] = call.accounts.try_into().map_err(|_| Fault::WrongAccountCount)?;
    for (place, account) in list.iter().enumerate() {
        if uses.signs(place) && !account.is_signer() {
            return Err(Fault::MissingSigner.into());
        }
    }
    for (place, account) in list.iter().enumerate() {
        if uses.changes(place) && !account.is_writable() {
            return Err(Fault::NotWritable.into());
        }
    }
    for (place, account) in list.iter().enumerate() {
        // The runtime passes an account that occurs twice as two views of one place in memory, and views compare by place.
        if uses.changes(place) && list[..place].iter().enumerate().any(|(earlier, other)| uses.changes(earlier) && other == account) {
            return Err(Fault::DuplicateAccount.into());
        }
    }
    Ok(list.each_ref())
}

/// The instruction's arguments.
pub(crate) fn arguments<T: Arguments>(call: &Call) -> Outcome<T> {
    Ok(T::read(call.arguments).ok_or(Fault::MalformedData)?)
}

/// Refuses arguments whose unused bytes are not zero, or that are otherwise malformed.
pub(crate) fn well_formed(condition: bool) -> Outcome {
    if condition { Ok(()) } else { Err(Fault::MalformedData.into()) }
}

/// An account of this program's own, for the event record's self-call.
pub(crate) fn this_program(account: &AccountView, program_id: &Address) -> Outcome {
    if address_eq(account.address(), program_id) { Ok(()) } else { Err(Fault::WrongProgram.into()) }
}

/// The SPL token program.
pub(crate) fn token_program(account: &AccountView) -> Outcome {
    this_program(account, &TOKEN_PROGRAM_ID)
}

/// The system program.
pub(crate) fn system_program(account: &AccountView) -> Outcome {
    this_program(account, &Address::new_from_array(SYSTEM_PROGRAM))
}

/// An address that the network or a booking recorded.
pub(crate) fn recorded(account: &AccountView, address: &AddressBytes) -> Outcome {
    if is(account, address) { Ok(()) } else { Err(Fault::WrongAddress.into()) }
}

/// A signer that holds an authority.
pub(crate) fn authority(account: &AccountView, address: &AddressBytes) -> Outcome {
    if is(account, address) { Ok(()) } else { Err(Fault::WrongSigner.into()) }
}

fn is(account: &AccountView, address: &AddressBytes) -> bool {
    address_eq(account.address(), &Address::new_from_array(*address))
}
