//! What the agent decides, without the agent: a pure function of what is known at one moment. A simulation calls it as a keeper does.

pub use crate::clock::{KEEP_EVERY_SECS, Timeline};
pub use crate::decide::{Due, Want, decide};
pub use crate::store::Phase;
