//! What a device weighs: base score, test score `P`, and their product (docs/economy.md, section 5).

use super::Tier;
use super::pots::proportion;
use crate::booking::HardwareKind;
use crate::multipliers::MAX_CENTI;
use crate::stake::MAX_PROCESSORS;
use crate::{RuleError, RuleResult};

/// A `P` of one, in millionths.
pub const P_ONE: u32 = 1_000_000;

/// One ratio of 1 in a product of four: the largest power of ten whose fourth power 128 bits hold.
const RATIO_ONE: u64 = 1_000_000_000;
const RATIO_TO_P: u128 = 1_000;

/// The base score in tenths of a point: `((0.02 * tier/4 + 2.0 * multiplier * processors) * 100 + 0.05 * hired) * 10`.
///
/// Term by term in tenths that is `50 * tier + 200 * centi * processors + 5 * hired`, so nothing is rounded.
/// The bounds keep every weight within 64 bits.
pub fn base_score(tier: Tier, multiplier_centi: u32, processors: u32, hired: bool) -> RuleResult<u64> {
    if multiplier_centi > MAX_CENTI || processors > MAX_PROCESSORS {
        return Err(RuleError::Overflow);
    }
    let connectivity = 50u64.checked_mul(u64::from(tier as u8));
    let hardware = u64::from(multiplier_centi).checked_mul(u64::from(processors)).and_then(|product| product.checked_mul(200));
    let sum = connectivity.zip(hardware).and_then(|(one, other)| one.checked_add(other));
    sum.and_then(|sum| sum.checked_add(if hired { 5 } else { 0 })).ok_or(RuleError::Overflow)
}

/// What one test measured, or the reference values of a model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measurement {
    /// Network bandwidth, Mbps.
    pub bandwidth_mbps: u32,
    /// Memory bandwidth, MB per second.
    pub memory_mb_per_sec: u32,
    /// CPU clock, MHz.
    pub cpu_mhz: u32,
    /// Arithmetic speed, billions of operations per second.
    pub gflops: u32,
}

impl Measurement {
    const fn values(&self) -> [u32; 4] {
        [self.bandwidth_mbps, self.memory_mb_per_sec, self.cpu_mhz, self.gflops]
    }
}

/// `P` of one passed test in millionths: the fourth root of the product of the four ratios to the model's reference, none above one.
/// A reference of zero asks nothing of the device in that respect. A missed or wrong test has `P = 0` and does not come here.
pub fn test_p(measured: &Measurement, reference: &Measurement) -> u32 {
    let ratios = measured.values().into_iter().zip(reference.values()).map(|(value, wanted)| ratio(value, wanted));
    // Four factors of at most 10^9 each: the product is at most 10^36, which 128 bits hold.
    let product = ratios.fold(1u128, |product, ratio| product.saturating_mul(u128::from(ratio)));
    // The floor of the root of the floor of the root is the floor of the fourth root.
    let root = product.isqrt().isqrt();
    u32::try_from(root / RATIO_TO_P).unwrap_or(P_ONE).min(P_ONE)
}

fn ratio(value: u32, wanted: u32) -> u64 {
    // A value of 32 bits times 10^9 stays within 62 bits.
    u64::from(value.min(wanted)).saturating_mul(RATIO_ONE).checked_div(u64::from(wanted)).unwrap_or(RATIO_ONE)
}

/// The epoch's `P`: the mean over its tests, missed and wrong ones counted as zero. Without a test it is zero.
pub fn mean_p(tests: impl IntoIterator<Item = u32>) -> u32 {
    let (sum, count) =
        tests.into_iter().fold((0u64, 0u64), |(sum, count), p| (sum.saturating_add(u64::from(p.min(P_ONE))), count.saturating_add(1)));
    sum.checked_div(count).and_then(|mean| u32::try_from(mean).ok()).unwrap_or(0)
}

/// Weight of a device in its availability pot: base score (tenths) times `P` (millionths).
pub fn weight(base_score_tenths: u64, p_millionths: u32) -> RuleResult<u64> {
    if p_millionths > P_ONE {
        return Err(RuleError::Overflow);
    }
    base_score_tenths.checked_mul(u64::from(p_millionths)).ok_or(RuleError::Overflow)
}

/// A weight for people, in thousandths: its share of all weights of the same kind, of 8,000,000 for GPU devices and 2,000,000 for CPU
/// devices. For display only: rewards are computed from the weights themselves.
pub fn normalised_score(weight: u64, total: u128, kind: HardwareKind) -> RuleResult<u64> {
    const GPU_THOUSANDTHS: u64 = 8_000_000_000;
    const CPU_THOUSANDTHS: u64 = 2_000_000_000;
    let whole = match kind {
        HardwareKind::Gpu => GPU_THOUSANDTHS,
        HardwareKind::Cpu => CPU_THOUSANDTHS,
    };
    proportion(whole, weight, total)
}
