//! New accounts at the program's own addresses.

use ionet_abi::faults::Fault;
use pinocchio::address::address_eq;
use pinocchio::cpi::{Seed, Signer};
use pinocchio::{AccountView, Address};
use pinocchio_system::create_account_with_minimum_balance_signed;

use crate::refusal::Outcome;

/// A place for a new account: its address is the program's own, with the canonical bump, and nothing is there yet.
pub(crate) struct Place<'a> {
    account: &'a AccountView,
    /// A prefix and, for accounts of which there are many, an id; an empty seed adds nothing to an address.
    seeds: [&'a [u8]; 2],
    bump: u8,
}

impl<'a> Place<'a> {
    /// The place of the account with these seeds, one or two.
    #[inline(never)]
    pub(crate) fn find(account: &'a AccountView, seeds: &[&'a [u8]], program_id: &Address) -> Outcome<Self> {
        let seeds = [seeds.first().copied().unwrap_or_default(), seeds.get(1).copied().unwrap_or_default()];
        let (address, bump) = Address::try_find_program_address(&seeds, program_id).ok_or(Fault::WrongAddress)?;
        if !address_eq(account.address(), &address) {
            return Err(Fault::WrongAddress.into());
        }
        if !account.owned_by(&pinocchio_system::ID) || !account.is_data_empty() {
            return Err(Fault::AlreadyInitialised.into());
        }
        Ok(Self { account, seeds, bump })
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
        let seeds = [Seed::from(self.seeds[0]), Seed::from(self.seeds[1]), Seed::from(&bump)];
        let mut account = *self.account;
        Ok(create_account_with_minimum_balance_signed(&mut account, space, owner, payer, None, &[Signer::from(&seeds)])?)
    }
}
