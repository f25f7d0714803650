//! What comes out of an examination.

use ionet_rules::rewards::{Measurement, test_p};
use ionet_types::agent::challenge::{DeclineReason, Stage};
use serde::{Deserialize, Serialize};

/// What is known about a device after one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Every answer was right and in time.
    Passed(Measured),
    /// An answer was wrong, late or missing: `P = 0` for this test.
    Failed(Failed),
    /// The device said, in time and signed, that it does not do this. Whether it had a right to (it was hired) is the hub's matter.
    Declined {
        /// Why, in its own words.
        reason: DeclineReason,
    },
}

/// What was measured: only what the job measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Network bandwidth, Mbps: measured by the hub's transfer, not by a task.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bandwidth_mbps: Option<u32>,
    /// Memory bandwidth, MB (10^6 bytes) per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb_per_sec: Option<u32>,
    /// Memory that was there at once, MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
    /// Clock, MHz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_mhz: Option<u32>,
    /// Arithmetic speed, billions of operations per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gflops: Option<u32>,
}

/// Where and why a device failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// What was asked of it.
    pub stage: Stage,
    /// What was wrong.
    pub reason: Failure,
}

/// What was wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// It came after the deadline, or not at all.
    Late,
    /// It is not signed by this device for this task, stage and nonce: forged, replayed or of another device. It proves nothing against
    /// the device, since anyone can write it.
    WrongSignature,
    /// It answers another task or another stage, or something else than was asked.
    UnexpectedAnswer,
    /// It is of a kind that this version does not know.
    NotUnderstood,
    /// It is out of the bounds of a message.
    OutOfBounds,
    /// It has more or fewer parts than were asked for.
    WrongCount,
    /// A part is not what the device committed to.
    WrongPath,
    /// A row is not the product's.
    WrongRow,
    /// A block does not follow from its parents.
    WrongBlock,
    /// A scanned sum is not the block's.
    WrongSum,
    /// The chain does not lead there.
    WrongChain,
}

impl Failure {
    /// Stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::WrongSignature => "wrong_signature",
            Self::UnexpectedAnswer => "unexpected_answer",
            Self::NotUnderstood => "not_understood",
            Self::OutOfBounds => "out_of_bounds",
            Self::WrongCount => "wrong_count",
            Self::WrongPath => "wrong_path",
            Self::WrongRow => "wrong_row",
            Self::WrongBlock => "wrong_block",
            Self::WrongSum => "wrong_sum",
            Self::WrongChain => "wrong_chain",
        }
    }

    /// Whether the device's own signature shows it: fit for a slashing case. A late answer is the hub's word, a wrong signature
    /// anybody's.
    pub fn is_signed_proof(self) -> bool {
        matches!(self, Self::WrongCount | Self::WrongPath | Self::WrongRow | Self::WrongBlock | Self::WrongSum | Self::WrongChain)
    }
}

impl Verdict {
    /// Stable code: `passed`, `declined` or that of the failure.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Declined { .. } => "declined",
            Self::Failed(failed) => failed.reason.code(),
        }
    }
}

impl Measured {
    /// Both together; where both measured the same, the lower value.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let lower = |one: Option<u32>, two: Option<u32>| match (one, two) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
        Self {
            bandwidth_mbps: lower(self.bandwidth_mbps, other.bandwidth_mbps),
            memory_mb_per_sec: lower(self.memory_mb_per_sec, other.memory_mb_per_sec),
            memory_mib: lower(self.memory_mib, other.memory_mib),
            cpu_mhz: lower(self.cpu_mhz, other.cpu_mhz),
            gflops: lower(self.gflops, other.gflops),
        }
    }

    /// As the rules want it; what was not measured is zero.
    pub fn measurement(&self) -> Measurement {
        Measurement {
            bandwidth_mbps: self.bandwidth_mbps.unwrap_or(0),
            memory_mb_per_sec: self.memory_mb_per_sec.unwrap_or(0),
            cpu_mhz: self.cpu_mhz.unwrap_or(0),
            gflops: self.gflops.unwrap_or(0),
        }
    }

    /// `P` of a test that measured this, in millionths (docs/economy.md, section 5): of what was not measured nothing is asked, so the
    /// caller sees to it that a test measures what it should.
    pub fn p(&self, reference: &Measurement) -> u32 {
        let wanted = |measured: Option<u32>, reference: u32| measured.map_or(0, |_| reference);
        let asked = Measurement {
            bandwidth_mbps: wanted(self.bandwidth_mbps, reference.bandwidth_mbps),
            memory_mb_per_sec: wanted(self.memory_mb_per_sec, reference.memory_mb_per_sec),
            cpu_mhz: wanted(self.cpu_mhz, reference.cpu_mhz),
            gflops: wanted(self.gflops, reference.gflops),
        };
        test_p(&self.measurement(), &asked)
    }
}
