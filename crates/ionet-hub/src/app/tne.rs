//! Total network earnings.

use ionet_rules::money::USDC_UNIT;
use ionet_types::MicroUsd;
use ionet_types::money::decimal;
use ionet_types::tne::{Tne, TneDay};

use crate::Hub;
use crate::error::HubResult;

/// Decimals of a dollar in micro-USD.
const MICRO_USD_DECIMALS: u8 = 6;
const _: () = assert!(USDC_UNIT == 1_000_000);

impl Hub {
    /// Value of all work delivered, in total and per day.
    pub async fn tne(&self) -> HubResult<Tne> {
        let days = self.store().work_days().await?;
        let total = days.iter().fold(0_u64, |sum, day| sum.saturating_add(day.value_micro_usd));
        let device_minutes = days.iter().fold(0_u64, |sum, day| sum.saturating_add(day.device_minutes));
        let day = |day: &ionet_store::WorkDay| TneDay {
            day_unix_secs: day.day_unix_secs,
            micro_usd: MicroUsd(day.value_micro_usd),
            device_minutes: day.device_minutes,
        };
        Ok(Tne {
            total_micro_usd: MicroUsd(total),
            display: format!("{} USD", decimal(total, MICRO_USD_DECIMALS)),
            device_minutes,
            per_day: days.iter().map(day).collect(),
        })
    }
}
