//! `ionet tne`: total network earnings.

use anyhow::Result;

use crate::context::Context;
use crate::output::{moment, table_with_amounts, usd};

/// Prints total network earnings, in all and day by day.
pub async fn run(context: &Context) -> Result<()> {
    let tne = context.network().await?.tne().await?;
    context.out.answer(&tne, |tne| {
        let days = tne
            .per_day
            .iter()
            .map(|day| vec![moment(day.day_unix_secs).chars().take(10).collect(), usd(day.micro_usd), day.device_minutes.to_string()]);
        format!(
            "total network earnings: {} from {} device-minutes\n\n{}",
            usd(tne.total_micro_usd),
            tne.device_minutes,
            table_with_amounts(&["day", "earned", "device-minutes"], &[1, 2], days)
        )
    })
}
