//! The chain's clock, by system call: no instruction takes a clock account, so none can be forged.

use pinocchio::sysvars::Sysvar;
use pinocchio::sysvars::clock::Clock;

use crate::refusal::Outcome;

/// Now, unix seconds.
pub(crate) fn unix_secs() -> Outcome<i64> {
    Ok(Clock::get()?.unix_timestamp)
}
