//! What suppliers earn, and why.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::hardware::HardwareKind;
use crate::{Address, DeviceId, Money, TransactionSignature};

/// Who a beneficiary is to its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BeneficiaryRole {
    /// The device's owner.
    Owner,
    /// A co-staker.
    CoStaker,
}

/// What one beneficiary has earned, claimed and can claim. Lifetime totals, by the root that the chain has accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Reward {
    /// The device.
    pub device: DeviceId,
    /// Who the beneficiary is to it.
    pub role: BeneficiaryRole,
    /// Its claim account on chain.
    pub beneficiary: Address,
    /// The only wallet that it is paid to.
    pub payout: Address,
    /// Last epoch that is in these totals.
    pub through_epoch: u64,
    /// Earned, IO.
    pub earned_io: Money,
    /// Earned, USDC.
    pub earned_usdc: Money,
    /// Claimed, IO.
    pub claimed_io: Money,
    /// Claimed, USDC.
    pub claimed_usdc: Money,
    /// Claimable now, IO.
    pub claimable_io: Money,
    /// Claimable now, USDC.
    pub claimable_usdc: Money,
}

/// A beneficiary's leaf in the tree of the accepted root, with its proof: all that a claim needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClaimProof {
    /// Its claim account on chain.
    pub beneficiary: Address,
    /// Epoch of the root.
    pub epoch: u64,
    /// The root, hexadecimal.
    pub root: String,
    /// Lifetime IO.
    pub lifetime_io: Money,
    /// Lifetime USDC.
    pub lifetime_usdc: Money,
    /// Hashes from the leaf's neighbour up, hexadecimal.
    pub proof: Vec<String>,
}

/// Which rewards to claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClaims {
    /// The devices, 1 to 200; all of the caller's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(min_items = 1, max_items = 200)]
    pub devices: Option<Vec<DeviceId>>,
}

/// What came of claiming.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Claimed {
    /// The device.
    pub device: DeviceId,
    /// Its claim account on chain.
    pub beneficiary: Address,
    /// The transaction that paid; absent when nothing was due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<TransactionSignature>,
    /// Paid, IO.
    pub io: Money,
    /// Paid, USDC.
    pub usdc: Money,
    /// Why it was not paid: a stable code, `snake_case`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The same for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// One condition of earning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReadinessCheck {
    /// Stable name, `snake_case`.
    pub code: String,
    /// Whether it holds.
    pub passed: bool,
    /// What was found, for a person.
    pub reason: String,
}

/// Whether a device would be nominated now, and what it could expect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Readiness {
    /// The device.
    pub device: DeviceId,
    /// Whether every check passes.
    pub ready: bool,
    /// The checks, the very ones that decide nomination.
    pub checks: Vec<ReadinessCheck>,
    /// What it would have earned in the last closed epoch had it passed, as an estimate of the next; absent before the first epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimated_next: Option<Money>,
}

/// What one device earned in one epoch, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RewardLine {
    /// The epoch.
    pub epoch: u64,
    /// The device.
    pub device: DeviceId,
    /// Its model in the multiplier table.
    pub model: String,
    /// Graphics cards, or processors of a device without.
    pub processors: u32,
    /// Connectivity tier, 0 to 4.
    pub tier: u8,
    /// Whether it was hired.
    pub hired: bool,
    /// Whether it passed every check.
    pub passed: bool,
    /// The checks, at the epoch's beginning and end.
    pub checks: Vec<ReadinessCheck>,
    /// Base score, tenths of a point.
    pub base_score_tenths: u64,
    /// P, millionths.
    pub p_millionths: u32,
    /// Its weight as a share of all weights of its kind, thousandths of a normalised point.
    pub normalised_score_thousandths: u64,
    /// Availability reward, the co-staker's part included.
    pub availability: Money,
    /// The co-staker's part of it.
    pub co_staker: Money,
    /// Compute reward.
    pub compute: Money,
    /// Its part of work paid in IO.
    pub work_io: Money,
    /// Its part of work paid in USDC.
    pub work_usdc: Money,
}

/// A device that somebody thinks of lending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EstimateRequest {
    /// Name of the model in the multiplier table, or `cpu` for a device without a listed one.
    #[param(example = "H100 80GB HBM3")]
    pub model: String,
    /// Graphics cards, or processors of a device without; 1 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processors: Option<u32>,
    /// Connectivity tier, 1 to 4; 4 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 4)]
    pub tier: Option<u8>,
}

/// What a prospective supplier could expect: its share of the last closed epoch, beside all who earned in it, at today's price. Not a
/// promise: shares fall as devices join, and the schedule falls slowly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Estimate {
    /// The model.
    pub model: String,
    /// Its kind.
    pub kind: HardwareKind,
    /// Its multiplier, hundredths.
    pub multiplier_centi: u32,
    /// Processors.
    pub processors: u32,
    /// Connectivity tier.
    pub tier: u8,
    /// What must be staked.
    pub minimum_stake: Money,
    /// Base score, tenths of a point.
    pub base_score_tenths: u64,
    /// Share of its pot, millionths.
    pub share_ppm: u64,
    /// The epoch that this is estimated from.
    pub from_epoch: u64,
    /// Expected for an epoch, idle and passing every check.
    pub per_epoch: Money,
    /// The same for 30 days.
    pub per_30_days: Money,
    /// The same in micro-USD; absent without a fresh price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_30_days_micro_usd: Option<crate::MicroUsd>,
    /// Expected in a year of 365 days, over the stake, basis points; absent when nothing is to be staked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub yearly_return_on_stake_bps: Option<u64>,
}
