//! What goes into the table and comes out of it.

use ionet_types::agent::HeartbeatError;
use thiserror::Error;

use crate::life::{BlockReason, Duty, State};
use crate::minutes::Minutes;
use crate::timelock::{Hour, Verdict};
use crate::watching::Presence;

/// What the owner of a table chooses.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// After this long without a heartbeat a device is away, seconds: three heartbeats. After a third of it without a look the hub itself was
    /// away.
    pub silence_secs: u32,
    /// Most devices that are kept.
    pub max_devices: u32,
}

/// A device's session in the table. It says nothing any more once the device has connected anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    pub(super) number: u32,
    pub(super) generation: u32,
}

/// What came of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// What its load says.
    pub verdict: Verdict,
    /// For what the present hour blocks the device, if it does.
    pub offence: Option<BlockReason>,
    /// The device's clock less the hub's, seconds. A matter of interest, nothing is decided by it.
    pub skew_secs: i32,
    /// Whether that has changed by more than [`CLOCK_STEP_SECS`](super::CLOCK_STEP_SECS) since the last heartbeat: somebody has set the device's clock.
    pub clock_stepped: bool,
    /// Whether the device had been taken for away.
    pub returned: bool,
}

/// Why a heartbeat or a device was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Dropped {
    /// The session is over: the device has connected anew, has left, or is forgotten.
    #[error("the device's session is over")]
    SessionOver,
    /// The heartbeat says nothing.
    #[error(transparent)]
    Heartbeat(#[from] HeartbeatError),
    /// The device is not known.
    #[error("the device is not known")]
    NotKnown,
    /// The table is full.
    #[error("no more devices can be kept")]
    Full,
}

impl Dropped {
    /// Stable code in snake_case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::SessionOver => "session_over",
            Self::Heartbeat(error) => error.code(),
            Self::NotKnown => "device_not_known",
            Self::Full => "fleet_full",
        }
    }
}

/// What is known of a device at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    /// How it is.
    pub state: State,
    /// What it is up to.
    pub duty: Duty,
    /// Whether it is there.
    pub presence: Presence,
    /// Its last sign of life, unix seconds; 0 before the first.
    pub heard_unix_secs: i64,
    /// The device's clock less the hub's, seconds, at its last heartbeat.
    pub skew_secs: i32,
}

/// An hour of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uptime {
    /// What was seen of it.
    pub hour: Hour,
    /// Minutes in which nobody can tell, because the hub was not there: they are neither uptime nor downtime.
    pub unknown: Minutes,
}

/// How many devices are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts(pub(super) [u32; State::COUNT]);

impl Counts {
    /// Devices in this state.
    pub const fn of(&self, state: State) -> u32 {
        self.0[state as usize]
    }

    /// All devices.
    pub fn all(&self) -> u32 {
        self.0.iter().sum()
    }

    #[must_use]
    pub(super) fn plus(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(here, there)| *here += there);
        self
    }
}
