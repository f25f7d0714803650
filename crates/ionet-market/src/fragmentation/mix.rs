//! What has been asked lately, learned from arrivals in bounded memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Models;
use super::forecast::{Forecast, Kind};
use crate::shape::{Demand, GpuDemand, Instance, Room};

/// Kinds of request that are remembered; of more the rarest are forgotten.
const MAX_KINDS: usize = 512;
/// Sizes of device that are remembered; of more those with the fewest GPUs in all are left out.
const MAX_SIZES: usize = 512;
/// What one arrival adds to its kind.
const UNIT: u64 = 16;
/// Arrivals after which what was learned before counts half: memory of about a day of a busy network.
const HALF_LIFE: u64 = 16_384;
/// Nodes of one cluster that count, so that one customer is not the market.
const MAX_NODES: u32 = 256;
/// Arrivals before the first forecast from what was seen; the next follow when as many again have arrived,
const FIRST_FORECAST: u64 = 32;
/// but no later than after so many.
const FORECAST_EVERY: u64 = 4_096;

/// What requests have been like lately, with a neutral guess before any has arrived. Its forecast changes only every so many arrivals, so
/// that what was computed from it can be kept; [`Mix::version`] says when it has.
#[derive(Debug, Clone)]
pub struct Mix {
    kinds: BTreeMap<Kind, u64>,
    total: u64,
    fleet: BTreeMap<(u8, Room), u64>,
    arrived: u64,
    next: u64,
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
        let forecast = Arc::new(Forecast::new(&kinds, &BTreeMap::new()));
        Self { kinds, total, fleet: BTreeMap::new(), arrived: 0, next: FIRST_FORECAST, version: 0, forecast }
    }

    /// Sets what the network has: for each model and size (the room of the device when nothing of it is taken) how many devices. From it
    /// follows which requests few devices can serve. To be told anew when the fleet has changed noticeably; it makes a new version.
    pub fn set_fleet(&mut self, sizes: impl IntoIterator<Item = (u8, Room, u64)>) {
        self.fleet.clear();
        for (model, whole, devices) in sizes {
            if whole.gpu_count > 0 {
                let count = self.fleet.entry((model, whole.sorted())).or_default();
                *count = count.saturating_add(devices);
            }
            if self.fleet.len() > 2 * MAX_SIZES {
                keep_heaviest(&mut self.fleet, MAX_SIZES, |(_, whole), count| count.saturating_mul(u64::from(whole.gpu_count)));
            }
        }
        keep_heaviest(&mut self.fleet, MAX_SIZES, |(_, whole), count| count.saturating_mul(u64::from(whole.gpu_count)));
        self.renew();
    }

    /// A request for so many nodes has arrived, whether or not it can be served. What is only looked at should not be told: it would let
    /// people who buy nothing shape the market.
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
            keep_heaviest(&mut self.kinds, MAX_KINDS, |_, weight| weight);
            self.total = self.kinds.values().sum();
        }
        self.arrived = self.arrived.saturating_add(1);
        if self.arrived >= self.next {
            self.next = self.arrived.saturating_add(self.arrived.min(FORECAST_EVERY));
            self.renew();
        }
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

    fn renew(&mut self) {
        let mut kinds = self.kinds.clone();
        keep_heaviest(&mut kinds, MAX_KINDS, |_, weight| weight);
        self.forecast = Arc::new(Forecast::new(&kinds, &self.fleet));
        self.version = self.version.saturating_add(1);
    }
}

/// Leaves the heaviest, and of equally heavy ones the first.
fn keep_heaviest<K: Ord + Copy>(map: &mut BTreeMap<K, u64>, max: usize, weight: impl Fn(K, u64) -> u64) {
    if map.len() > max {
        let mut entries: Vec<(K, u64)> = map.iter().map(|(key, count)| (*key, *count)).collect();
        entries.sort_by_key(|(key, count)| std::cmp::Reverse(weight(*key, *count)));
        entries.truncate(max);
        *map = entries.into_iter().collect();
    }
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
