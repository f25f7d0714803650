//! The typed client of the network's on-chain program, over any Solana RPC endpoint: in process to the local chain or over HTTP to a
//! cluster, with the same code.
//!
//! The chain is the truth about money: [`Ledger`] reads it, prepares transactions for others to sign, submits them and knows what became
//! of them, and takes the network's own steps ([`Ledger::start`], [`Ledger::worked`], ...), each keyed on chain so that it can never
//! happen twice. [`records`] reads the program's event records back, [`receipt`] and [`tne`] add them up.

pub mod accounts;
pub mod address;
mod error;
mod failure;
mod faucet;
pub mod genesis;
mod indexer;
pub mod instructions;
mod ledger;
mod operator;
pub mod receipt;
pub mod records;
mod steps;
mod submit;
pub mod supply;
pub mod tne;
mod transaction;

pub use accounts::{BookingView, Network, Oracle, TokenAccount, VaultBalances};
pub use address::{Addresses, CaseId, ClusterId};
pub use error::LedgerError;
pub use failure::Failure;
pub use faucet::Grant;
pub use genesis::{Genesis, Mints};
pub use indexer::{Cursor, Indexer};
pub use ledger::{BookingFilter, COMMITMENT, Ledger};
pub use operator::{KeyRole, Operator};
pub use receipt::{Balance, Receipt};
pub use records::{Body, Record, Written};
pub use steps::StepOutcome;
pub use supply::{
    CaseFilter, CaseView, ClaimFilter, ClaimView, DeviceFilter, DeviceView, EpochsView, MultipliersView, SupplyEvent, SupplyRecord,
    SupplyVaults, SupplyView, VerifiersView,
};
pub use tne::Tne;
pub use transaction::{MAX_TRANSACTION_BYTES, Prepared, Simulation, add_signature, decode_transaction, encode_transaction, message_hash};
