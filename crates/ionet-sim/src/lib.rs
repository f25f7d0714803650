//! A hub and hundreds of agents over a bad network, in simulated time, from a seed.
//!
//! What decides is the real code of both sides: the agent's `decide`, the hub's `plan`, `purpose`, metering, gates and uptime, the market's
//! `place`, the bookings of `ionet-rules`, and `Life` and `Fleet`. What is simulated is everything around it: sockets, disks, processes,
//! clocks, crashes, and the loops that carry a decision out, each as short as can be and in the order of the real one.
//!
//! It is a discrete-event simulator of its own rather than one that runs the asynchronous code under a simulated runtime: what is to be
//! shown are laws of the decisions over hours of a fleet's time, for many seeds within a minute, and everything that decides is pure. Such a
//! runtime advances tick by tick, drives the wrappers instead of the rules, and would need a simulated chain, database and Ray.
//!
//! [`run`] plays one seed and returns what it saw; the [`Laws`] it broke are in the report. The same seed gives the same run, bit for bit.

mod agent;
mod chain;
mod customers;
mod faults;
mod hub;
mod keeper;
mod laws;
mod network;
mod random;
mod world;

pub use laws::{Broken, Laws};
pub use world::{Config, Report, run};

/// Milliseconds of simulated time since the beginning.
pub type Millis = i64;
/// The true time at the beginning, unix seconds.
pub const BEGIN_UNIX_SECS: i64 = 1_800_000_000;

/// The true time, unix seconds.
pub(crate) const fn unix_secs(now: Millis) -> i64 {
    BEGIN_UNIX_SECS + now.div_euclid(1_000)
}
