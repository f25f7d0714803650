//! What the hub answers when it cannot do what was asked. Free of any transport: the API turns the kind into a status.
//!
//! The message is for the client; the source is for the operator's log and never leaves the hub.

use std::error::Error as StdError;
use std::fmt;

use ionet_ledger::LedgerError;
use ionet_market::MarketError;
use ionet_rules::RuleError;
use ionet_store::StoreError;
use ionet_types::problem::Code;

/// What every use case returns.
pub type HubResult<T> = Result<T, HubError>;

/// What the client can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// Correct the request.
    Invalid,
    /// Sign in.
    Unauthenticated,
    /// Nothing: it is not allowed.
    Forbidden,
    /// Nothing: it is not there, or not the caller's.
    NotFound,
    /// The request does not fit the present state.
    Conflict,
    /// A rule of the economy, or the chain, said no.
    Refused,
    /// Wait a little.
    TooMany,
    /// Tell the operator.
    Internal,
    /// Somebody behind the hub answered nonsense.
    BadGateway,
    /// Try again later.
    Unavailable,
    /// The outcome is not known yet: look it up, or do the same again.
    Timeout,
}

/// An error of the hub.
#[derive(Debug)]
pub struct HubError {
    kind: ErrorKind,
    code: &'static str,
    message: String,
    field: Option<&'static str>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl HubError {
    /// An error with the code's own sentence as its message.
    pub fn new(kind: ErrorKind, code: Code) -> Self {
        Self { kind, code: code.code(), message: code.sentence().to_owned(), field: None, source: None }
    }

    /// A field of the request is out of its range.
    pub fn field(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::new(ErrorKind::Invalid, Code::FieldOutOfRange) }
    }

    /// The same error, of this field of the request.
    #[must_use]
    pub fn of(mut self, field: &'static str) -> Self {
        self.field = Some(field);
        self
    }

    /// Something inside the hub went wrong.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, Code::Internal).because(source)
    }

    /// The same error with what caused it, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The same error with another message for the client.
    #[must_use]
    pub fn saying(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// What the client can do about it.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable, machine-readable reason.
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Which field of the request, where it is one.
    pub const fn of_field(&self) -> Option<&'static str> {
        self.field
    }

    /// The reason for a person.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for HubError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for HubError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// A named reason turns into an error of the kind that fits it always.
impl From<Code> for HubError {
    fn from(code: Code) -> Self {
        let kind = match code {
            Code::Unauthenticated | Code::ChallengeInvalid | Code::SignatureInvalid => ErrorKind::Unauthenticated,
            Code::ScopeInsufficient
            | Code::FaucetClosed
            | Code::TransactionForeign
            | Code::DeviceNotYours
            | Code::OperatorOnly
            | Code::DeviceOwnerUndeclared => ErrorKind::Forbidden,
            Code::ClusterNotFound
            | Code::DeviceNotFound
            | Code::TransactionNotFound
            | Code::KeyNotFound
            | Code::JoinTokenNotFound
            | Code::DeviceCodeUnknown
            | Code::CaseNotFound
            | Code::ProofNotFound
            | Code::TransferNotFound
            | Code::DeviceNotRegistered
            | Code::EpochNotFound
            | Code::EpochNotClosed
            | Code::RewardNotFound => ErrorKind::NotFound,
            Code::CapacityInsufficient
            | Code::PartRefused
            | Code::NotTerminable
            | Code::IdempotencyKeyInUse
            | Code::KeyLimit
            | Code::JoinTokenLimit
            | Code::DeviceCodeDecided
            | Code::DeviceRegistered
            | Code::DeviceInUse
            | Code::DeviceRefuses
            | Code::SupplyMissing => ErrorKind::Conflict,
            Code::IdempotencyKeyReused | Code::InsufficientFunds | Code::TransactionExpired | Code::TransactionRefused => {
                ErrorKind::Refused
            }
            Code::PendingBookingLimit | Code::RateLimited | Code::DeviceCodeLimit | Code::WriteRateExceeded => ErrorKind::TooMany,
            Code::TunnelFailed => ErrorKind::BadGateway,
            Code::ChainUnavailable | Code::StoreUnavailable | Code::DeviceUnreachable | Code::RayNotReady => ErrorKind::Unavailable,
            Code::TransactionUnconfirmed => ErrorKind::Timeout,
            Code::Internal => ErrorKind::Internal,
            _ => ErrorKind::Invalid,
        };
        Self::new(kind, code)
    }
}

impl From<RuleError> for HubError {
    fn from(rule: RuleError) -> Self {
        let kind = match rule {
            RuleError::QuantityOutOfRange | RuleError::MinutesOutOfRange | RuleError::ZeroAmount | RuleError::ShareOutOfRange => {
                ErrorKind::Invalid
            }
            RuleError::PriceStale | RuleError::PriceScattered => ErrorKind::Unavailable,
            RuleError::BooksDoNotBalance => ErrorKind::Internal,
            _ => ErrorKind::Refused,
        };
        Self { kind, code: rule.code(), message: rule.sentence().to_owned(), field: None, source: None }
    }
}

impl From<MarketError> for HubError {
    fn from(error: MarketError) -> Self {
        match error {
            MarketError::Rule(rule) => rule.into(),
        }
    }
}

impl From<StoreError> for HubError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Database(_) => Self::from(Code::StoreUnavailable).because(error),
            StoreError::Migration(_) | StoreError::Damaged { .. } => Self::internal(error),
        }
    }
}

impl From<LedgerError> for HubError {
    fn from(error: LedgerError) -> Self {
        let code = match &error {
            LedgerError::Rule(rule) => return Self::from(*rule).because(error),
            LedgerError::Fault(fault) => {
                let refused = Self::from(Code::TransactionRefused).saying(fault.sentence());
                return Self { code: fault.code(), ..refused }.because(error);
            }
            LedgerError::SupplyMissing => Code::SupplyMissing,
            LedgerError::DeviceMissing | LedgerError::ClaimMissing => Code::DeviceNotRegistered,
            LedgerError::CaseMissing => Code::CaseNotFound,
            LedgerError::InsufficientFunds => Code::InsufficientFunds,
            LedgerError::Expired { .. } => Code::TransactionExpired,
            LedgerError::OutcomeUnknown { .. } => Code::TransactionUnconfirmed,
            LedgerError::SignatureMissing { .. } => Code::TransactionUnsigned,
            LedgerError::TransactionFailed(_) | LedgerError::Token(_) => Code::TransactionRefused,
            LedgerError::Rpc { .. } | LedgerError::RecordMissing { .. } | LedgerError::TransactionMissing { .. } => Code::ChainUnavailable,
            _ => Code::Internal,
        };
        Self::from(code).because(error)
    }
}
