//! Which accounts a program owns and which token accounts a wallet owns, so that listing them needs no scan.

use crate::token;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_address::Address;
use std::collections::{HashMap, HashSet};

#[derive(Default)]
pub(crate) struct AccountIndex {
    by_program: HashMap<Address, HashSet<Address>>,
    by_token_owner: HashMap<Address, HashSet<Address>>,
}

impl AccountIndex {
    /// Notes that an account changed; `None` stands for "not there".
    pub(crate) fn replace(&mut self, address: &Address, old: Option<&AccountSharedData>, new: Option<&AccountSharedData>) {
        let program = |account: Option<&AccountSharedData>| account.map(|account| *account.owner());
        move_key(&mut self.by_program, address, program(old), program(new));
        let wallet = |account: Option<&AccountSharedData>| account.and_then(token::holding).map(|holding| holding.owner);
        move_key(&mut self.by_token_owner, address, wallet(old), wallet(new));
    }

    pub(crate) fn of_program(&self, program: &Address) -> impl Iterator<Item = &Address> {
        self.by_program.get(program).into_iter().flatten()
    }

    pub(crate) fn of_token_owner(&self, wallet: &Address) -> impl Iterator<Item = &Address> {
        self.by_token_owner.get(wallet).into_iter().flatten()
    }
}

fn move_key(map: &mut HashMap<Address, HashSet<Address>>, address: &Address, old: Option<Address>, new: Option<Address>) {
    if old == new {
        return;
    }
    if let Some(old) = old
        && let Some(set) = map.get_mut(&old)
    {
        set.remove(address);
        if set.is_empty() {
            map.remove(&old);
        }
    }
    if let Some(new) = new {
        map.entry(new).or_default().insert(*address);
    }
}
