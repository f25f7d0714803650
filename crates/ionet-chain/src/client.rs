//! Solana's client over this chain without HTTP.

use crate::{Chain, RpcError};
use async_trait::async_trait;
use serde_json::Value;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::{
    nonblocking::rpc_client::RpcClient,
    rpc_client::RpcClientConfig,
    rpc_sender::{RpcSender, RpcTransportStats},
};
use solana_rpc_client_api::{
    client_error::Result as ClientResult,
    custom_error::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
    request::{RpcError as ClientRpcError, RpcRequest, RpcResponseErrorData},
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

struct InProcess {
    chain: Chain,
    requests: AtomicUsize,
}

pub(crate) fn in_process(chain: &Chain) -> RpcClient {
    let sender = InProcess { chain: chain.clone(), requests: AtomicUsize::new(0) };
    RpcClient::new_sender(sender, RpcClientConfig::with_commitment(CommitmentConfig::confirmed()))
}

#[async_trait]
impl RpcSender for InProcess {
    async fn send(&self, request: RpcRequest, params: Value) -> ClientResult<Value> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.chain.request(&request.to_string(), params).await.map_err(|err| client_error(err).into())
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats {
            request_count: self.requests.load(Ordering::Relaxed),
            elapsed_time: Duration::ZERO,
            rate_limited_time: Duration::ZERO,
        }
    }

    fn url(&self) -> String {
        "in-process".into()
    }
}

/// The same error that the HTTP client makes of a response.
fn client_error(err: RpcError) -> ClientRpcError {
    let data = match err.data {
        Some(data) if err.code == JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE => {
            serde_json::from_value(data).map_or(RpcResponseErrorData::Empty, RpcResponseErrorData::SendTransactionPreflightFailure)
        }
        _ => RpcResponseErrorData::Empty,
    };
    ClientRpcError::RpcResponseError { code: err.code, message: err.message, data }
}
