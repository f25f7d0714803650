//! Solana's JSON-RPC methods. Every answer is what a Solana node would give whose every slot is final at once.

mod accounts;
mod cluster;
mod encode;
mod history;
pub(crate) mod params;
mod tokens;
mod transactions;

pub(crate) use accounts::{check_filters, passes};
pub(crate) use encode::{Encoding, Fetched};

use crate::{Chain, RpcError};
use params::Params;
use serde::Serialize;
use serde_json::Value;
use solana_rpc_client_api::response::{Response, RpcResponseContext};

/// Answers one call.
pub(crate) async fn dispatch(chain: &Chain, method: &str, params: Value) -> Result<Value, RpcError> {
    let params = Params::new(params)?;
    match method {
        "getAccountInfo" => accounts::get_account_info(chain, params).await,
        "getBalance" => accounts::get_balance(chain, params).await,
        "getMultipleAccounts" => accounts::get_multiple_accounts(chain, params).await,
        "getProgramAccounts" => accounts::get_program_accounts(chain, params).await,
        "getMinimumBalanceForRentExemption" => accounts::get_minimum_balance(chain, params).await,

        "getTokenAccountBalance" => tokens::get_account_balance(chain, params).await,
        "getTokenAccountsByOwner" => tokens::get_accounts_by_owner(chain, params).await,
        "getTokenSupply" => tokens::get_supply(chain, params).await,

        "getFeeForMessage" => transactions::get_fee_for_message(chain, params).await,
        "getLatestBlockhash" => transactions::get_latest_blockhash(chain, params).await,
        "isBlockhashValid" => transactions::is_blockhash_valid(chain, params).await,
        "requestAirdrop" => transactions::request_airdrop(chain, params).await,
        "sendTransaction" => transactions::send_transaction(chain, params).await,
        "simulateTransaction" => transactions::simulate_transaction(chain, params).await,

        "getSignatureStatuses" => history::get_signature_statuses(chain, &params),
        "getSignaturesForAddress" => history::get_signatures_for_address(chain, &params).await,
        "getTransaction" => history::get_transaction(chain, &params).await,
        "getTransactionCount" => history::get_transaction_count(chain, &params),

        "getBlockHeight" => cluster::get_block_height(chain, &params),
        "getBlockTime" => cluster::get_block_time(chain, &params),
        "getEpochInfo" => cluster::get_epoch_info(chain, params).await,
        "getFirstAvailableBlock" | "minimumLedgerSlot" => cluster::get_first_slot(&params),
        "getGenesisHash" => cluster::get_genesis_hash(chain, &params),
        "getHealth" => cluster::get_health(chain, &params),
        "getIdentity" => cluster::get_identity(chain, &params),
        "getRecentPrioritizationFees" => cluster::get_recent_prioritization_fees(chain, &params),
        "getSlot" => cluster::get_slot(chain, &params),
        "getSlotLeader" => cluster::get_slot_leader(chain, &params),
        "getVersion" => cluster::get_version(&params),

        _ => Err(RpcError::method_not_found(method)),
    }
}

pub(crate) fn to_value(value: impl Serialize) -> Result<Value, RpcError> {
    serde_json::to_value(value).map_err(|err| RpcError::internal(err.to_string()))
}

/// A value with the slot it was read at.
pub(crate) fn with_context(slot: u64, value: impl Serialize) -> Result<Value, RpcError> {
    to_value(Response { context: RpcResponseContext::new(slot), value })
}

/// Refuses a read that must not see an older slot than the client has.
fn check_min_context_slot(slot: u64, min: Option<u64>) -> Result<(), RpcError> {
    match min {
        Some(min) if slot < min => Err(RpcError::min_context_slot(slot)),
        _ => Ok(()),
    }
}
