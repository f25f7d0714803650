//! Methods about the chain itself: time, slots, health, identity.

use super::{check_min_context_slot, params::Params, to_value};
use crate::{Chain, RpcError, genesis::GENESIS_SLOT};
use serde_json::{Value, json};
use solana_epoch_info::EpochInfo;
use solana_rpc_client_api::config::RpcContextConfig;
use solana_signer::Signer;

fn slot(chain: &Chain, params: &Params) -> Result<u64, RpcError> {
    params.at_most(1)?;
    let config: RpcContextConfig = params.optional(0, "config")?;
    let (slot, _) = chain.shared().now();
    check_min_context_slot(slot, config.min_context_slot)?;
    Ok(slot)
}

pub(super) fn get_slot(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    to_value(slot(chain, params)?)
}

/// Every slot has its block here, so a block's height is its slot.
pub(super) fn get_block_height(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    to_value(slot(chain, params)?)
}

pub(super) fn get_slot_leader(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    slot(chain, params)?;
    to_value(chain.shared().genesis.identity.pubkey().to_string())
}

pub(super) fn get_block_time(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    params.at_most(1)?;
    let slot: u64 = params.required(0, "slot")?;
    let shared = chain.shared();
    if slot < GENESIS_SLOT || slot > shared.now().0 {
        return Err(RpcError::new(-32004, format!("Block not available for slot {slot}")));
    }
    let unix_secs =
        if shared.genesis.real_clock { Some(shared.genesis.real_unix_secs(slot)) } else { shared.history().stepped_unix_secs(slot) };
    to_value(unix_secs)
}

pub(super) async fn get_epoch_info(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    let slot = slot(chain, &params)?;
    let schedule = chain.run(|state| state.schedule().clone()).await?;
    let (epoch, slot_index) = schedule.get_epoch_and_slot_index(slot);
    to_value(EpochInfo {
        epoch,
        slot_index,
        slots_in_epoch: schedule.get_slots_in_epoch(epoch),
        absolute_slot: slot,
        block_height: slot,
        transaction_count: Some(chain.shared().history().len() as u64),
    })
}

/// All history is kept, so the first slot is the genesis slot.
pub(super) fn get_first_slot(params: &Params) -> Result<Value, RpcError> {
    params.at_most(0)?;
    to_value(GENESIS_SLOT)
}

pub(super) fn get_genesis_hash(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    params.at_most(0)?;
    to_value(chain.shared().genesis.hash().to_string())
}

pub(super) fn get_health(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    params.at_most(0)?;
    match chain.shared().failure() {
        None => to_value("ok"),
        Some(reason) => Err(RpcError::new(-32005, format!("Node is unhealthy: {reason}"))),
    }
}

pub(super) fn get_identity(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    params.at_most(0)?;
    Ok(json!({ "identity": chain.shared().genesis.identity.pubkey().to_string() }))
}

/// There is always room in the next block, so nobody need pay for priority.
pub(super) fn get_recent_prioritization_fees(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    params.at_most(1)?;
    let addresses: Vec<String> = params.optional(0, "addresses")?;
    if addresses.len() > 128 {
        return Err(RpcError::invalid_params("Too many inputs provided; max 128"));
    }
    for address in &addresses {
        super::params::parse_address(address)?;
    }
    let (now, _) = chain.shared().now();
    let first = now.saturating_sub(crate::timeline::BLOCKHASH_WINDOW_SLOTS - 1).max(GENESIS_SLOT);
    Ok((first..=now).map(|slot| json!({ "slot": slot, "prioritizationFee": 0 })).collect())
}

pub(super) fn get_version(params: &Params) -> Result<Value, RpcError> {
    params.at_most(0)?;
    let version = solana_rpc_client_api::response::RpcApiVersion::default();
    Ok(json!({ "solana-core": version.to_string(), "feature-set": Value::Null }))
}
