//! What a device costs a request, all things considered: one number, computed here and nowhere else.
//!
//! The score of a node is what it costs for an hour, in micro-USD for each GPU (or device without one), and on top what is to be said
//! against the device, as a part of its model's reference price: so "a tenth more likely to fail" weighs like a price a twentieth higher,
//! for every model alike. The parts:
//!
//! | part | basis points of the reference price |
//! |---|---|
//! | reputation | 2 for each point below 1,000 |
//! | risk | half the predicted chance not to serve to the end of the hired time |
//! | failed within the last hour | 5,000 |
//! | waste of a shared device | 10,000 for a wasted GPU; 2,500 where it was not judged |
//! | a device given whole | up to 100 for CPUs that were not asked for |
//! | each site beyond the first, unless nodes are to be spread | 300 |
//!
//! To judge what a placement wastes takes long, so only the rooms of those devices are judged that are best by all the rest, and those that
//! look alike ([`Options::judged`](crate::index::Options::judged)).
//!
//! Every node of a cluster is paid the rate of the dearest, so a cluster's score is nodes times the dearest price, and the rest added up.

use ionet_types::DeviceId;
use ionet_types::market::Lease;

use crate::conditions::has_gpus;
use crate::machine::{BPS, Horizon, MAX_REPUTATION, Machine};
use crate::names::{ModelId, SiteId};
use crate::shape::{Demand, Room};
use crate::waste::Waste;

/// After this long without a failure a device counts as good as new, seconds.
pub const FAILURE_MEMORY_SECS: i64 = 3_600;
/// Basis points for each point of reputation that is missing.
const BPS_PER_REPUTATION: u16 = 2;
/// Part of the predicted chance of a failure that counts.
const RISK_PART: u16 = 2;
/// Basis points for a failure within the last hour.
const FAILED_BPS: u16 = 5_000;
/// Basis points for each site beyond the first.
const SITE_BPS: u16 = 300;
/// Millionths of a GPU at most for CPUs that were not asked for.
const OVERSIZE: i64 = 10_000;
/// What is said against a device whose waste was not judged, millionths of a GPU.
pub(crate) const UNJUDGED: i32 = 250_000;
/// Waste is not counted beyond this, millionths of a GPU: sixteen GPUs.
const MAX_WASTE: i64 = 16_000_000;
/// Millionths.
const MILLION: i64 = 1_000_000;

/// Whether a device failed so lately that it counts.
pub fn failed_lately(machine: &Machine, now_unix_secs: i64) -> bool {
    let age_secs = now_unix_secs.saturating_sub(machine.failed_at_unix_secs);
    machine.failed_at_unix_secs != 0 && age_secs < FAILURE_MEMORY_SECS
}

/// What is to be said against the device itself, basis points.
pub(crate) fn against_bps(machine: &Machine, failed: bool, horizon: Horizon) -> u16 {
    let reputation = MAX_REPUTATION.saturating_sub(machine.reputation) * BPS_PER_REPUTATION;
    let risk = BPS.saturating_sub(machine.survival_bps[horizon as usize]) / RISK_PART;
    reputation + risk + if failed { FAILED_BPS } else { 0 }
}

/// A part of the reference price, micro-USD, rounded up. For each more basis point never less.
pub(crate) fn part_of(reference_micro_usd: u32, bps: u16) -> u32 {
    let part = (u64::from(reference_micro_usd) * u64::from(bps)).div_ceil(u64::from(BPS));
    u32::try_from(part).expect("basis points are below 2^14, reference prices below 2^30")
}

/// What a site beyond the first counts, micro-USD.
pub(crate) fn site_micro_usd(reference_micro_usd: u32) -> i64 {
    i64::from(part_of(reference_micro_usd, SITE_BPS))
}

/// What is to be said against placing the demand in such a room, millionths of a GPU at its reference price; `None` if such devices do
/// not serve such GPUs. Both are outlines, and what has equal ones shares the answer: so it is as if the demand asked for no more than
/// the room has.
pub(crate) fn setting(waste: &mut impl Waste, outline: &Room, divisible: bool, model: ModelId, demand: &Demand) -> Option<i32> {
    if !has_gpus(divisible, outline, demand.gpus) {
        return None;
    }
    let cpu_milli = demand.cpu_milli.min(outline.cpu_milli);
    let spoiled = if divisible {
        let demand = Demand { cpu_milli, memory_mb: demand.memory_mb.min(outline.memory_mb), ..*demand };
        waste.best(outline, model, &demand)?.0
    } else {
        i64::from(outline.cpu_milli - cpu_milli) * OVERSIZE / i64::from(outline.cpu_milli.max(1))
    };
    Some(i32::try_from(spoiled.clamp(-MAX_WASTE, MAX_WASTE)).expect("clamped to far less"))
}

/// The same in micro-USD. For more never less.
pub(crate) fn setting_micro_usd(setting: i32, reference_micro_usd: u32) -> i64 {
    (i64::from(setting) * i64::from(reference_micro_usd)).div_euclid(MILLION)
}

/// Price and the rest for one device, micro-USD; `None` if it is not rented so.
pub(crate) fn static_micro_usd(machine: &Machine, failed: bool, lease: Lease, horizon: Horizon, reference: u32) -> Option<(u32, u32)> {
    let price = machine.prices.of(lease)?;
    Some((price, part_of(reference, against_bps(machine, failed, horizon))))
}

/// What a cluster of such nodes scores: less is better.
pub(crate) fn cluster_micro_usd(dearest: u32, nodes: usize, against: i64, sites: Option<usize>, reference: u32) -> i64 {
    let nodes = i64::try_from(nodes).unwrap_or(i64::MAX);
    let further = sites.map_or(0, |sites| i64::try_from(sites.saturating_sub(1)).unwrap_or(i64::MAX));
    let rate = nodes.saturating_mul(i64::from(dearest));
    rate.saturating_add(against).saturating_add(further.saturating_mul(site_micro_usd(reference)))
}

/// Where a device stands on a ring: first its site, then itself. What scores alike is ordered by the way round from a seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ring(pub(crate) u64);

impl Ring {
    /// The place of a device at a site; one without a site is a site of its own.
    pub(crate) fn of(device: DeviceId, site: Option<SiteId>) -> Self {
        let own = device.0.as_chunks::<8>().0.iter().fold(0, |state, word| mix(state ^ u64::from_le_bytes(*word)));
        let site = site.map_or(own, |site| mix(u64::from(site.0)));
        Self(site >> 32 << 32 | own & u64::from(u32::MAX))
    }

    /// The site's half.
    pub(crate) const fn site(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The way round from the seed: over whole sites, and at a site over its devices.
    pub(crate) const fn from(self, seed: u64) -> u64 {
        let site = self.site().wrapping_sub((seed >> 32) as u32);
        let device = (self.0 as u32).wrapping_sub(seed as u32);
        (site as u64) << 32 | device as u64
    }

    /// The least way from the seed to any place from `self` to `last`.
    pub(crate) const fn least_from(self, last: Self, seed: u64) -> u64 {
        let (first_site, last_site) = (self.site(), last.site());
        if first_site == last_site {
            let from = seed as u32;
            let within = self.0 as u32 <= from && from <= last.0 as u32;
            let start = if within { from } else { self.0 as u32 };
            return Self((first_site as u64) << 32 | start as u64).from(seed);
        }
        let from = (seed >> 32) as u32;
        let start = if first_site <= from && from <= last_site { from } else { first_site };
        (start.wrapping_sub(from) as u64) << 32
    }
}

/// splitmix64. Not a secret, only a spread.
const fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}
