//! A local Solana chain: `LiteSVM` behind Solana's JSON-RPC and websocket interface, durable on disk.
//!
//! One thread owns the virtual machine and executes requests in order. A second thread appends what they
//! changed to a journal, syncs it once for everything that is waiting (group commit), and only then lets the
//! answers out. So whatever a client has seen survives `kill -9`, and nothing a client has seen is undone.

mod actor;
mod chain;
mod client;
mod error;
mod genesis;
mod history;
mod index;
mod journal;
mod options;
mod programs;
mod record;
mod restore;
mod rpc;
mod rpc_error;
mod server;
mod shared;
mod snapshot;
mod state;
mod timeline;
mod token;

pub use chain::Chain;
pub use error::ChainError;
pub use options::{ChainClock, ChainOptions};
pub use rpc_error::RpcError;
pub use server::bind_pair;
