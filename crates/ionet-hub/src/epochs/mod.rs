//! What an epoch of the network is closed from, and where what came of it is kept.
//!
//! Inputs are gathered from three truths: the chain (stakes, minted emission, paid work), the store (who was connected when, who was which
//! node) and the parameters. The allocation itself is computed by `ionet-epochs` and kept as a file that anyone can download and replay.

pub(crate) mod archive;
pub(crate) mod gates;
pub(crate) mod inputs;
pub(crate) mod start;
pub(crate) mod uptime;
pub(crate) mod watch;
pub(crate) mod work;
