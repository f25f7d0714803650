//! What can be hired now.

use ionet_market::machine::State as Standing;
use ionet_types::MicroUsd;
use ionet_types::hardware::{HardwareList, HardwareOffer};

use crate::Hub;
use crate::error::HubResult;

impl Hub {
    /// Every model with a price, and how many devices of it there are.
    pub async fn hardware_list(&self) -> HubResult<HardwareList> {
        self.market_refresh().await?;
        let now_unix_secs = self.clock().now_unix_secs();
        let seen = self.agents().0.directory.seen();
        let state = self.market().lock();
        let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let offer = |model: &ionet_market::Model| {
            let id = state.catalogue.find_model(&model.hardware);
            let free: Vec<_> = state
                .index
                .iter()
                .filter(|(machine, free, standing)| Some(machine.model) == id && *standing == Standing::Hireable && *free == machine.whole)
                .map(|(machine, ..)| MicroUsd(machine.prices.on_demand_micro_usd.into()))
                .collect();
            let model_price = self.model_price(&state, &model.hardware, now_unix_secs).unwrap_or(model.rate_micro_usd);
            HardwareOffer {
                hardware: model.hardware.clone(),
                kind: model.kind,
                name: model.name.clone(),
                rate_micro_usd: free.iter().min().copied().unwrap_or(model_price),
                free_devices: count(free.len()),
                connected_devices: count(seen.values().filter(|seen| seen.model.as_ref() == Some(&model.hardware)).count()),
            }
        };
        Ok(HardwareList { items: self.options().prices.models().iter().map(offer).collect() })
    }
}
