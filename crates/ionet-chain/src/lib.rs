//! A local Solana chain: `LiteSVM` behind Solana's JSON-RPC and websocket interface, durable on disk.
//!
//! One thread owns the virtual machine and executes requests in order. A second thread appends what they changed to
//! a journal, syncs it once for everything that is waiting (group commit), and only then lets the answers out. So
//! whatever a client has seen survives `kill -9`, and nothing a client has seen is undone.
//!
//! # The directory
//!
//! | File | Holds |
//! |---|---|
//! | `lock` | Nothing; locked while a process has the chain open. |
//! | `genesis.json` | The chain's constants, its faucet's key among them. Readable by its owner only. |
//! | `journal-N.log` | Every write, in frames with checksums: the truth, and the history that clients read. |
//! | `snapshot-N.bin` | The accounts at the start of segment N. Only saves time when opening; may be deleted. |
//!
//! A frame at the very end that was cut short was never acknowledged, and is dropped. Anything else that does not
//! match its checksum stops the opening, with the file, the offset and what can be done.
//!
//! # Differences from a Solana cluster
//!
//! - Every slot has its block, which is final at once: all commitments mean the same.
//! - With real time a slot is 400 ms. With stepped time a slot is 64 transactions or one step of the clock.
//! - Several blockhashes are handed out within one slot, so that equal transfers a moment apart differ.
//! - A transaction that no block could hold (an expired blockhash, no fee) is refused with an error also when the
//!   client skips the preflight; on a cluster it would vanish. One that was processed already is then no error.
//! - Durable nonces are not supported: such a transaction names no recent blockhash.
//! - Blocks cannot be read (`getBlock`), and there are no votes, stakes or rewards.

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
mod recent;
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
