//! Methods about SPL tokens, of both token programs.

use super::{
    Fetched,
    accounts::{encoding, keyed},
    check_min_context_slot,
    encode::mint_data,
    params::{Params, parse_address},
    with_context,
};
use crate::{Chain, RpcError, token};
use serde_json::Value;
use solana_account::ReadableAccount;
use solana_account_decoder::{UiAccountEncoding, parse_token::token_amount_to_ui_amount_v3};
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcTokenAccountsFilter};
use spl_token_2022_interface::{extension::StateWithExtensions, state::Mint};

pub(super) async fn get_account_balance(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let address = params.address(0)?;
    params.optional::<Option<CommitmentConfig>>(1, "config")?;
    let (now, account, mint) = chain
        .run(move |state| {
            let account = state.account(&address).cloned();
            let mint = account.as_ref().and_then(token::holding).and_then(|holding| state.account(&holding.mint).cloned());
            (state.now(), account, mint)
        })
        .await?;
    let account = account.ok_or_else(|| RpcError::invalid_params("Invalid param: could not find account"))?;
    let holding = token::holding(&account).ok_or_else(|| RpcError::invalid_params("Invalid param: not a Token account"))?;
    let mint = mint
        .and_then(|mint| mint_data(mint.data(), now.unix_secs))
        .ok_or_else(|| RpcError::invalid_params("Invalid param: could not find mint"))?;
    with_context(now.slot, token_amount_to_ui_amount_v3(holding.amount, &mint))
}

pub(super) async fn get_supply(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let address = params.address(0)?;
    params.optional::<Option<CommitmentConfig>>(1, "config")?;
    let (now, account) = chain.run(move |state| (state.now(), state.account(&address).cloned())).await?;
    let account = account.ok_or_else(|| RpcError::invalid_params("Invalid param: could not find account"))?;
    let not_a_mint = || RpcError::invalid_params("Invalid param: not a Token mint");
    if !token::is_token_program(account.owner()) {
        return Err(not_a_mint());
    }
    let mint = StateWithExtensions::<Mint>::unpack(account.data()).map_err(|_| not_a_mint())?;
    let data = mint_data(account.data(), now.unix_secs).ok_or_else(not_a_mint)?;
    with_context(now.slot, token_amount_to_ui_amount_v3(mint.base.supply, &data))
}

pub(super) async fn get_accounts_by_owner(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(3)?;
    let owner = params.address(0)?;
    let filter: RpcTokenAccountsFilter = params.required(1, "filter")?;
    let config: RpcAccountInfoConfig = params.optional(2, "config")?;
    let how = encoding(&config, UiAccountEncoding::Binary);
    let (program, mint) = match filter {
        RpcTokenAccountsFilter::Mint(mint) => (None, Some(parse_address(&mint)?)),
        RpcTokenAccountsFilter::ProgramId(program) => {
            let program = parse_address(&program)?;
            if !token::is_token_program(&program) {
                return Err(RpcError::invalid_params("Invalid param: unrecognized Token program id"));
            }
            (Some(program), None)
        }
    };
    let (slot, found) = chain
        .run(move |state| {
            let slot = state.now().slot;
            if let Some(mint) = &mint
                && state.account(mint).and_then(token::mint_decimals).is_none()
            {
                return (slot, None);
            }
            let found: Vec<_> = state
                .index()
                .of_token_owner(&owner)
                .filter(|address| {
                    state.account(address).is_some_and(|account| {
                        program.is_none_or(|program| program == *account.owner())
                            && mint.is_none_or(|mint| token::holding(account).is_some_and(|holding| holding.mint == mint))
                    })
                })
                .filter_map(|address| Fetched::from_state(state, *address, how))
                .collect();
            (slot, Some(found))
        })
        .await?;
    check_min_context_slot(slot, config.min_context_slot)?;
    let mut found = found.ok_or_else(|| RpcError::invalid_params("Invalid param: could not find mint"))?;
    found.sort_unstable_by_key(|found| found.address);
    with_context(slot, keyed(&found, how)?)
}
