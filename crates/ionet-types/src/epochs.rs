//! Epochs of the network, as everybody may see and check them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Money;

/// Where an epoch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EpochStatus {
    /// Not over yet.
    Running,
    /// Over, and waiting for its inputs to be complete.
    Held,
    /// Its allocation is published.
    Closed,
    /// Its root, or that of a later epoch, is accepted on chain: what it gave can be claimed.
    Accepted,
}

/// An epoch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Epoch {
    /// Its number, from 1.
    pub epoch: u64,
    /// When it begins, unix seconds.
    pub starts_at_unix_secs: i64,
    /// When it ends, unix seconds.
    pub ends_at_unix_secs: i64,
    /// Where it stands.
    pub status: EpochStatus,
    /// What holds it, `snake_case`, while it is held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<String>,
    /// The same for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// IO that the schedule emits for it.
    pub emission: Money,
    /// Its allocation, once published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocation: Option<Allocation>,
}

/// What an epoch's allocation adds up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Allocation {
    /// When it was published, unix seconds.
    pub closed_at_unix_secs: i64,
    /// Merkle root over all lifetime totals, hexadecimal.
    pub root: String,
    /// Root before it.
    pub previous_root: String,
    /// SHA-256 of the published file, hexadecimal.
    pub file_sha256: String,
    /// Devices known in it.
    pub devices: u64,
    /// Devices that passed every check at its beginning.
    pub nominated: u64,
    /// Devices that passed every check.
    pub passed: u64,
    /// Pot by pot.
    pub pots: Vec<PotSummary>,
    /// Co-stakers' parts.
    pub co_stakers: Money,
    /// Suppliers' part of work paid in IO.
    pub work_io: Money,
    /// Suppliers' part of work paid in USDC.
    pub work_usdc: Money,
    /// IO that all suppliers have earned since the network began.
    pub lifetime_io: Money,
    /// USDC, likewise.
    pub lifetime_usdc: Money,
}

/// One pot of an epoch. Always `emission + carried_in = paid + carried_out`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PotSummary {
    /// Which: `availability_gpu`, `availability_cpu`, `compute_gpu` or `compute_cpu`.
    pub pot: String,
    /// Its part of the emission.
    pub emission: Money,
    /// From the epoch before.
    pub carried_in: Money,
    /// What devices and co-stakers got.
    pub paid: Money,
    /// To the next epoch: nobody's, or dust.
    pub carried_out: Money,
    /// Part of it that is rounding dust.
    pub dust: Money,
}

/// Emission and payout of the network as the chain has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Supply {
    /// Name of the emission schedule.
    pub schedule: String,
    /// Length of an epoch, seconds.
    pub epoch_secs: u32,
    /// How long an agreed root waits before it counts, seconds.
    pub challenge_window_secs: u32,
    /// When epoch 1 began, unix seconds.
    pub first_unix_secs: i64,
    /// The epoch that runs now.
    pub epoch: u64,
    /// Last epoch that was minted.
    pub minted_epoch: u64,
    /// Last epoch whose allocation is published.
    pub closed_epoch: u64,
    /// Epoch of the root that counts.
    pub accepted_epoch: u64,
    /// That root, hexadecimal.
    pub accepted_root: String,
    /// IO minted for all epochs so far.
    pub emitted: Money,
    /// IO that the accepted root gives to suppliers.
    pub earned_io: Money,
    /// USDC, likewise.
    pub earned_usdc: Money,
    /// IO that suppliers have claimed.
    pub claimed_io: Money,
    /// USDC, likewise.
    pub claimed_usdc: Money,
    /// The verifiers.
    pub verifiers: Vec<Verifier>,
}

/// A verifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verifier {
    /// Its key.
    pub key: crate::Address,
    /// Its bond.
    pub bond: Money,
    /// Whether its vote counts: bonded enough and not on its way out.
    pub counts: bool,
    /// Epoch that it votes for, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_for_epoch: Option<u64>,
    /// Root that it votes for, hexadecimal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub votes_for_root: Option<String>,
}
