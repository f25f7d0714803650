//! Methods that read accounts.

use super::{
    Encoding, Fetched, check_min_context_slot,
    params::{Params, parse_address},
    to_value, with_context,
};
use crate::{Chain, RpcError, state::State};
use serde_json::Value;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::UiAccountEncoding;
use solana_address::Address;
use solana_rpc_client_api::{
    config::{RpcAccountInfoConfig, RpcContextConfig, RpcProgramAccountsConfig},
    filter::RpcFilterType,
    request::{MAX_GET_PROGRAM_ACCOUNT_FILTERS, MAX_MULTIPLE_ACCOUNTS},
    response::RpcKeyedAccount,
};

/// The largest account there can be: 10 MiB.
const MAX_DATA_LEN: usize = 10 << 20;

pub(super) fn encoding(config: &RpcAccountInfoConfig, default: UiAccountEncoding) -> Encoding {
    Encoding { encoding: config.encoding.unwrap_or(default), slice: config.data_slice }
}

pub(super) async fn get_account_info(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let address = params.address(0)?;
    let config: RpcAccountInfoConfig = params.optional(1, "config")?;
    let how = encoding(&config, UiAccountEncoding::Binary);
    let (slot, found) = chain.run(move |state| (state.now().slot, Fetched::from_state(state, address, how))).await?;
    check_min_context_slot(slot, config.min_context_slot)?;
    let account = found.map(|found| found.encode(how)).transpose()?;
    with_context(slot, account)
}

pub(super) async fn get_multiple_accounts(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let addresses: Vec<String> = params.required(0, "addresses")?;
    if addresses.len() > MAX_MULTIPLE_ACCOUNTS {
        return Err(RpcError::invalid_params(format!("Too many inputs provided; max {MAX_MULTIPLE_ACCOUNTS}")));
    }
    let addresses = addresses.iter().map(|text| parse_address(text)).collect::<Result<Vec<_>, _>>()?;
    let config: RpcAccountInfoConfig = params.optional(1, "config")?;
    let how = encoding(&config, UiAccountEncoding::Base64);
    let (slot, found) = chain
        .run(move |state| {
            let found: Vec<_> = addresses.into_iter().map(|address| Fetched::from_state(state, address, how)).collect();
            (state.now().slot, found)
        })
        .await?;
    check_min_context_slot(slot, config.min_context_slot)?;
    let accounts = found.into_iter().map(|found| found.map(|found| found.encode(how)).transpose()).collect::<Result<Vec<_>, _>>()?;
    with_context(slot, accounts)
}

pub(super) async fn get_balance(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let address = params.address(0)?;
    let config: RpcContextConfig = params.optional(1, "config")?;
    let (slot, lamports) = chain
        .run(move |state| {
            let lamports = state.account(&address).map_or(0, ReadableAccount::lamports);
            (state.now().slot, lamports)
        })
        .await?;
    check_min_context_slot(slot, config.min_context_slot)?;
    with_context(slot, lamports)
}

pub(super) async fn get_minimum_balance(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let len: usize = params.required(0, "data length")?;
    if len > MAX_DATA_LEN {
        return Err(RpcError::invalid_params(format!("Invalid params: data length {len} is over the maximum of {MAX_DATA_LEN} bytes")));
    }
    let lamports = chain.run(move |state| state.svm().minimum_balance_for_rent_exemption(len)).await?;
    to_value(lamports)
}

pub(super) async fn get_program_accounts(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let program = params.address(0)?;
    let config: RpcProgramAccountsConfig = params.optional(1, "config")?;
    let filters = check_filters(config.filters.unwrap_or_default())?;
    let how = encoding(&config.account_config, UiAccountEncoding::Binary);
    let (slot, mut found) = chain.run(move |state| (state.now().slot, owned_by(state, &program, &filters, how))).await?;
    check_min_context_slot(slot, config.account_config.min_context_slot)?;
    if config.sort_results.unwrap_or(true) {
        found.sort_unstable_by_key(|found| found.address);
    }
    let accounts = keyed(&found, how)?;
    if config.with_context.unwrap_or(false) { with_context(slot, accounts) } else { to_value(accounts) }
}

fn owned_by(state: &State, program: &Address, filters: &[RpcFilterType], how: Encoding) -> Vec<Fetched> {
    state
        .index()
        .of_program(program)
        .filter(|address| state.account(address).is_some_and(|account| passes(filters, account)))
        .filter_map(|address| Fetched::from_state(state, *address, how))
        .collect()
}

/// Checks a client's filters and decodes them once.
pub(crate) fn check_filters(mut filters: Vec<RpcFilterType>) -> Result<Vec<RpcFilterType>, RpcError> {
    if filters.len() > MAX_GET_PROGRAM_ACCOUNT_FILTERS {
        return Err(RpcError::invalid_params(format!("Too many filters provided; max {MAX_GET_PROGRAM_ACCOUNT_FILTERS}")));
    }
    for filter in &mut filters {
        let invalid = |err| RpcError::invalid_params(format!("Invalid param: {err}"));
        filter.verify().map_err(invalid)?;
        if let RpcFilterType::Memcmp(memcmp) = filter {
            memcmp.convert_to_raw_bytes().map_err(invalid)?;
        }
    }
    Ok(filters)
}

pub(crate) fn passes(filters: &[RpcFilterType], account: &AccountSharedData) -> bool {
    filters.iter().all(|filter| match filter {
        RpcFilterType::DataSize(len) => account.data().len() as u64 == *len,
        RpcFilterType::Memcmp(memcmp) => memcmp.bytes_match(account.data()),
        RpcFilterType::TokenAccountState => crate::token::holding(account).is_some(),
    })
}

pub(super) fn keyed(found: &[Fetched], how: Encoding) -> Result<Vec<RpcKeyedAccount>, RpcError> {
    found.iter().map(|found| Ok(RpcKeyedAccount { pubkey: found.address.to_string(), account: found.encode(how)? })).collect()
}
