//! The supplier's side of the network: an agent that lends this machine to clusters.
//!
//! [`run`] holds one outbound connection to a hub, so that a device behind NAT works, and reconciles what the hub wants with what runs:
//!
//! - **Desired state** comes from the hub, whole, and is written to disk before anything is done about it. A node that runs and is no
//!   longer wanted is ended; nothing else ends a paid node before its lease does, least of all a hub that cannot be reached.
//! - **Observed state** goes to the hub on every change. A process that dies is noticed within a fraction of a second.
//! - **Nodes outlive the agent.** After a crash the next agent finds their processes by their mark, and goes on watching them.
//! - **Nothing is left** of a node after its end: no process, no directory.
//!
//! The only runtime there is now, plain processes, does **not** isolate: a customer's program can do what the agent's user can.
//! It is for trusted use only, and the agent says so in its hardware report ([`ionet_types::agent::Isolation::None`]).
//!
//! The wire is described in [`ionet_types::agent`].

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that cannot go on may panic"))]

mod agent;
mod clock;
mod connection;
mod cores;
mod decide;
pub mod decisions;
mod engine;
mod error;
mod gpus;
mod keeper;
mod key;
mod link;
mod load;
mod node;
mod options;
mod ports;
pub mod preflight;
mod probe;
mod processes;
mod prove;
mod ray;
mod runtime;
pub mod service;
mod store;
mod transfer;
mod tunnel;

#[cfg(test)]
mod tests;

pub use agent::{has_joined, run};
pub use error::{AgentError, NodeFailure};
pub use key::DeviceKey;
pub use link::Link;
pub use options::{AgentOptions, default_cache_dir};
pub use probe::probe;
pub use ray::{RAY_VERSION, RayEnvironment};
pub use tokio_util::sync::CancellationToken;
