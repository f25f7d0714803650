//! `ionet hardware`: what can be hired now.

use anyhow::Result;

use crate::context::Context;
use crate::output::{table_with_amounts, usd};

/// Lists what can be hired.
pub async fn run(context: &Context) -> Result<()> {
    let list = context.network().await?.hardware().await?;
    context.out.answer(&list, |list| {
        table_with_amounts(
            &["hardware", "kind", "name", "per device-hour", "free", "connected"],
            &[3, 4, 5],
            list.items.iter().map(|offer| {
                vec![
                    offer.hardware.to_string(),
                    offer.kind.name().to_owned(),
                    offer.name.clone(),
                    usd(offer.rate_micro_usd),
                    offer.free_devices.to_string(),
                    offer.connected_devices.to_string(),
                ]
            }),
        )
    })
}
