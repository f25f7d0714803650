//! What the network knows of its devices, and what it does not know: the life of a device as one state machine ([`life`]), when the hub was
//! there to see ([`watching`]), the minutes that count ([`minutes`], [`timelock`]), and the liveness of a whole fleet in memory ([`fleet`]).
//!
//! Everything here is pure: `now`, seeds and data come in, decisions come out. Times are unix seconds on the hub's clock; a device's own
//! clock is compared and never believed. What the hub could not see counts against nobody.

pub mod fleet;
pub mod life;
pub mod minutes;
pub mod timelock;
pub mod watching;

pub use fleet::{Fleet, Shards};
pub use life::{BlockReason, Change, Duty, Event, Life, Reason, Refused, State, TestCode, View};
pub use minutes::Minutes;
pub use watching::{Grace, Link, Presence, Watching};
