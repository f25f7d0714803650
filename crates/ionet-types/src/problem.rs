//! Problems: the one shape of every error answer (RFC 9457), and the stable codes that name the reason.
//!
//! Beside the codes here, an answer's `code` can be a refusal by a rule of the economy (`ionet_rules::RuleError::code`) or by the
//! program (`ionet_abi::faults::Fault::code`). A code is never renamed and never gets another meaning.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Media type of a problem.
pub const PROBLEM_MEDIA_TYPE: &str = "application/problem+json";

/// An error answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// `about:blank`: the code says what is wrong.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// Short name of the status.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// The stable, machine-readable reason, `snake_case`.
    #[schema(example = "cluster_not_found")]
    pub code: String,
    /// The reason for a person.
    pub detail: String,
    /// Which part of the request, where that is known: a JSON path, or the name of a parameter or header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Finds the request in the hub's logs; also in the `x-request-id` header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Problem {
    /// A problem with this status, code and detail.
    pub fn new(status: u16, title: &str, code: &str, detail: impl Into<String>) -> Self {
        Self {
            type_uri: "about:blank".to_owned(),
            title: title.to_owned(),
            status,
            code: code.to_owned(),
            detail: detail.into(),
            field: None,
            request_id: None,
        }
    }
}

macro_rules! codes {
    ($($name:ident = $code:literal, $sentence:literal;)+) => {
        /// Why the hub or its API says no.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $(#[doc = $sentence] $name,)+
        }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// The stable name.
            pub const fn code(self) -> &'static str {
                match self { $(Code::$name => $code,)+ }
            }

            /// One sentence for a person.
            pub const fn sentence(self) -> &'static str {
                match self { $(Code::$name => $sentence,)+ }
            }
        }
    };
}

codes! {
    RequestMalformed = "request_malformed", "the request's body, query or path is not what this endpoint takes";
    RequestTooLarge = "request_too_large", "the request's body is too large";
    MediaTypeUnsupported = "media_type_unsupported", "the request's body must be application/json";
    RouteNotFound = "route_not_found", "there is no such endpoint";
    MethodNotAllowed = "method_not_allowed", "this endpoint does not take this method";
    BodyTimeout = "body_timeout", "the request's body did not arrive in time";
    UpgradeRequired = "upgrade_required", "this endpoint speaks websocket only";
    RateLimited = "rate_limited", "too many requests: wait a little";
    TooManyStreams = "too_many_streams", "too many live streams or proxied requests are open at once: end one";
    Busy = "busy", "the hub is at its limit: try again in a moment";
    TimedOut = "timed_out", "the request took too long; it may still take effect: look before you repeat it";
    Unauthenticated = "unauthenticated", "sign in, or send a valid API key as a bearer token";
    ScopeInsufficient = "scope_insufficient", "this API key does not allow it";
    ChallengeInvalid = "challenge_invalid", "the sign-in message was not issued here, was changed, was used before or is too old";
    SignatureInvalid = "signature_invalid", "the signature is not this wallet's over this message";
    KeyNotFound = "key_not_found", "you have no such API key";
    KeyLimit = "key_limit", "a wallet can hold at most 100 API keys";
    JoinTokenNotFound = "join_token_not_found", "you have no such join token";
    JoinTokenLimit = "join_token_limit", "a wallet can hold at most 100 join tokens";
    DeviceCodeUnknown = "device_code_unknown", "there is no such device code, or it is too old";
    DeviceCodeDecided = "device_code_decided", "this device was approved or denied already";
    DeviceCodeLimit = "device_code_limit", "too many devices wait for an approval: try again in a few minutes";
    WriteRateExceeded = "write_rate_exceeded", "far too many changes were asked for: wait a minute";
    FieldOutOfRange = "field_out_of_range", "a field of the request is out of its range";
    CursorInvalid = "cursor_invalid", "the cursor is not one that this list gave";
    ClusterNotFound = "cluster_not_found", "you have no such cluster";
    DeviceNotFound = "device_not_found", "there is no such device";
    DeviceNotRegistered = "device_not_registered", "this device is not registered on chain: its owner registers it first";
    DeviceRegistered = "device_registered", "this device is registered on chain already";
    DeviceOwnerUndeclared = "device_owner_undeclared", "the device does not name this wallet as its owner: join it with a token of this wallet";
    DeviceNotYours = "device_not_yours", "this device, or this part of its stake, belongs to another wallet";
    DeviceInUse = "device_in_use", "the device is hired or reserved: wait until its cluster has ended";
    DeviceRefuses = "device_refuses", "the device's present state does not allow this";
    ProofNotFound = "proof_not_found", "there is no such proof, or its transcript was not kept: only that of what failed is";
    TransferNotFound = "transfer_not_found", "there is no such transfer, or it was begun already";
    CaseNotFound = "case_not_found", "there is no such case";
    SupplyMissing = "supply_missing", "this network has no supply side: it mints, pays and stakes nothing";
    EpochNotFound = "epoch_not_found", "there is no such epoch yet";
    EpochNotClosed = "epoch_not_closed", "the epoch's allocation is not published yet";
    RewardNotFound = "reward_not_found", "the accepted root has nothing for this device";
    ModelUnknown = "model_unknown", "the multiplier table has no such model";
    TransactionNotFound = "transaction_not_found", "no record of the network is in a transaction of this name";
    HardwareUnknown = "hardware_unknown", "the network does not rent out this model";
    CapacityInsufficient = "capacity_insufficient", "fewer devices of this model are free than asked for";
    PendingBookingLimit = "pending_booking_limit", "too many bookings wait for your signature: sign one, or wait until they lapse";
    OperatorOnly = "operator_only", "only the network's operator may do this";
    QuoteInvalid = "quote_invalid", "the quote is not one that this network signed for these terms";
    PartRefused = "part_refused", "nodes can only join a running cluster of your own, for no longer than it is hired";
    NotTerminable = "not_terminable", "only a paid or running cluster can be ended";
    IdempotencyKeyInvalid = "idempotency_key_invalid", "an idempotency key is 1 to 255 visible ASCII characters";
    IdempotencyKeyReused = "idempotency_key_reused", "this idempotency key was used for another request";
    IdempotencyKeyInUse = "idempotency_key_in_use", "a request with this idempotency key is being processed: retry in a moment";
    TransactionMalformed = "transaction_malformed", "not a base64 transaction in Solana's wire format";
    TransactionForeign = "transaction_foreign", "the hub submits only transactions that it prepared";
    TransactionUnsigned = "transaction_unsigned", "a signature is missing or does not fit the transaction";
    TransactionExpired = "transaction_expired", "the transaction is too old to land: ask for a new one";
    TransactionRefused = "transaction_refused", "the chain refused the transaction; nothing moved";
    TransactionUnconfirmed = "transaction_unconfirmed", "the transaction was sent and its outcome is not known yet: look it up, or submit it again";
    InsufficientFunds = "insufficient_funds", "the wallet holds less than is to be paid";
    FaucetClosed = "faucet_closed", "only a local network has a faucet";
    DeviceUnreachable = "device_unreachable", "the cluster's head is not connected at the moment";
    RayNotReady = "ray_not_ready", "the cluster's Ray is not up yet, or no more";
    TunnelFailed = "tunnel_failed", "the request to the cluster's Ray failed on its way";
    ChainUnavailable = "chain_unavailable", "the chain does not answer at the moment";
    StoreUnavailable = "store_unavailable", "the hub cannot reach its store at the moment";
    Internal = "internal", "something went wrong inside the hub; nothing was charged";
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_code_has_two_meanings() {
        let rules = ionet_rules::RuleError::ALL.iter().map(|error| error.code());
        let codes: Vec<&str> = Code::ALL.iter().map(|code| code.code()).chain(rules).collect();
        assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')));
    }
}
