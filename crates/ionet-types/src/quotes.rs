//! Quotes: what a cluster would cost, and until when that holds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hardware::{HardwareKind, HardwareModel};
use crate::money::{Currency, MicroUsd, Money};

/// What is to be hired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
    /// Which model.
    pub hardware: HardwareModel,
    /// How many devices.
    #[schema(minimum = 1, maximum = 100_000)]
    pub quantity: u32,
    /// For how long, minutes.
    #[schema(minimum = 1, maximum = 5_256_000)]
    pub minutes: u32,
    /// What it is paid in.
    pub currency: Currency,
}

/// What it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// Which model.
    pub hardware: HardwareModel,
    /// Its kind.
    pub kind: HardwareKind,
    /// Devices.
    pub quantity: u32,
    /// Minutes of each.
    pub minutes: u32,
    /// Price of one device for one hour.
    pub rate: Money,
    /// The same in micro-USD.
    pub rate_micro_usd: MicroUsd,
    /// Compute cost of all hired minutes.
    pub cost: Money,
    /// The customer's fees on it: reservation and facilitation.
    pub fees: Money,
    /// Cost plus fees: what is to be paid.
    pub total: Money,
    /// Until when this can be booked, unix seconds on the chain's clock.
    pub valid_until_unix_secs: i64,
    /// Devices of this model that can be hired now.
    pub free_devices: u32,
}
