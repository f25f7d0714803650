//! What a request would get, or why it gets nothing.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Tier;
use crate::hardware::HardwareModel;
use crate::money::MicroUsd;

/// The answer to a request before it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preflight {
    /// Whether it would be served now, whole.
    pub fits: bool,
    /// Devices that the network knows.
    pub devices: u32,
    /// Those that fulfil every condition and are free: together with what `excluded` counts they are all.
    pub fitting: u32,
    /// Where it would be placed; absent if it does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub placement: Option<PreflightPlacement>,
    /// What fits, cheapest first.
    pub offers: Vec<PreflightOffer>,
    /// What each condition excludes, in the order in which devices are counted out.
    pub excluded: Vec<Exclusion>,
    /// If it does not fit: changes that would help, the cheapest first. Single ones come before pairs.
    pub relaxations: Vec<Relaxation>,
}

/// Where a request would be placed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreflightPlacement {
    /// On which model.
    pub hardware: HardwareModel,
    /// At how many sites.
    pub sites: u32,
    /// What the dearest node asks, before the discount: all nodes are paid that. Of one GPU, or of one device without one, for one hour.
    pub price_micro_usd: MicroUsd,
}

/// Devices of one kind that fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreflightOffer {
    /// Their model.
    pub hardware: HardwareModel,
    /// The continent that they are on; absent where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<super::Region>,
    /// Their connection.
    pub tier: Tier,
    /// How many.
    pub devices: u32,
    /// What the cheapest asks.
    pub from_micro_usd: MicroUsd,
    /// What the dearest asks.
    pub to_micro_usd: MicroUsd,
}

/// Devices that a condition keeps away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Exclusion {
    /// Which condition: the request's field, or `hireable`, `free`, `excluded`, `site`.
    pub condition: String,
    /// Devices for which it is the first condition that they miss: each device that does not fit is counted once.
    pub devices: u32,
    /// Devices that would fit if only this were not asked.
    pub alone: u32,
}

/// Changes with which a request would be served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Relaxation {
    /// What to change: one condition, or two.
    pub changes: Vec<RelaxedField>,
    /// What it would get then.
    pub placement: PreflightPlacement,
}

/// A change of one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RelaxedField {
    /// Which field of the request.
    pub field: String,
    /// What to ask instead, for a person.
    pub detail: String,
}
