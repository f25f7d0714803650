//! What the network asks for its devices, and why: every number that a price is made of, so that anybody can compute it again.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Tier;
use crate::hardware::HardwareModel;
use crate::money::MicroUsd;

/// A price and what it is made of (docs/PRICES.md). Prices are of one GPU, or of one device without a GPU, for one hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Price {
    /// Of which model.
    pub hardware: HardwareModel,
    /// With which connection.
    pub tier: Tier,
    /// Where: a continent, or `unknown`.
    pub region: String,
    /// What the price list says.
    pub reference_micro_usd: MicroUsd,
    /// What is offered there, thousandths of a GPU (or of a device without one).
    pub offered_milli: u64,
    /// What of it is hired.
    pub hired_milli: u64,
    /// What of the model is offered in the whole network.
    pub model_offered_milli: u64,
    /// What of that is hired.
    pub model_hired_milli: u64,
    /// How much of the supply counts as hired, basis points: few devices count together with those elsewhere.
    pub utilisation_bps: u64,
    /// What utilisation makes of the reference price, millionths.
    pub scarcity_ppm: u64,
    /// What the connection makes of it, basis points.
    pub tier_bps: u64,
    /// What the place makes of it, basis points.
    pub region_bps: u64,
    /// Below this too few suppliers offer.
    pub supply_floor_micro_usd: MicroUsd,
    /// Reference times scarcity, connection and place.
    pub asked_micro_usd: MicroUsd,
    /// The lowest price that the network asks.
    pub lowest_micro_usd: MicroUsd,
    /// The highest.
    pub highest_micro_usd: MicroUsd,
    /// What keeps the target from what is asked: `lowest`, `highest` or `supply_floor`; absent when nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<String>,
    /// Where the price goes, by a bounded step each minute.
    pub target_micro_usd: MicroUsd,
    /// Where it is.
    pub price_micro_usd: MicroUsd,
    /// When the network was last looked at, unix seconds.
    pub observed_at_unix_secs: i64,
}

/// The discount for a hire of some length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Discount {
    /// From so many minutes on; in between it grows evenly.
    pub minutes: u32,
    /// Paid in USDC, basis points.
    pub usdc_bps: u32,
    /// Paid in IO, basis points.
    pub io_bps: u32,
}

/// All prices of now, and the discounts on them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceBoard {
    /// Whether prices follow the market; if not, they are the price list's.
    pub follows_market: bool,
    /// One entry for each model, connection and place that has devices, and one for each model without.
    pub items: Vec<Price>,
    /// Discounts for long hires, shortest first.
    pub discounts: Vec<Discount>,
}

/// One hour, or one day, of the price index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PricePoint {
    /// When it begins, unix seconds.
    pub from_unix_secs: i64,
    /// The index at its end, millionths of a point. Every series begins at 1,000 points.
    pub index_micro_points: u64,
    /// Mean price, weighted by what was hired.
    pub price_micro_usd: MicroUsd,
    /// GPU-hours (or device-hours) that were hired, thousandths.
    pub hired_milli_hours: u64,
    /// Those that were offered, thousandths.
    pub offered_milli_hours: u64,
    /// What of the offer was hired, basis points.
    pub utilisation_bps: u32,
}

/// The price index of one model, or of the whole network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PriceHistory {
    /// Which model; absent for the whole network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware: Option<HardwareModel>,
    /// Oldest first.
    pub items: Vec<PricePoint>,
}

/// How the chance is predicted that a device serves a hire to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SurvivalReport {
    /// The share of all recorded hires that were served to the end, basis points.
    pub mean_bps: u16,
    /// Whether a model is used or the mean, how both did on hires that neither had seen, and how many hires that is.
    pub report: serde_json::Value,
    /// The same in words.
    pub text: String,
    /// When it was learnt, unix seconds.
    pub learnt_at_unix_secs: i64,
}
