//! Proofs: at random times of an epoch each device that is not hired shows what it can do. What is asked is in [`plan`], how one proof runs
//! in [`round`], timed transfers in [`transfers`]; who is due is looked up by the reconciler of the same name. The challenges themselves,
//! and how their answers are checked, are in crate `ionet-proofs`.

pub(crate) mod plan;
pub(crate) mod round;
pub(crate) mod transfers;

use std::time::Duration;

/// How the network measures its devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measuring {
    /// Whether a device may be hired before its first proof: the operator vouches for what connects. For networks whose devices are all the
    /// operator's own.
    pub vouched: bool,
    /// How long each job takes at the reference speed of the model that the device claims to be, milliseconds.
    pub job_ms: u32,
    /// How much longer than that a device may take, percent: 100 is none.
    pub slack_percent: u32,
    /// How much of its offered memory a device fills in its first proof, and in the first of each day, percent.
    pub memory_percent: u32,
    /// Most memory that is filled in any other proof, MiB.
    pub memory_mb: u32,
    /// Bytes of a timed transfer, each way.
    pub transfer_bytes: u64,
    /// Proofs that run at once.
    pub at_once: usize,
    /// How long a device that failed waits for its next proof, at first; it doubles with each failure.
    pub retry_after: Duration,
}

impl Measuring {
    /// For a network of strangers.
    pub const DEFAULT: Self = Self {
        vouched: false,
        job_ms: 1_000,
        slack_percent: ionet_proofs::SLACK_PERCENT,
        memory_percent: 50,
        memory_mb: 1_024,
        transfer_bytes: 32 << 20,
        at_once: 64,
        retry_after: Duration::from_secs(60),
    };

    /// For a network on one machine, whose devices share it with everything else: short jobs, and much patience.
    pub const LOCAL: Self = Self {
        vouched: true,
        job_ms: 50,
        slack_percent: 4_000,
        memory_percent: 0,
        memory_mb: 32,
        transfer_bytes: 4 << 20,
        at_once: 1,
        retry_after: Duration::from_secs(2),
    };
}

impl Default for Measuring {
    fn default() -> Self {
        Self::DEFAULT
    }
}
