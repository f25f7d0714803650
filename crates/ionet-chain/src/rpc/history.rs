//! Methods about past transactions. They read the index and the journal's files, not the chain's thread.

use super::{
    check_min_context_slot,
    params::{Params, parse_signature},
    to_value,
    transactions::{inner_instructions, lamports_and_tokens},
    with_context,
};
use crate::{
    Chain, RpcError,
    history::Past,
    record::{self, Record},
    timeline::Moment,
};
use serde_json::Value;
use solana_address::Address;
use solana_rpc_client_api::{
    config::{
        RpcEncodingConfigWrapper, RpcSignatureStatusConfig, RpcSignaturesForAddressConfig, RpcTransactionConfig, UiTransactionEncoding,
    },
    request::{MAX_GET_CONFIRMED_SIGNATURES_FOR_ADDRESS2_LIMIT, MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS},
    response::RpcConfirmedTransactionStatusWithSignature,
};
use solana_transaction::versioned::VersionedTransaction;
use solana_transaction_status::{
    ConfirmedTransactionWithStatusMeta, EncodeError, TransactionConfirmationStatus, TransactionStatus, TransactionStatusMeta,
    TransactionWithStatusMeta, VersionedTransactionWithStatusMeta, extract_memos::extract_and_fmt_memos,
};

pub(super) fn get_signature_statuses(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let texts: Vec<String> = params.required(0, "signatures")?;
    if texts.len() > MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS {
        return Err(RpcError::invalid_params(format!("Too many inputs provided; max {MAX_GET_SIGNATURE_STATUSES_QUERY_ITEMS}")));
    }
    params.optional::<Option<RpcSignatureStatusConfig>>(1, "config")?;
    let signatures = texts.iter().map(|text| parse_signature(text)).collect::<Result<Vec<_>, _>>()?;
    let statuses: Vec<Option<TransactionStatus>> = {
        let history = chain.shared().history();
        signatures.iter().map(|signature| history.find(signature).map(status)).collect()
    };
    with_context(chain.shared().now().0, statuses)
}

fn status(past: &Past) -> TransactionStatus {
    let err = past.err.as_deref().cloned();
    TransactionStatus {
        slot: past.slot,
        confirmations: None,
        status: err.clone().map_or(Ok(()), Err),
        err,
        confirmation_status: Some(TransactionConfirmationStatus::Finalized),
    }
}

pub(super) fn get_transaction_count(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    params.at_most(1)?;
    to_value(chain.shared().history().len())
}

pub(super) async fn get_transaction(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let signature = parse_signature(&params.required::<String>(0, "signature")?)?;
    let config = params
        .optional::<Option<RpcEncodingConfigWrapper<RpcTransactionConfig>>>(1, "config")?
        .map(|config| config.convert_to_current())
        .unwrap_or_default();
    let Some(past) = chain.shared().history().find(&signature).cloned() else {
        return Ok(Value::Null);
    };
    let segments = chain.shared().segments.clone();
    blocking(move || {
        let bytes = segments.read(past.location).map_err(|err| RpcError::internal(format!("the journal cannot be read: {err}")))?;
        let transaction = ConfirmedTransactionWithStatusMeta {
            slot: past.slot,
            block_time: Some(past.unix_secs),
            index: parsed_moment(&bytes)?.writes,
            tx_with_meta: TransactionWithStatusMeta::Complete(with_meta(&bytes)?),
        };
        let encoded = transaction
            .encode(config.encoding.unwrap_or(UiTransactionEncoding::Json), config.max_supported_transaction_version)
            .map_err(|EncodeError::UnsupportedTransactionVersion(version)| RpcError::unsupported_version(version))?;
        to_value(encoded)
    })
    .await
}

pub(super) async fn get_signatures_for_address(chain: &Chain, params: &Params) -> Result<Value, RpcError> {
    params.at_most(2)?;
    let address = params.address(0)?;
    let config: RpcSignaturesForAddressConfig = params.optional(1, "config")?;
    let bound = |text: Option<String>| text.map(|text| parse_signature(&text)).transpose();
    let (before, until) = (bound(config.before)?, bound(config.until)?);
    let most = MAX_GET_CONFIRMED_SIGNATURES_FOR_ADDRESS2_LIMIT;
    let limit = config.limit.unwrap_or(most);
    if limit == 0 || limit > most {
        return Err(RpcError::invalid_params(format!("Invalid limit; max {most}")));
    }
    check_min_context_slot(chain.shared().now().0, config.min_context_slot)?;
    let found = chain.shared().history().of_address(&address, before.as_ref(), until.as_ref(), limit);
    let segments = chain.shared().segments.clone();
    blocking(move || {
        let listed = found
            .iter()
            .map(|past| {
                let bytes = segments.read(past.location).map_err(|err| RpcError::internal(format!("the journal cannot be read: {err}")))?;
                listed(past, &bytes)
            })
            .collect::<Result<Vec<_>, RpcError>>()?;
        to_value(listed)
    })
    .await
}

fn listed(past: &Past, bytes: &[u8]) -> Result<RpcConfirmedTransactionStatusWithSignature, RpcError> {
    let with_meta = with_meta(bytes)?;
    let signature = with_meta.transaction.signatures.first().copied().unwrap_or_default();
    Ok(RpcConfirmedTransactionStatusWithSignature {
        signature: signature.to_string(),
        slot: past.slot,
        err: past.err.as_deref().cloned().map(Into::into),
        memo: extract_and_fmt_memos(&with_meta),
        block_time: Some(past.unix_secs),
        confirmation_status: Some(TransactionConfirmationStatus::Finalized),
        transaction_index: Some(parsed_moment(bytes)?.writes),
    })
}

fn unreadable(what: impl std::fmt::Display) -> RpcError {
    RpcError::internal(format!("the journal holds something else than this transaction: {what}"))
}

fn parsed_moment(bytes: &[u8]) -> Result<Moment, RpcError> {
    match record::parse(bytes).map_err(unreadable)? {
        Record::Transaction(record) => Ok(record.moment.into()),
        _ => Err(unreadable("another kind of record")),
    }
}

fn with_meta(bytes: &[u8]) -> Result<VersionedTransactionWithStatusMeta, RpcError> {
    let Record::Transaction(record) = record::parse(bytes).map_err(unreadable)? else {
        return Err(unreadable("another kind of record"));
    };
    let transaction: VersionedTransaction = wincode::deserialize(record.wire).map_err(unreadable)?;
    let loaded_addresses = record.loaded_addresses();
    let (pre_balances, pre_tokens) = lamports_and_tokens(record.pre);
    let (post_balances, post_tokens) = lamports_and_tokens(record.post);
    let mut meta = TransactionStatusMeta {
        status: record.err.map_or(Ok(()), Err),
        fee: record.fee,
        pre_balances,
        post_balances,
        inner_instructions: Some(inner_instructions(record.inner)),
        log_messages: Some(record.logs),
        pre_token_balances: Some(pre_tokens),
        post_token_balances: Some(post_tokens),
        rewards: Some(Vec::new()),
        loaded_addresses,
        return_data: record.return_data.is_some().then(Default::default),
        compute_units_consumed: Some(record.compute_units),
        cost_units: None,
    };
    if let (Some(told), Some(kept)) = (&mut meta.return_data, record.return_data) {
        told.program_id = Address::new_from_array(kept.program);
        told.data = kept.data;
    }
    Ok(VersionedTransactionWithStatusMeta { transaction, meta })
}

/// Reading files belongs on a thread that may wait.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, RpcError> + Send + 'static) -> Result<T, RpcError> {
    tokio::task::spawn_blocking(work).await.map_err(|err| RpcError::internal(format!("the request failed: {err}")))?
}
