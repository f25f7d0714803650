//! Positional parameters and the values in them.

use crate::RpcError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use solana_address::Address;
use solana_signature::Signature;

pub(crate) struct Params(Vec<Value>);

impl Params {
    pub(crate) fn new(params: Value) -> Result<Self, RpcError> {
        match params {
            Value::Null => Ok(Self(Vec::new())),
            Value::Array(values) => Ok(Self(values)),
            _ => Err(RpcError::invalid_params("`params` should be an array")),
        }
    }

    /// Refuses more parameters than a method has.
    pub(crate) fn at_most(&self, count: usize) -> Result<(), RpcError> {
        if self.0.len() > count {
            return Err(RpcError::invalid_params(format!("Expected at most {count} parameters, got {}", self.0.len())));
        }
        Ok(())
    }

    pub(crate) fn required<T: DeserializeOwned>(&self, at: usize, name: &str) -> Result<T, RpcError> {
        let value =
            self.0.get(at).filter(|value| !value.is_null()).ok_or_else(|| {
                RpcError::invalid_params(format!("`params` should have at least {} argument(s): {name} is missing", at + 1))
            })?;
        T::deserialize(value).map_err(|err| RpcError::invalid_params(format!("Invalid params: {name}: {err}")))
    }

    pub(crate) fn optional<T: DeserializeOwned + Default>(&self, at: usize, name: &str) -> Result<T, RpcError> {
        match self.0.get(at) {
            None | Some(Value::Null) => Ok(T::default()),
            Some(value) => T::deserialize(value).map_err(|err| RpcError::invalid_params(format!("Invalid params: {name}: {err}"))),
        }
    }

    pub(crate) fn address(&self, at: usize) -> Result<Address, RpcError> {
        parse_address(&self.required::<String>(at, "address")?)
    }
}

/// An address as base58.
pub(crate) fn parse_address(text: &str) -> Result<Address, RpcError> {
    // 32 bytes are at most 44 characters; longer text is not worth decoding.
    if text.len() > 44 {
        return Err(RpcError::invalid_params("Invalid param: WrongSize"));
    }
    text.parse().map_err(|err| RpcError::invalid_params(format!("Invalid param: {err:?}")))
}

/// A signature as base58.
pub(crate) fn parse_signature(text: &str) -> Result<Signature, RpcError> {
    if text.len() > 88 {
        return Err(RpcError::invalid_params("Invalid param: WrongSize"));
    }
    text.parse().map_err(|err| RpcError::invalid_params(format!("Invalid param: {err:?}")))
}
