//! Methods that send and simulate transactions, and those that help to build them.

use super::{
    Encoding, Fetched, check_min_context_slot,
    params::{Params, parse_address},
    to_value, with_context,
};
use crate::{
    Chain, RpcError,
    record::{Balances, InnerRecord, ReturnRecord, TokenBalance},
    state::{Outcome, State, Submission},
    timeline::BLOCKHASH_WINDOW_SLOTS,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::Value;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_account_decoder::{
    UiAccount, UiAccountEncoding, parse_account_data::SplTokenAdditionalDataV2, parse_token::token_amount_to_ui_amount_v3,
};
use solana_address::Address;
use solana_hash::Hash;
use solana_message::{Message, VersionedMessage, compiled_instruction::CompiledInstruction};
use solana_rpc_client_api::{
    config::{RpcContextConfig, RpcRequestAirdropConfig, RpcSendTransactionConfig, RpcSimulateTransactionConfig, UiTransactionEncoding},
    response::{RpcBlockhash, RpcSimulateTransactionResult},
};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_error::TransactionError;
use solana_transaction_status::{
    InnerInstruction, InnerInstructions, TransactionTokenBalance, UiInnerInstructions, UiLoadedAddresses, UiReturnDataEncoding,
    UiTransactionReturnData, parse_ui_inner_instructions,
};

/// A transaction travels in one packet of at most this many bytes.
const MAX_WIRE_LEN: usize = 1232;
/// Text longer than this cannot decode to a transaction, in either encoding.
const MAX_TEXT_LEN: usize = 1700;

pub(super) async fn get_latest_blockhash(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(1)?;
    let config: RpcContextConfig = params.optional(0, "config")?;
    let (slot, blockhash) = chain.run(|state| (state.now().slot, latest_blockhash(state))).await?;
    check_min_context_slot(slot, config.min_context_slot)?;
    with_context(slot, blockhash)
}

fn latest_blockhash(state: &State) -> RpcBlockhash {
    RpcBlockhash { blockhash: state.timeline().latest().to_string(), last_valid_block_height: state.now().slot + BLOCKHASH_WINDOW_SLOTS }
}

pub(super) async fn is_blockhash_valid(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let text: String = params.required(0, "blockhash")?;
    let blockhash: Hash = Some(text.as_str())
        .filter(|text| text.len() <= 44)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| RpcError::invalid_params("Invalid param: not a blockhash"))?;
    let config: RpcContextConfig = params.optional(1, "config")?;
    let (slot, valid) = chain.run(move |state| (state.now().slot, state.timeline().slot_of(&blockhash).is_some())).await?;
    check_min_context_slot(slot, config.min_context_slot)?;
    with_context(slot, valid)
}

/// The machine itself says what it would charge. A message whose blockhash has expired has no fee.
pub(super) async fn get_fee_for_message(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let text: String = params.required(0, "message")?;
    let config: RpcContextConfig = params.optional(1, "config")?;
    let wire = decode_text(&text, UiTransactionEncoding::Base64)?;
    let message: VersionedMessage =
        wincode::deserialize(&wire).map_err(|err| RpcError::invalid_params(format!("failed to deserialize message: {err}")))?;
    message.sanitize().map_err(|err| RpcError::invalid_params(format!("invalid message: {err}")))?;
    let (slot, outcome) = chain
        .run(move |state| {
            let transaction = VersionedTransaction {
                signatures: vec![Signature::default(); usize::from(message.header().num_required_signatures)],
                message,
            };
            (state.now().slot, state.simulate(transaction))
        })
        .await?;
    check_min_context_slot(slot, config.min_context_slot)?;
    let outcome = outcome.map_err(RpcError::internal)?;
    let expired = outcome.err == Some(TransactionError::BlockhashNotFound);
    with_context(slot, (!expired).then_some(outcome.fee))
}

pub(super) async fn request_airdrop(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(3)?;
    let address = params.address(0)?;
    let lamports: u64 = params.required(1, "lamports")?;
    params.optional::<RpcRequestAirdropConfig>(2, "config")?;
    let cap = chain.shared().airdrop_cap_lamports;
    if lamports == 0 || lamports > cap {
        return Err(RpcError::invalid_request(format!("airdrop request failed: ask for between 1 and {cap} lamports")));
    }
    let sent = chain.run(move |state| airdrop(state, &address, lamports)).await?;
    match sent.map_err(RpcError::internal)? {
        Ok(signature) => to_value(signature.to_string()),
        Err(outcome) => {
            Err(RpcError::internal(format!("airdrop request failed: {}", outcome.err.map_or_else(String::new, |err| err.to_string()))))
        }
    }
}

/// A transfer from the faucet. Two equal airdrops on one blockhash would be the same transaction, so a further
/// one also moves some lamports from the faucet to itself.
fn airdrop(state: &mut State, to: &Address, lamports: u64) -> Result<Result<Signature, Outcome>, String> {
    let shared = state.shared.clone();
    let faucet = &shared.genesis.faucet;
    let mut instructions = vec![transfer(&faucet.pubkey(), to, lamports)];
    for difference in 0..u64::MAX {
        let message =
            VersionedMessage::Legacy(Message::new_with_blockhash(&instructions, Some(&faucet.pubkey()), &state.timeline().latest()));
        let transaction = VersionedTransaction::try_new(message, &[faucet]).map_err(|err| format!("the faucet cannot sign: {err}"))?;
        if transaction.signatures.first().is_some_and(|signature| state.is_recent(signature)) {
            instructions.truncate(1);
            instructions.push(transfer(&faucet.pubkey(), &faucet.pubkey(), difference));
            continue;
        }
        let wire = wincode::serialize(&transaction).map_err(|err| err.to_string())?;
        return state.submit(Submission { transaction, wire }, false);
    }
    Err("no airdrop is left on this blockhash".into())
}

pub(super) async fn send_transaction(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let text: String = params.required(0, "transaction")?;
    let config: RpcSendTransactionConfig = params.optional(1, "config")?;
    let (transaction, wire) = decode_transaction(&text, config.encoding)?;
    let Some(signature) = transaction.signatures.first().copied() else {
        return Err(RpcError::invalid_params("invalid transaction: no signatures"));
    };
    // On the caller's task: the chain's thread has better things to do.
    if !transaction.verify_with_results().into_iter().all(|right| right) {
        return Err(RpcError::signature_verification());
    }
    let skip_preflight = config.skip_preflight;
    let (slot, sent) = chain
        .run(move |state| {
            let slot = state.now().slot;
            if config.min_context_slot.is_some_and(|min| slot < min) {
                return (slot, None);
            }
            (slot, Some(state.submit(Submission { transaction, wire }, skip_preflight)))
        })
        .await?;
    let outcome = match sent {
        None => return Err(RpcError::min_context_slot(slot)),
        Some(Err(failure)) => return Err(RpcError::internal(failure)),
        Some(Ok(Ok(signature))) => return to_value(signature.to_string()),
        Some(Ok(Err(outcome))) => outcome,
    };
    // Clients that skip the preflight send again until they see the signature; that is no mistake.
    if skip_preflight && outcome.err == Some(TransactionError::AlreadyProcessed) {
        return to_value(signature.to_string());
    }
    let err = outcome.err.clone().unwrap_or(TransactionError::SanitizeFailure);
    let result = RpcSimulateTransactionResult {
        err: Some(err.clone().into()),
        logs: Some(outcome.logs),
        units_consumed: Some(outcome.compute_units),
        return_data: outcome.return_data.map(ui_return_data),
        ..nothing_simulated()
    };
    Err(RpcError::preflight(format!("Transaction simulation failed: {err}"), &result))
}

/// What a simulation saw, taken from the state in one go.
struct Simulated {
    slot: u64,
    outcome: Result<Outcome, String>,
    replacement: Option<RpcBlockhash>,
    accounts: Option<Vec<Option<Fetched>>>,
}

pub(super) async fn simulate_transaction(chain: &Chain, params: Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let text: String = params.required(0, "transaction")?;
    let config: RpcSimulateTransactionConfig = params.optional(1, "config")?;
    let (mut transaction, _) = decode_transaction(&text, config.encoding)?;
    if config.sig_verify && config.replace_recent_blockhash {
        return Err(RpcError::invalid_params("sigVerify may not be used with replaceRecentBlockhash"));
    }
    if config.sig_verify && !transaction.verify_with_results().into_iter().all(|right| right) {
        return Err(RpcError::signature_verification());
    }
    let wanted = config.accounts.map(|accounts| wanted_accounts(&accounts, &transaction)).transpose()?;
    let how = wanted.as_ref().map(|(how, _)| *how);
    let keys: Vec<Address> = transaction.message.static_account_keys().to_vec();
    let replace = config.replace_recent_blockhash;
    let simulated = chain
        .run(move |state| {
            let replacement = replace.then(|| {
                transaction.message.set_recent_blockhash(state.timeline().latest());
                latest_blockhash(state)
            });
            let outcome = state.simulate(transaction);
            let accounts = wanted.map(|(how, addresses)| {
                addresses
                    .into_iter()
                    .map(|address| {
                        let outcome = outcome.as_ref().ok().filter(|outcome| outcome.err.is_none())?;
                        let account = account_after(state, outcome, &address)?;
                        Some(Fetched::with_account(state, address, account, how))
                    })
                    .collect()
            });
            Simulated { slot: state.now().slot, outcome, replacement, accounts }
        })
        .await?;
    check_min_context_slot(simulated.slot, config.min_context_slot)?;
    let outcome = simulated.outcome.map_err(RpcError::internal)?;
    let accounts = match (simulated.accounts, how) {
        (Some(accounts), Some(how)) => Some(encode_all(accounts, how)?),
        _ => None,
    };
    let inner = config.inner_instructions.then(|| ui_inner_instructions(outcome.inner, &keys, &outcome.loaded));
    let result = RpcSimulateTransactionResult {
        err: outcome.err.map(Into::into),
        logs: Some(outcome.logs),
        accounts,
        units_consumed: Some(outcome.compute_units),
        loaded_accounts_data_size: None,
        return_data: outcome.return_data.map(ui_return_data),
        inner_instructions: inner,
        replacement_blockhash: simulated.replacement,
        fee: outcome.included.then_some(outcome.fee),
        pre_balances: outcome.included.then_some(outcome.pre.lamports),
        post_balances: outcome.included.then_some(outcome.post.lamports),
        pre_token_balances: outcome.included.then(|| token_balances(outcome.pre.tokens).into_iter().map(Into::into).collect()),
        post_token_balances: outcome.included.then(|| token_balances(outcome.post.tokens).into_iter().map(Into::into).collect()),
        loaded_addresses: outcome.included.then(|| UiLoadedAddresses::from(&outcome.loaded)),
    };
    with_context(simulated.slot, result)
}

fn wanted_accounts(
    accounts: &solana_rpc_client_api::config::RpcSimulateTransactionAccountsConfig,
    transaction: &VersionedTransaction,
) -> Result<(Encoding, Vec<Address>), RpcError> {
    let encoding = accounts.encoding.unwrap_or(UiAccountEncoding::Base64);
    if matches!(encoding, UiAccountEncoding::Binary | UiAccountEncoding::Base58) {
        return Err(RpcError::invalid_params("base58 encoding not supported"));
    }
    let most = transaction.message.static_account_keys().len()
        + transaction
            .message
            .address_table_lookups()
            .map_or(0, |lookups| lookups.iter().map(|lookup| lookup.writable_indexes.len() + lookup.readonly_indexes.len()).sum());
    if accounts.addresses.len() > most {
        return Err(RpcError::invalid_params(format!("Too many accounts provided; max {most}")));
    }
    let addresses = accounts.addresses.iter().map(|text| parse_address(text)).collect::<Result<_, _>>()?;
    Ok((Encoding { encoding, slice: None }, addresses))
}

fn account_after(state: &State, outcome: &Outcome, address: &Address) -> Option<AccountSharedData> {
    match outcome.accounts.iter().find(|(changed, _)| changed == address) {
        Some((_, account)) => Some(account.clone()).filter(|account| account.lamports() > 0),
        None => state.account(address).cloned(),
    }
}

fn encode_all(accounts: Vec<Option<Fetched>>, how: Encoding) -> Result<Vec<Option<UiAccount>>, RpcError> {
    accounts.into_iter().map(|account| account.map(|account| account.encode(how)).transpose()).collect()
}

fn nothing_simulated() -> RpcSimulateTransactionResult {
    RpcSimulateTransactionResult {
        err: None,
        logs: None,
        accounts: None,
        units_consumed: None,
        loaded_accounts_data_size: None,
        return_data: None,
        inner_instructions: None,
        replacement_blockhash: None,
        fee: None,
        pre_balances: None,
        post_balances: None,
        pre_token_balances: None,
        post_token_balances: None,
        loaded_addresses: None,
    }
}

fn decode_text(text: &str, encoding: UiTransactionEncoding) -> Result<Vec<u8>, RpcError> {
    if text.len() > MAX_TEXT_LEN {
        return Err(RpcError::invalid_params(format!(
            "{encoding} encoded transaction too large: {} bytes (max: {MAX_TEXT_LEN})",
            text.len()
        )));
    }
    let wire = match encoding {
        UiTransactionEncoding::Binary | UiTransactionEncoding::Base58 => {
            bs58::decode(text).into_vec().map_err(|err| RpcError::invalid_params(format!("invalid base58 encoding: {err}")))?
        }
        UiTransactionEncoding::Base64 => {
            BASE64_STANDARD.decode(text).map_err(|err| RpcError::invalid_params(format!("invalid base64 encoding: {err}")))?
        }
        UiTransactionEncoding::Json | UiTransactionEncoding::JsonParsed => {
            return Err(RpcError::invalid_params(format!("unsupported encoding: {encoding}. Supported encodings: base58, base64")));
        }
    };
    if wire.len() > MAX_WIRE_LEN {
        return Err(RpcError::invalid_params(format!("decoded transaction too large: {} bytes (max: {MAX_WIRE_LEN} bytes)", wire.len())));
    }
    Ok(wire)
}

fn decode_transaction(text: &str, encoding: Option<UiTransactionEncoding>) -> Result<(VersionedTransaction, Vec<u8>), RpcError> {
    let wire = decode_text(text, encoding.unwrap_or(UiTransactionEncoding::Base58))?;
    let transaction: VersionedTransaction =
        wincode::deserialize(&wire).map_err(|err| RpcError::invalid_params(format!("failed to deserialize transaction: {err}")))?;
    transaction.sanitize().map_err(|err| RpcError::invalid_params(format!("invalid transaction: {err}")))?;
    Ok((transaction, wire))
}

fn ui_return_data(data: ReturnRecord) -> UiTransactionReturnData {
    UiTransactionReturnData {
        program_id: Address::new_from_array(data.program).to_string(),
        data: (BASE64_STANDARD.encode(data.data), UiReturnDataEncoding::Base64),
    }
}

fn ui_inner_instructions(
    inner: Vec<InnerRecord>,
    keys: &[Address],
    loaded: &solana_message::v0::LoadedAddresses,
) -> Vec<UiInnerInstructions> {
    let keys = solana_message::AccountKeys::new(keys, Some(loaded));
    inner_instructions(inner).into_iter().map(|inner| parse_ui_inner_instructions(inner, &keys)).collect()
}

/// Groups inner instructions by the outer one that called them.
pub(super) fn inner_instructions(inner: Vec<InnerRecord>) -> Vec<InnerInstructions> {
    let mut grouped: Vec<InnerInstructions> = Vec::new();
    for record in inner {
        let instruction = InnerInstruction {
            instruction: CompiledInstruction::new_from_raw_parts(record.program, record.data, record.accounts),
            stack_height: Some(u32::from(record.stack_height)),
        };
        match grouped.last_mut() {
            Some(group) if group.index == record.outer => group.instructions.push(instruction),
            _ => grouped.push(InnerInstructions { index: record.outer, instructions: vec![instruction] }),
        }
    }
    grouped
}

pub(super) fn token_balances(tokens: Vec<TokenBalance>) -> Vec<TransactionTokenBalance> {
    tokens
        .into_iter()
        .map(|token| TransactionTokenBalance {
            account_index: token.account_index,
            mint: Address::new_from_array(token.mint).to_string(),
            ui_token_amount: token_amount_to_ui_amount_v3(token.amount, &SplTokenAdditionalDataV2::with_decimals(token.decimals)),
            owner: Address::new_from_array(token.owner).to_string(),
            program_id: Address::new_from_array(token.program).to_string(),
        })
        .collect()
}

/// Both halves of a transaction's balances as `getTransaction` tells them.
pub(super) fn lamports_and_tokens(balances: Balances) -> (Vec<u64>, Vec<TransactionTokenBalance>) {
    (balances.lamports, token_balances(balances.tokens))
}
