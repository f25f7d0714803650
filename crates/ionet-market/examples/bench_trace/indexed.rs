//! The market's index as the scheduler: what a customer's request goes through.

use std::collections::BTreeMap;

use ionet_market::index::{Index, Options};
use ionet_market::machine::{Machine, Prices, State};
use ionet_market::names::ModelId;
use ionet_market::request::Request;
use ionet_market::shape::Slot;
use ionet_market::waste::Learned;
use ionet_types::DeviceId;
use ionet_types::market::{Security, Tier};

use crate::data::{Node, Task};
use crate::groups::Hasher;
use crate::method::Scheduler;

/// Any price and hire: all nodes are alike in everything but their rooms.
const PRICE_MICRO_USD: u32 = 1_000_000;
const MINUTES: u32 = 60;

/// The index of all nodes. It asks for one node after the other; the seed of a request is its number.
pub(crate) struct Indexed {
    index: Index<Learned<Hasher>>,
    nodes: BTreeMap<DeviceId, usize>,
    models: Vec<ModelId>,
    arrived: u64,
}

impl Indexed {
    /// An index of these nodes that judges waste so.
    pub(crate) fn new(nodes: &[Node], options: Options) -> anyhow::Result<Self> {
        let mut index = Index::new(options, Learned::new(options.outline_bits, Hasher::default()), 0);
        let mut by_device = BTreeMap::new();
        let mut models: Vec<ModelId> = nodes.iter().map(|node| ModelId(node.model)).collect();
        models.sort_unstable();
        models.dedup();
        for model in &models {
            index.set_reference(*model, PRICE_MICRO_USD)?;
        }
        for (number, node) in nodes.iter().enumerate() {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&(number as u64).to_le_bytes());
            by_device.insert(DeviceId(key), number);
            index.put(machine(DeviceId(key), node), State::Hireable)?;
        }
        Ok(Self { index, nodes: by_device, models, arrived: 0 })
    }
}

fn machine(device: DeviceId, node: &Node) -> Machine {
    Machine {
        device,
        model: ModelId(node.model),
        whole: node.whole,
        divisible: true,
        vram_mb: 0,
        tier: Tier::None,
        country: None,
        site: None,
        supplier: None,
        compliance: 0,
        security: Security::Process,
        renewable: false,
        prices: Prices { on_demand_micro_usd: PRICE_MICRO_USD, interruptible_micro_usd: 0 },
        min_hire_minutes: 0,
        reputation: 1_000,
        survival_bps: [10_000; 4],
        failed_at_unix_secs: 0,
    }
}

impl Scheduler for Indexed {
    fn place(&mut self, task: &Task) -> Option<(usize, Slot)> {
        let models: Vec<ModelId> = self.models.iter().copied().filter(|model| task.accepts.has(model.0)).collect();
        let request = Request::plain(models, task.demand, 1, MINUTES);
        self.index.arrived(&request);
        self.index.renew();
        self.arrived += 1;
        let placement = self.index.place(&request, self.arrived)?;
        self.index.commit(&placement).ok()?;
        let node = placement.nodes.first()?;
        Some((*self.nodes.get(&node.device)?, node.slot))
    }
}
