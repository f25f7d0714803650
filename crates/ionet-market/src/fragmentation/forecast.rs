//! What is expected to be asked, and what it would leave of a device.

use std::collections::BTreeMap;

use super::Models;
use crate::shape::{Demand, GpuDemand, Room, WHOLE_MILLI};

/// Futures that a room is tried with. Twice as many changed the trace run by less than a tenth of a percentage point.
const FUTURES: usize = 16;
/// Requests in a future: about three times what the largest device holds, so that what is left has been passed over often.
const FUTURE_LEN: usize = u32::BITS as usize;
/// What counts, of GPUs that a request for several could take, in 1/1000. This and the next were chosen on the trace run: with more of
/// this fewer gangs fail and less is used in all, with more of the next fewer requests for scarce models fail and less is used in the end.
const GANG_PERMILLE: u128 = 200;
/// What counts, of GPUs that a request could take which few other free GPUs could serve, in 1/1000.
const SCARCE_PERMILLE: u128 = 800;
/// A request that less of what is free could serve than this is scarce, in 1/1000.
const COMMON_PERMILLE: u128 = 900;
/// No request counts as scarcer than one that a thousandth of what is free could serve.
const SCARCEST: u128 = 1_000;
/// Requests of one kind that are tried on one device: eight GPUs in sevenths, and some.
const MAX_COPIES: usize = 64;
/// Millionths of a GPU in a thousandth.
const MICRO_PER_MILLI: i64 = 1_000;
/// Weights are kept in 2^-20 so that rare requests do not round to nothing.
const WEIGHT_BITS: u32 = 20;
/// Steps to an octave in which free CPU, memory and disk are looked at.
const STEPS: u32 = 16;

/// What the network has of one size of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Supply {
    /// The model.
    pub model: u8,
    /// All of such a device, nothing of it taken.
    pub whole: Room,
    /// How many there are.
    pub devices: u64,
    /// What is free of the GPUs of all of them now, in thousandths of a GPU.
    pub free_milli: u64,
}

/// A kind of request: what it asks of one device, and of which models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Kind {
    pub(super) demand: Demand,
    pub(super) accepts: Models,
}

/// What the network expects to be asked: made by a [`Mix`](super::Mix), and never changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The kinds that ask for GPUs, those that ask for little CPU first.
    steps: Vec<Step>,
    /// Which of the kinds come in each future, in turn.
    futures: [[u16; FUTURE_LEN]; FUTURES],
    /// With what one thousandth of a GPU of it counts, in 2^-20 millionths of a GPU.
    picky: Vec<(Kind, i64)>,
}

/// A kind of request, and when it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    kind: Kind,
    /// No GPU with fewer free thousandths can give it anything.
    least: u16,
    /// In each future, as bits: its turns.
    turns: [u32; FUTURES],
}

impl Forecast {
    /// A forecast from how often each kind was asked, at most 65,536 of them, for what is free. Without a supply every request counts as
    /// servable everywhere.
    pub(super) fn new(kinds: &BTreeMap<Kind, u64>, supply: &[Supply]) -> Self {
        // What asks for no GPU is kept off those who need one by their futures; in a future it would only take turns.
        let asked = kinds.iter().filter(|(kind, count)| kind.demand.gpus.milli() > 0 && **count > 0);
        let asked: Vec<(Kind, u64)> = asked.map(|(kind, count)| (*kind, *count)).collect();
        let futures = futures(&asked);
        Self { steps: steps(&asked, &futures), futures, picky: picky(&asked, supply) }
    }

    /// What of a device with this room free will be wasted, in millionths of a GPU. Only the difference between two rooms of one device
    /// means something.
    pub fn waste(&self, room: &Room, model: u8) -> i64 {
        self.gpu_waste(&coarse(room), model) + roots(room)
    }

    /// The part of [`Forecast::waste`] that takes long, for a room made [`coarse`].
    pub(super) fn gpu_waste(&self, room: &Room, model: u8) -> i64 {
        let most = room.most_milli();
        if most == 0 {
            return 0;
        }
        // A kind that does not fit now never will: for most rooms that leaves few turns to try.
        let mut turns = [0_u32; FUTURES];
        for step in self.steps.iter().take_while(|step| step.kind.demand.cpu_milli <= room.cpu_milli) {
            if step.least <= most && step.kind.demand.memory_mb <= room.memory_mb && step.kind.accepts.has(model) {
                for (all, own) in turns.iter_mut().zip(step.turns) {
                    *all |= own;
                }
            }
        }
        let left: i64 = self.futures.iter().zip(turns).map(|(future, turns)| i64::from(self.left_by(*room, future, turns))).sum();
        let held: i64 = self.picky.iter().map(|(kind, weight)| weight * i64::from(held(*room, model, kind))).sum();
        left * MICRO_PER_MILLI / i64::try_from(FUTURES).expect("a small constant") - (held >> WEIGHT_BITS)
    }

    /// Free thousandths of GPU after all of these turns of the future that fit were taken.
    #[inline]
    fn left_by(&self, mut room: Room, future: &[u16; FUTURE_LEN], mut turns: u32) -> u32 {
        let mut most = room.most_milli();
        while turns != 0 && most != 0 {
            let turn = turns.trailing_zeros();
            turns &= turns - 1;
            let step = &self.steps[usize::from(future[turn as usize])];
            if step.least <= most && room.take_tightly(&step.kind.demand) {
                most = room.most_milli();
            }
        }
        room.gpu_milli_sum()
    }
}

/// The room as the futures see it: its GPUs in order, and of everything else a little less, in steps of a sixteenth. That changes the
/// waste before and after alike, and lets many devices share one result.
pub(super) fn coarse(room: &Room) -> Room {
    let floor = |free: u32, unit: u32| {
        let step = unit << (free / unit / STEPS).max(1).ilog2();
        free / step * step
    };
    let mut coarse = room.sorted();
    coarse.cpu_milli = floor(room.cpu_milli, 250);
    coarse.memory_mb = floor(room.memory_mb, 1 << 10);
    coarse.disk_mb = floor(room.disk_mb, 1 << 10);
    coarse
}

/// The part of [`Forecast::waste`] that breaks ties: what takes from a small room lowers the sum of roots more.
pub(super) fn roots(room: &Room) -> i64 {
    i64::from(room.cpu_milli.isqrt() + room.memory_mb.isqrt() + room.disk_mb.isqrt())
}

/// Thousandths of GPU that requests of this one kind could take of the room.
fn held(mut room: Room, model: u8, kind: &Kind) -> u32 {
    let copies = (0..MAX_COPIES).take_while(|_| kind.accepts.has(model) && room.take_tightly(&kind.demand)).count();
    u32::try_from(copies).expect("at most MAX_COPIES") * kind.demand.gpus.milli()
}

/// Futures in which each kind occurs by its share, within each of them and over all: points at equal distances over the shares, shifted
/// a little from one future to the next. Their order is scrambled by a fixed rule; with a regular one all devices would be filled in
/// step.
fn futures(asked: &[(Kind, u64)]) -> [[u16; FUTURE_LEN]; FUTURES] {
    let mut end = 0_u128;
    let ends: Vec<u128> = asked
        .iter()
        .map(|(_, count)| {
            end += u128::from(*count);
            end
        })
        .collect();
    let points = (FUTURES * FUTURE_LEN) as u128;
    let kind_at = |point: usize| {
        let at = (2 * point as u128 + 1) * end / (2 * points);
        u16::try_from(ends.partition_point(|&end| end <= at)).expect("at most 65,536 kinds, and the point is before the last one's end")
    };
    std::array::from_fn(|future| {
        let mut places: [usize; FUTURE_LEN] = std::array::from_fn(|place| place);
        places.sort_by_key(|place| scrambled((future * FUTURE_LEN + place) as u64));
        // Without anything asked there are no steps, hence no turns, and nobody looks at what is here.
        places.map(|place| if asked.is_empty() { 0 } else { kind_at(place * FUTURES + future) })
    })
}

/// A fixed scrambling of numbers (the finaliser of SplitMix64).
const fn scrambled(number: u64) -> u64 {
    let mixed = (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn steps(asked: &[(Kind, u64)], futures: &[[u16; FUTURE_LEN]; FUTURES]) -> Vec<Step> {
    let step = |(number, (kind, _)): (u16, &(Kind, u64))| {
        let least = match kind.demand.gpus {
            GpuDemand::Part(milli) => milli,
            GpuDemand::Whole(_) => WHOLE_MILLI,
            // Free slices are not thousandths, so nothing is ruled out.
            GpuDemand::None | GpuDemand::Instance(_) => 0,
        };
        let turns =
            futures.map(|future| (0..).zip(future).filter(|(_, kind)| *kind == number).fold(0, |turns, (turn, _)| turns | (1 << turn)));
        Step { kind: *kind, least, turns }
    };
    (0..).zip(asked).map(step).collect()
}

/// The requests that not just any device can serve, and what they weigh.
fn picky(asked: &[(Kind, u64)], supply: &[Supply]) -> Vec<(Kind, i64)> {
    let volume = |kind: &Kind, count: u64| u128::from(kind.demand.gpus.milli()) * u128::from(count);
    let all_volume: u128 = asked.iter().map(|(kind, count)| volume(kind, *count)).sum();
    let free = |serves: &dyn Fn(&Supply) -> bool| -> u128 {
        supply.iter().filter(|size| serves(size)).map(|size| u128::from(size.free_milli)).sum()
    };
    let all_free = free(&|_| true);
    let weighed = asked.iter().filter_map(|(kind, count)| {
        let serving = free(&|size| kind.accepts.has(size.model) && size.whole.fits(&kind.demand));
        let (serving, all) = if all_free == 0 { (1, 1) } else { (serving, all_free) };
        let gang = matches!(kind.demand.gpus, GpuDemand::Whole(2..));
        let scarce = serving * 1_000 < all * COMMON_PERMILLE;
        let permille = match (gang, scarce) {
            (true, _) => GANG_PERMILLE,
            (false, true) => SCARCE_PERMILLE,
            (false, false) => return None,
        };
        // What nobody can serve needs no device to be kept.
        let scarcity = (all << WEIGHT_BITS).checked_div(serving)?.min(SCARCEST << WEIGHT_BITS);
        let weight = volume(kind, *count) * scarcity * permille / all_volume;
        Some((*kind, i64::try_from(weight).expect("at most 800,000 times 2^20")))
    });
    weighed.collect()
}
