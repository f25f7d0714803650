//! What can be hired now.

use std::collections::{BTreeMap, HashMap};

use ionet_market::machine::State as Standing;
use ionet_market::names::ModelId;
use ionet_types::MicroUsd;
use ionet_types::hardware::{HardwareList, HardwareModel, HardwareOffer};

use crate::Hub;
use crate::error::HubResult;

impl Hub {
    /// Every model with a price, and how many devices of it there are.
    pub async fn hardware_list(&self) -> HubResult<HardwareList> {
        self.market_refresh().await?;
        let now_unix_secs = self.clock().now_unix_secs();
        let mut connected: HashMap<HardwareModel, u32> = HashMap::new();
        for model in self.agents().0.directory.seen().into_values().filter_map(|seen| seen.model) {
            *connected.entry(model).or_default() += 1;
        }
        let state = self.market().lock();
        // How many devices of each model are free as a whole, and the cheapest's price.
        let mut free: BTreeMap<ModelId, (u32, u32)> = BTreeMap::new();
        for (machine, room, standing) in state.index.iter() {
            if standing == Standing::Hireable && room == machine.whole {
                let price = machine.prices.on_demand_micro_usd;
                let (devices, cheapest) = free.entry(machine.model).or_insert((0, price));
                (*devices, *cheapest) = (*devices + 1, price.min(*cheapest));
            }
        }
        let offer = |model: &ionet_market::Model| {
            let free = state.catalogue.find_model(&model.hardware).and_then(|id| free.get(&id));
            let model_price = || self.model_price(&state, &model.hardware, now_unix_secs).unwrap_or(model.rate_micro_usd);
            HardwareOffer {
                hardware: model.hardware.clone(),
                kind: model.kind,
                name: model.name.clone(),
                rate_micro_usd: free.map_or_else(model_price, |(_, cheapest)| MicroUsd((*cheapest).into())),
                free_devices: free.map_or(0, |(devices, _)| *devices),
                connected_devices: connected.get(&model.hardware).copied().unwrap_or(0),
            }
        };
        Ok(HardwareList { items: self.options().prices.models().iter().map(offer).collect() })
    }
}
