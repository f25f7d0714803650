//! Total network earnings: the value of all work delivered, from the records on chain.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::money::MicroUsd;

/// Total network earnings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tne {
    /// Value of all work logged, micro-USD: the sum of all `worked` records.
    pub total_micro_usd: MicroUsd,
    /// The same in dollars, for a person.
    #[schema(example = "0.46 USD")]
    pub display: String,
    /// Device-minutes of all work logged.
    pub device_minutes: u64,
    /// Day by day, oldest first; days without work are left out.
    pub per_day: Vec<TneDay>,
}

/// One day's work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TneDay {
    /// First second of the day in UTC, unix seconds.
    pub day_unix_secs: i64,
    /// Value of the work logged in it, micro-USD.
    pub micro_usd: MicroUsd,
    /// Device-minutes of work logged in it.
    pub device_minutes: u64,
}
