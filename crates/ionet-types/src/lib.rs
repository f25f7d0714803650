//! The nouns that travel: what the hub, the agents and the clients say to each other.
//!
//! Request types refuse unknown fields; answer types may grow. Times are whole unix seconds (`*_unix_secs`), ids UUIDs, addresses and
//! signatures base58, amounts decimal strings of base units.

pub mod agent;
pub mod audit;
pub mod clusters;
pub mod devices;
pub mod epochs;
pub mod hardware;
pub mod ids;
pub mod joins;
pub mod keys;
pub mod market;
pub mod money;
pub mod network;
pub mod page;
pub mod payments;
pub mod problem;
pub mod proofs;
pub mod quotes;
pub mod rewards;
pub mod slashes;
pub mod stakes;
pub mod supply;
pub mod tne;
pub mod transactions;

pub use ids::{Address, CaseId, ClusterId, DeviceId, JoinTokenId, KeyId, Sha256, TransactionSignature};
pub use money::{BaseUnits, Currency, MicroUsd, Money};
