//! One epoch of the network, from its inputs to what everybody earns (docs/economy.md, sections 3 to 6; docs/EPOCHS.md).
//!
//! [`Draft`] collects an epoch's inputs and seals them into [`Inputs`]; [`close`] allocates, adds to the lifetime totals and builds the tree;
//! [`Closed::write`] publishes it as a file; [`read`] takes such a file from anybody and [`Published::replay`] recomputes all of it.
//! Nothing here reads a clock, a file or the environment, and the order in which devices come in changes no byte of what comes out.

#[cfg(target_endian = "big")]
compile_error!("epoch files are little-endian records, written and read in place");

mod allocate;
mod close;
mod error;
mod file;
mod header;
mod inputs;
mod merkle;
mod parallel;
mod read;
mod records;
mod replay;
mod report;
mod totals;

pub use allocate::{Allocation, Sums};
pub use close::{Closed, close};
pub use error::{Error, Result};
pub use file::MAGIC;
pub use header::Amount;
pub use inputs::{CoStake, Device, Draft, Epoch, Inputs, MAX_DEVICES, MAX_MODELS, MAX_TESTS, Model, Outcome, Test};
pub use merkle::{Tree, leaf_hash, verify};
pub use read::read;
pub use records::{DeviceRecord, LineRecord, TestRecord, Total};
pub use replay::Published;
pub use report::{CheckReport, LineReport, write_csv};
pub use totals::Totals;

/// A 32-byte address or key as people read it.
pub fn base58(bytes: &[u8; 32]) -> String {
    bs58::encode(bytes).into_string()
}
