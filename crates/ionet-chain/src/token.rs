//! Token accounts and mints of both SPL token programs, read straight from their bytes.

use solana_account::{AccountSharedData, ReadableAccount};
use solana_address::{Address, address};

/// The SPL token program.
pub(crate) const TOKEN: Address = address!("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA");
/// Token-2022.
pub(crate) const TOKEN_2022: Address = address!("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb");

const ACCOUNT_LEN: usize = 165;
const MINT_LEN: usize = 82;
const STATE_OFFSET: usize = 108;
const DECIMALS_OFFSET: usize = 44;
const INITIALIZED_OFFSET: usize = 45;
/// Behind the base account, accounts with extensions say what they are.
const KIND_MINT: u8 = 1;
const KIND_ACCOUNT: u8 = 2;

/// What a token account says.
pub(crate) struct Holding {
    pub(crate) mint: Address,
    pub(crate) owner: Address,
    pub(crate) amount: u64,
}

pub(crate) fn is_token_program(program: &Address) -> bool {
    *program == TOKEN || *program == TOKEN_2022
}

/// The token account, if it is one and initialised.
pub(crate) fn holding(account: &AccountSharedData) -> Option<Holding> {
    if !is_token_program(account.owner()) {
        return None;
    }
    let data = account.data();
    let sized = data.len() == ACCOUNT_LEN || (*account.owner() == TOKEN_2022 && data.get(ACCOUNT_LEN) == Some(&KIND_ACCOUNT));
    if !sized || *data.get(STATE_OFFSET)? == 0 {
        return None;
    }
    let amount = data.get(64..)?.first_chunk::<8>()?;
    Some(Holding { mint: key(data, 0)?, owner: key(data, 32)?, amount: u64::from_le_bytes(*amount) })
}

/// A mint's decimals, if the account is an initialised mint.
pub(crate) fn mint_decimals(account: &AccountSharedData) -> Option<u8> {
    if !is_token_program(account.owner()) {
        return None;
    }
    let data = account.data();
    let sized = data.len() == MINT_LEN || (*account.owner() == TOKEN_2022 && data.get(ACCOUNT_LEN) == Some(&KIND_MINT));
    (sized && data.get(INITIALIZED_OFFSET) == Some(&1)).then(|| data[DECIMALS_OFFSET])
}

fn key(data: &[u8], at: usize) -> Option<Address> {
    Some(Address::new_from_array(*data.get(at..)?.first_chunk::<32>()?))
}
