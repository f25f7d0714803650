//! What devices were asked to prove and how it went. Public: who was measured by whom can be checked by anyone.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{DeviceId, Sha256};

/// How a proof went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofOutcome {
    /// Everything was right and in time.
    Passed,
    /// Something was wrong, late or missing.
    Failed,
    /// It was broken off through no fault of the device, such as because it was hired: it counts for nothing.
    Stopped,
}

/// What a proof measured; zero where it did not come so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Measured {
    /// From the hub to the device, Mbps.
    pub download_mbps: u32,
    /// From the device to the hub, Mbps.
    pub upload_mbps: u32,
    /// Reading of memory, MB per second.
    pub memory_mb_per_sec: u32,
    /// Clock of the processor, MHz.
    pub cpu_mhz: u32,
    /// Matrix products, billions of operations per second.
    pub gflops: u32,
}

/// One proof.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Proof {
    /// Its number; later ones have greater numbers.
    pub number: u64,
    /// Of which device.
    pub device: DeviceId,
    /// For which epoch.
    pub epoch: u64,
    /// When it was asked for, unix seconds.
    pub began_at_unix_secs: i64,
    /// When it was decided, unix seconds.
    pub ended_at_unix_secs: i64,
    /// How it went.
    pub outcome: ProofOutcome,
    /// Why it failed: a stable name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Why it failed, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What it measured.
    pub measured: Measured,
    /// Its score `P`, millionths.
    pub p_millionths: u32,
    /// How long the device worked for it, milliseconds.
    pub busy_ms: u64,
    /// SHA-256 of its transcript.
    pub transcript_sha256: Sha256,
    /// Whether the transcript is kept: that of what failed is.
    pub transcript_kept: bool,
}
