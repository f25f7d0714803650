//! New accounts at the program's own addresses.

use ionet_abi::faults::Fault;
use pinocchio::address::address_eq;
use pinocchio::cpi::{Seed, Signer};
use pinocchio::sysvars::Sysvar;
use pinocchio::sysvars::rent::Rent;
use pinocchio::{AccountView, Address};
use pinocchio_system::instructions::{Allocate, Assign, CreateAccount, Transfer};

use crate::refusal::Outcome;

/// A place for an account: its address is the program's own, with the canonical bump.
pub(crate) struct Place<'a> {
    account: &'a AccountView,
    /// A prefix and, for accounts of which there are many, up to two ids; an empty seed adds nothing to an address.
    seeds: [&'a [u8]; 3],
    bump: u8,
}

impl<'a> Place<'a> {
    /// The place of the new account with these seeds, one to three: nothing is there yet.
    pub(crate) fn find(account: &'a AccountView, seeds: &[&'a [u8]], program_id: &Address) -> Outcome<Self> {
        let place = Self::locate(account, seeds, program_id)?;
        if place.is_vacant() { Ok(place) } else { Err(Fault::AlreadyInitialised.into()) }
    }

    /// The place of the account with these seeds, one to three, whether it is there or not.
    #[inline(never)]
    pub(crate) fn locate(account: &'a AccountView, seeds: &[&'a [u8]], program_id: &Address) -> Outcome<Self> {
        let seed = |place: usize| seeds.get(place).copied().unwrap_or_default();
        let seeds = [seed(0), seed(1), seed(2)];
        let (address, bump) = Address::try_find_program_address(&seeds, program_id).ok_or(Fault::WrongAddress)?;
        if !address_eq(account.address(), &address) {
            return Err(Fault::WrongAddress.into());
        }
        Ok(Self { account, seeds, bump })
    }

    /// Whether nothing is there yet.
    pub(crate) fn is_vacant(&self) -> bool {
        self.account.owned_by(&pinocchio_system::ID) && self.account.is_data_empty()
    }

    /// The account that will be.
    pub(crate) const fn account(&self) -> &'a AccountView {
        self.account
    }

    /// The canonical bump of its address.
    pub(crate) const fn bump(&self) -> u8 {
        self.bump
    }

    /// Creates it with `space` zero bytes for `owner`, rent paid by `payer`. Lamports that somebody sent to the address before do not hinder.
    #[inline(never)]
    pub(crate) fn create(&self, payer: &AccountView, space: usize, owner: &Address) -> Outcome {
        let bump = [self.bump];
        let seeds = [Seed::from(self.seeds[0]), Seed::from(self.seeds[1]), Seed::from(self.seeds[2]), Seed::from(&bump)];
        let signer = &[Signer::from(&seeds)];
        let account = self.account;
        let rent = Rent::get()?.try_minimum_balance(space)?;
        let lamports = rent.saturating_sub(account.lamports());
        if payer.lamports() < lamports {
            return Err(Fault::PayerWithoutFunds.into());
        }
        if lamports == rent {
            return Ok(CreateAccount { from: payer, to: account, lamports, space: space as u64, owner }.invoke_signed(signer)?);
        }
        if lamports > 0 {
            Transfer { from: payer, to: account, lamports }.invoke()?;
        }
        Allocate { account, space: space as u64 }.invoke_signed(signer)?;
        Ok(Assign { account, owner }.invoke_signed(signer)?)
    }
}
