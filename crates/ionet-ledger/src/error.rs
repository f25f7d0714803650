//! What can go wrong between the network and its chain, sorted by what the caller can do about it.

use std::path::PathBuf;

use ionet_abi::faults::Fault;
use ionet_rules::RuleError;
use solana_address::Address;
use solana_rpc_client_api::client_error::{Error as ClientError, ErrorKind};
use solana_rpc_client_api::request::{RpcError, RpcResponseErrorData};
use solana_signature::Signature;
use solana_transaction_error::TransactionError;

use crate::failure::Failure;

/// An error of the ledger. [`LedgerError::code`] is the stable name of the reason.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// A rule of the economy said no, on chain or while reading.
    #[error("{}", .0.sentence())]
    Rule(RuleError),
    /// The program found the instruction malformed or unauthorised.
    #[error("{}", .0.sentence())]
    Fault(Fault),
    /// A token account holds less than was to be moved, or the payer has too few lamports.
    #[error("there are not enough funds for this")]
    InsufficientFunds,
    /// The token program refused with one of its other errors.
    #[error("the token program refused: {0}")]
    Token(String),
    /// The chain refused the transaction for another reason.
    #[error("the transaction failed: {0}")]
    TransactionFailed(TransactionError),
    /// The transaction never landed and cannot any more: its blockhash is too old. Nothing has moved.
    #[error("transaction {signature} expired before it was processed")]
    Expired {
        /// Its first signature.
        signature: Signature,
    },
    /// The chain could not be asked long enough to know whether the transaction landed. It may still.
    #[error("the outcome of transaction {signature} is not known: {reason}")]
    OutcomeUnknown {
        /// Its first signature: ask again later.
        signature: Signature,
        /// What stood in the way.
        reason: String,
    },
    /// The RPC endpoint could not be reached, or answered nonsense.
    #[error("the RPC endpoint failed: {source}")]
    Rpc {
        /// Whether the same request may succeed a moment later.
        retryable: bool,
        /// What the client saw.
        #[source]
        source: Box<ClientError>,
    },
    /// The program has no network account on this chain yet.
    #[error("program {program_id} has no network on this chain yet")]
    NetworkMissing {
        /// The program.
        program_id: Address,
    },
    /// The chain has another network than the one wanted.
    #[error("the network on this chain has another {what} than the one wanted")]
    NetworkDiffers {
        /// What differs.
        what: &'static str,
    },
    /// There is no program at the address.
    #[error("there is no program at {program_id} on this chain: deploy it first")]
    ProgramMissing {
        /// The program.
        program_id: Address,
    },
    /// No such booking.
    #[error("there is no booking of this cluster on chain")]
    BookingMissing,
    /// The network's supply side was not set up.
    #[error("this network has no supply side yet: it mints, pays and stakes nothing")]
    SupplyMissing,
    /// The device was never registered.
    #[error("this device is not registered on chain")]
    DeviceMissing,
    /// No such beneficiary.
    #[error("there is no claim account at this address")]
    ClaimMissing,
    /// No such case.
    #[error("there is no such case on chain")]
    CaseMissing,
    /// Bytes on chain, or from a client, are not what they must be.
    #[error("the {what} is malformed")]
    Malformed {
        /// Which thing.
        what: &'static str,
    },
    /// A transaction lacks a valid signature.
    #[error("the transaction lacks the valid signature of {signer}")]
    SignatureMissing {
        /// Whose.
        signer: Address,
    },
    /// A record is not visible yet at this RPC endpoint, or has left its history.
    #[error("record {record} of a cluster is not visible at this RPC endpoint")]
    RecordMissing {
        /// Its number within the booking.
        record: u32,
    },
    /// The endpoint lists a transaction that it cannot show (yet).
    #[error("transaction {signature} is not visible at this RPC endpoint")]
    TransactionMissing {
        /// Its first signature.
        signature: Signature,
    },
    /// A key file cannot be used.
    #[error("key file {path}: {reason}", path = path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

impl LedgerError {
    pub(crate) const fn malformed(what: &'static str) -> Self {
        Self::Malformed { what }
    }

    /// The stable name of the reason, `snake_case`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Rule(rule) => rule.code(),
            Self::Fault(fault) => fault.code(),
            Self::InsufficientFunds => "insufficient_funds",
            Self::Token(_) => "token_refused",
            Self::TransactionFailed(_) => "transaction_failed",
            Self::Expired { .. } => "transaction_expired",
            Self::OutcomeUnknown { .. } => "outcome_unknown",
            Self::Rpc { retryable: true, .. } => "rpc_unavailable",
            Self::Rpc { retryable: false, .. } => "rpc_refused",
            Self::NetworkMissing { .. } => "network_missing",
            Self::NetworkDiffers { .. } => "network_differs",
            Self::ProgramMissing { .. } => "program_missing",
            Self::BookingMissing => "booking_missing",
            Self::SupplyMissing => "supply_missing",
            Self::DeviceMissing => "device_missing",
            Self::ClaimMissing => "claim_missing",
            Self::CaseMissing => "case_missing",
            Self::Malformed { .. } => "malformed",
            Self::SignatureMissing { .. } => "signature_missing",
            Self::RecordMissing { .. } => "record_missing",
            Self::TransactionMissing { .. } => "transaction_missing",
            Self::KeyFile { .. } => "key_file",
        }
    }

    /// Whether the same call may succeed later without anything else changing.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Rpc { retryable: true, .. }
                | Self::Expired { .. }
                | Self::OutcomeUnknown { .. }
                | Self::RecordMissing { .. }
                | Self::TransactionMissing { .. }
                | Self::Rule(RuleError::PriceStale | RuleError::PriceScattered | RuleError::PoolOffOracle)
        )
    }
}

impl From<RuleError> for LedgerError {
    fn from(rule: RuleError) -> Self {
        Self::Rule(rule)
    }
}

impl From<Failure> for LedgerError {
    fn from(failure: Failure) -> Self {
        failure.reason()
    }
}

impl From<ClientError> for LedgerError {
    fn from(source: ClientError) -> Self {
        let retryable = match source.kind() {
            // -32603 and the server's own range -32000..-32099 but for what the request itself is to blame for.
            ErrorKind::RpcError(RpcError::RpcResponseError { code, .. }) => !matches!(code, -32700 | -32602..=-32600 | -32003 | -32002),
            ErrorKind::Io(_) | ErrorKind::Reqwest(_) | ErrorKind::Middleware(_) | ErrorKind::RpcError(RpcError::RpcRequestError(_)) => true,
            _ => false,
        };
        Self::Rpc { retryable, source: Box::new(source) }
    }
}

/// The failed transaction inside a client's error, with its logs when the endpoint gave them.
pub(crate) fn failure_of(error: &ClientError) -> Option<Failure> {
    if let ErrorKind::RpcError(RpcError::RpcResponseError { data, .. }) = error.kind()
        && let RpcResponseErrorData::SendTransactionPreflightFailure(result) = data
    {
        let error = result.err.clone()?.into();
        return Some(Failure { error, logs: result.logs.clone().unwrap_or_default() });
    }
    error.get_transaction_error().map(|error| Failure { error, logs: Vec::new() })
}
