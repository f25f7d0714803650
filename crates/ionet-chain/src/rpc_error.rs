//! Errors as Solana's JSON-RPC reports them: a code, a message, sometimes data.

use serde_json::Value;
use solana_rpc_client_api::{custom_error as codes, response::RpcSimulateTransactionResult};

/// A JSON-RPC error object.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("RPC error {code}: {message}")]
pub struct RpcError {
    /// The code, from JSON-RPC 2.0 (-327xx, -326xx) or Solana (-320xx).
    pub code: i64,
    /// One sentence for people.
    pub message: String,
    /// What Solana puts beside some codes, such as the logs of a failed preflight.
    pub data: Option<Value>,
}

impl RpcError {
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    pub(crate) fn parse(message: impl Into<String>) -> Self {
        Self::new(-32700, message)
    }

    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(-32600, message)
    }

    pub(crate) fn method_not_found(method: &str) -> Self {
        let shown: String = method.chars().take(64).collect();
        Self::new(-32601, format!("Method not found: {shown}"))
    }

    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self::new(-32602, message)
    }

    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(-32603, message)
    }

    pub(crate) fn signature_verification() -> Self {
        Self::new(codes::JSON_RPC_SERVER_ERROR_TRANSACTION_SIGNATURE_VERIFICATION_FAILURE, "Transaction signature verification failure")
    }

    pub(crate) fn min_context_slot(context_slot: u64) -> Self {
        Self {
            data: Some(serde_json::json!({ "contextSlot": context_slot })),
            ..Self::new(codes::JSON_RPC_SERVER_ERROR_MIN_CONTEXT_SLOT_NOT_REACHED, "Minimum context slot has not been reached")
        }
    }

    pub(crate) fn unsupported_version(version: u8) -> Self {
        Self::new(
            codes::JSON_RPC_SERVER_ERROR_UNSUPPORTED_TRANSACTION_VERSION,
            format!(
                "Transaction version ({version}) is not supported by the requesting client. Please try the request \
                 again with the following configuration parameter: \"maxSupportedTransactionVersion\": {version}"
            ),
        )
    }

    pub(crate) fn preflight(message: String, result: &RpcSimulateTransactionResult) -> Self {
        Self {
            data: serde_json::to_value(result).ok(),
            ..Self::new(codes::JSON_RPC_SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE, message)
        }
    }

    /// The error as the `error` member of a response.
    pub fn to_json(&self) -> Value {
        let mut object = serde_json::json!({ "code": self.code, "message": self.message });
        if let Some(data) = &self.data {
            object["data"] = data.clone();
        }
        object
    }
}
