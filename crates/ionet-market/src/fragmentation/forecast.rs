//! What is expected to be asked, and what it would leave of a device.

use std::collections::BTreeMap;

use super::Models;
use crate::shape::{Demand, GpuDemand, Room};

/// Futures that a room is tried with. Twice as many change the result of the trace run by less than it varies between seeds.
const FUTURES: usize = 16;
/// Requests in a future: about three times what the largest device holds, so that what is left has been passed over often.
const FUTURE_LEN: usize = 32;
/// Of the GPUs that a picky request could take on a device, the part that is counted, in 1/1000.
const PICKY_PERMILLE: u128 = 100;
/// A request that fewer GPUs of the fleet than this could serve is picky, in 1/1000.
const COMMON_PERMILLE: u128 = 900;
/// Requests of one kind that are tried on one device: eight GPUs in sevenths, and some.
const MAX_COPIES: usize = 64;
/// No request counts as scarcer than one that a thousandth of the fleet can serve.
const SCARCEST: u128 = 1_000;
/// Millionths of a GPU in a thousandth.
const MICRO_PER_MILLI: i64 = 1_000;
/// Weights are kept in 2^-20 so that rare requests do not round to nothing.
const WEIGHT_BITS: u32 = 20;

/// A kind of request: what it asks of one device, and of which models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kind {
    pub(super) demand: Demand,
    pub(super) accepts: Models,
}

/// What the network expects to be asked: made by a [`Mix`](super::Mix), and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    futures: Vec<Vec<Kind>>,
    /// With what one thousandth of a GPU of it counts, in 2^-20 millionths of a GPU.
    picky: Vec<(Kind, i64)>,
}

impl Forecast {
    /// A forecast from how often each kind was asked, for a fleet of so many devices of each model and size. Without a fleet every
    /// request counts as servable everywhere.
    pub(super) fn new(kinds: &BTreeMap<Kind, u64>, fleet: &BTreeMap<(u8, Room), u64>) -> Self {
        // Requests without a GPU leave GPUs alone or are kept off them by the first term; in a future they would only take turns.
        let asked: Vec<(Kind, u64)> = kinds.iter().filter(|(kind, _)| kind.demand.gpus.milli() > 0).map(|(k, n)| (*k, *n)).collect();
        Self { futures: futures(&asked), picky: picky(&asked, fleet) }
    }

    /// What of a device with this room free will be wasted, in millionths of a GPU. Only differences mean something: those between two
    /// rooms of one device.
    pub fn waste(&self, room: &Room, model: u8) -> i64 {
        let roots = i64::from(room.cpu_milli.isqrt() + room.memory_mb.isqrt() + room.disk_mb.isqrt());
        if room.gpu_milli_sum() == 0 {
            return roots;
        }
        let left: i64 = self.futures.iter().map(|future| i64::from(left_by(*room, model, future))).sum();
        let futures = i64::try_from(self.futures.len().max(1)).expect("a constant");
        let held: i64 = self.picky.iter().map(|(kind, weight)| weight * i64::from(held(*room, model, kind))).sum();
        left * MICRO_PER_MILLI / futures - (held >> WEIGHT_BITS) + roots
    }
}

/// Free thousandths of GPU after all of the future that fits was taken.
fn left_by(mut room: Room, model: u8, future: &[Kind]) -> u32 {
    let mut left = room.gpu_milli_sum();
    for kind in future {
        if kind.accepts.has(model) && room.take_tightly(&kind.demand) {
            left = room.gpu_milli_sum();
            if left == 0 {
                break;
            }
        }
    }
    left
}

/// Thousandths of GPU that requests of this one kind could take of the room.
fn held(mut room: Room, model: u8, kind: &Kind) -> u32 {
    let copies = (0..MAX_COPIES).take_while(|_| kind.accepts.has(model) && room.take_tightly(&kind.demand)).count();
    u32::try_from(copies).expect("at most MAX_COPIES") * kind.demand.gpus.milli()
}

/// Futures in which each kind occurs by its share. The steps of a golden section fall evenly into any interval, whatever part of them is
/// looked at, so each future by itself is a fair sample too, and no chance is needed.
fn futures(asked: &[(Kind, u64)]) -> Vec<Vec<Kind>> {
    const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
    let ends: Vec<u128> = asked
        .iter()
        .scan(0_u128, |end, (_, count)| {
            *end += u128::from(*count);
            Some(*end)
        })
        .collect();
    let Some(&total) = ends.last() else { return Vec::new() };
    let mut point = 0_u64;
    let mut draw = || {
        point = point.wrapping_add(GOLDEN);
        let at = (u128::from(point) * total) >> u64::BITS;
        asked[ends.partition_point(|&end| end <= at)].0
    };
    (0..FUTURES).map(|_| (0..FUTURE_LEN).map(|_| draw()).collect()).collect()
}

/// The requests that not just any device can serve, and what they weigh.
fn picky(asked: &[(Kind, u64)], fleet: &BTreeMap<(u8, Room), u64>) -> Vec<(Kind, i64)> {
    let volume = |kind: &Kind, count: u64| u128::from(kind.demand.gpus.milli()) * u128::from(count);
    let all_volume: u128 = asked.iter().map(|(kind, count)| volume(kind, *count)).sum();
    let gpus = |serves: &dyn Fn(u8, &Room) -> bool| -> u128 {
        let serving = fleet.iter().filter(|((model, room), _)| serves(*model, room));
        serving.map(|((_, room), devices)| u128::from(room.gpu_count) * u128::from(*devices)).sum()
    };
    let all_gpus = gpus(&|_, _| true);
    let weighed = asked.iter().filter_map(|(kind, count)| {
        let serving = if all_gpus == 0 { 1 } else { gpus(&|model, room| kind.accepts.has(model) && room.fits(&kind.demand)) };
        let common = serving * 1_000 >= all_gpus * COMMON_PERMILLE;
        let several = matches!(kind.demand.gpus, GpuDemand::Whole(2..));
        if serving == 0 || common && !several {
            return None;
        }
        let scarcity = ((all_gpus.max(1) << WEIGHT_BITS) / serving).min(SCARCEST << WEIGHT_BITS);
        let weight = volume(kind, *count) * scarcity * PICKY_PERMILLE / all_volume;
        Some((*kind, i64::try_from(weight).expect("a share of a hundred thousand times 2^20")))
    });
    weighed.collect()
}
