//! What has been asked lately, learned from arrivals in bounded memory.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::Models;
use super::forecast::{Forecast, Kind, Supply};
use crate::shape::{Demand, GpuDemand, Instance};

/// Kinds of request that are remembered; of more the rarest are forgotten.
const MAX_KINDS: usize = 512;
/// What one arrival adds to its kind.
const UNIT: u64 = 16;
/// Arrivals after which what was learned before counts half: memory of about a day of a busy network.
const HALF_LIFE: u64 = 16_384;
/// Nodes of one cluster that count, so that one customer is not the market.
const MAX_NODES: u32 = 256;
/// Sizes of device that a forecast looks at; of more those with the least free.
const MAX_SIZES: usize = 512;
/// Arrivals before the first forecast from what was seen; the next are due when as many again have arrived,
const FIRST_FORECAST: u64 = 32;
/// but no later than after one for each device, within these bounds: a large fleet fills slowly, and a forecast is worth keeping.
const FORECAST_EVERY: (u64, u64) = (1_024, 65_536);

/// What requests have been like lately, with a neutral guess before any has arrived. Its forecast changes only when
/// it is renewed, so that what was computed from it can be kept.
#[derive(Debug, Clone)]
pub struct Mix {
    kinds: BTreeMap<Kind, u64>,
    total: u64,
    arrived: u64,
    due: u64,
    version: u64,
    forecast: Arc<Forecast>,
}

impl Default for Mix {
    fn default() -> Self {
        Self::new()
    }
}

impl Mix {
    /// What is expected of a network that nobody has asked for anything: a little of everything.
    pub fn new() -> Self {
        let kinds = guess();
        let total = kinds.values().sum();
        let forecast = Arc::new(Forecast::new(&kinds, &[]));
        Self { kinds, total, arrived: 0, due: 0, version: 0, forecast }
    }

    /// A request for so many nodes has arrived, whether or not it can be served. What is only looked at should not be told: it would let
    /// people who buy nothing shape the market. The forecast stays what it is.
    pub fn arrived(&mut self, demand: &Demand, accepts: Models, nodes: u32) {
        let weight = u64::from(nodes.min(MAX_NODES)) * UNIT;
        *self.kinds.entry(Kind { demand: *demand, accepts }).or_default() += weight;
        self.total += weight;
        if self.total > 2 * HALF_LIFE * UNIT {
            self.kinds.retain(|_, weight| {
                *weight /= 2;
                *weight > 0
            });
            self.total = self.kinds.values().sum();
        }
        if self.kinds.len() > 2 * MAX_KINDS {
            self.kinds = self.heaviest();
            self.total = self.kinds.values().sum();
        }
        self.arrived = self.arrived.saturating_add(1);
    }

    /// Whether so much has arrived since the last forecast that a new one should be made; at first it should.
    pub fn is_due(&self) -> bool {
        self.arrived >= self.due
    }

    /// Makes a new forecast, for a network that has this: a new version. Each size of device should come once.
    pub fn renew(&mut self, supply: impl IntoIterator<Item = Supply>) {
        let mut sizes: Vec<Supply> = Vec::new();
        let mut devices = 0_u64;
        for size in supply {
            devices = devices.saturating_add(size.devices);
            sizes.push(size);
            if sizes.len() >= 2 * MAX_SIZES {
                keep_freest(&mut sizes);
            }
        }
        keep_freest(&mut sizes);
        self.forecast = Arc::new(Forecast::new(&self.heaviest(), &sizes));
        self.version = self.version.saturating_add(1);
        let (least, most) = FORECAST_EVERY;
        self.due = self.arrived.saturating_add(self.arrived.clamp(FIRST_FORECAST, devices.clamp(least, most)));
    }

    /// Changes whenever the forecast does.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What is expected.
    pub fn forecast(&self) -> &Arc<Forecast> {
        &self.forecast
    }

    /// Kinds of request that are remembered: never more than a thousand or so.
    pub fn kinds(&self) -> usize {
        self.kinds.len()
    }

    /// The kinds that were asked most, and of those that were asked as much the first.
    fn heaviest(&self) -> BTreeMap<Kind, u64> {
        let mut kinds: Vec<(Kind, u64)> = self.kinds.iter().map(|(kind, weight)| (*kind, *weight)).collect();
        kinds.sort_by_key(|(_, weight)| Reverse(*weight));
        kinds.truncate(MAX_KINDS);
        kinds.into_iter().collect()
    }
}

fn keep_freest(sizes: &mut Vec<Supply>) {
    sizes.sort_unstable_by_key(|size| (Reverse(size.free_milli), *size));
    sizes.truncate(MAX_SIZES);
}

/// A little of everything, with eight CPUs and 32 GiB to a GPU, worth about thirty arrivals.
fn guess() -> BTreeMap<Kind, u64> {
    let whole = [(1, 8), (2, 2), (4, 1), (8, 1)].map(|(count, arrivals)| (GpuDemand::Whole(count), u32::from(count) * 1_000, arrivals));
    let parts = [(250, 4), (500, 4)].map(|(milli, arrivals)| (GpuDemand::Part(milli), u32::from(milli), arrivals));
    let instances = Instance::ALL.map(|instance| (GpuDemand::Instance(instance), u32::from(instance.milli()), 2));
    let kind = |(gpus, milli, arrivals): (GpuDemand, u32, u64)| {
        let demand = Demand { cpu_milli: 8 * milli, memory_mb: 32 * milli, disk_mb: 0, gpus };
        (Kind { demand, accepts: Models::ANY }, arrivals * UNIT)
    };
    whole.into_iter().chain(parts).chain(instances).map(kind).collect()
}
