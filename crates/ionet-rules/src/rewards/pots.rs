//! An epoch's emission is divided into four pots, and each pot among the devices that may claim it (docs/economy.md, sections 4 to 6).

use crate::booking::HardwareKind;
use crate::money::Io;
use crate::supply::SupplyParams;
use crate::{RuleError, RuleResult, stored};

/// One of the four parts of an emission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Pot {
    /// Availability of GPU devices.
    AvailabilityGpu = 0,
    /// Availability of CPU devices.
    AvailabilityCpu = 1,
    /// Compute of GPU devices.
    ComputeGpu = 2,
    /// Compute of CPU devices.
    ComputeCpu = 3,
}

impl Pot {
    /// Every pot.
    pub const ALL: [Self; 4] = [Self::AvailabilityGpu, Self::AvailabilityCpu, Self::ComputeGpu, Self::ComputeCpu];

    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::AvailabilityGpu => "availability_gpu",
            Self::AvailabilityCpu => "availability_cpu",
            Self::ComputeGpu => "compute_gpu",
            Self::ComputeCpu => "compute_cpu",
        }
    }

    /// The pot that availability of this kind of device is paid from.
    pub const fn availability(kind: HardwareKind) -> Self {
        match kind {
            HardwareKind::Gpu => Self::AvailabilityGpu,
            HardwareKind::Cpu => Self::AvailabilityCpu,
        }
    }

    /// The pot that compute of this kind of device is paid from.
    pub const fn compute(kind: HardwareKind) -> Self {
        match kind {
            HardwareKind::Gpu => Self::ComputeGpu,
            HardwareKind::Cpu => Self::ComputeCpu,
        }
    }
}

stored! {
    /// An amount for each pot.
    pub struct Pots {
        /// Availability of GPU devices.
        pub availability_gpu: Io,
        /// Availability of CPU devices.
        pub availability_cpu: Io,
        /// Compute of GPU devices.
        pub compute_gpu: Io,
        /// Compute of CPU devices.
        pub compute_cpu: Io,
    }
}

impl Pots {
    /// Nothing in any pot.
    pub const EMPTY: Self = Self { availability_gpu: Io::ZERO, availability_cpu: Io::ZERO, compute_gpu: Io::ZERO, compute_cpu: Io::ZERO };

    /// What is in this pot.
    pub const fn get(&self, pot: Pot) -> Io {
        match pot {
            Pot::AvailabilityGpu => self.availability_gpu,
            Pot::AvailabilityCpu => self.availability_cpu,
            Pot::ComputeGpu => self.compute_gpu,
            Pot::ComputeCpu => self.compute_cpu,
        }
    }

    /// The same pots with this amount in one of them.
    #[must_use]
    pub const fn with(mut self, pot: Pot, amount: Io) -> Self {
        match pot {
            Pot::AvailabilityGpu => self.availability_gpu = amount,
            Pot::AvailabilityCpu => self.availability_cpu = amount,
            Pot::ComputeGpu => self.compute_gpu = amount,
            Pot::ComputeCpu => self.compute_cpu = amount,
        }
        self
    }

    /// Pot by pot, the sum.
    pub fn plus(&self, other: &Self) -> RuleResult<Self> {
        Pot::ALL.into_iter().try_fold(*self, |sum, pot| Ok(sum.with(pot, sum.get(pot).plus(other.get(pot))?)))
    }

    /// Pot by pot, the difference.
    pub fn minus(&self, other: &Self) -> RuleResult<Self> {
        Pot::ALL.into_iter().try_fold(*self, |rest, pot| Ok(rest.with(pot, rest.get(pot).minus(other.get(pot))?)))
    }

    /// All pots together.
    pub fn total(&self) -> RuleResult<Io> {
        Pot::ALL.into_iter().try_fold(Io::ZERO, |sum, pot| sum.plus(self.get(pot)))
    }
}

/// Divides an epoch's emission into the four pots; they always sum to it.
pub fn split_emission(emission: Io, params: &SupplyParams) -> RuleResult<Pots> {
    let availability = emission.share_down(params.availability_bps)?;
    let compute = emission.minus(availability)?;
    let availability_gpu = availability.share_down(params.gpu_bps)?;
    let compute_gpu = compute.share_down(params.gpu_bps)?;
    Ok(Pots {
        availability_gpu,
        availability_cpu: availability.minus(availability_gpu)?,
        compute_gpu,
        compute_cpu: compute.minus(compute_gpu)?,
    })
}

/// One device's share of a pot: `pot * weight / total`, rounded down. Nothing when nobody has a weight.
pub fn share(pot: Io, weight: u64, total: u128) -> RuleResult<Io> {
    proportion(pot.0, weight, total).map(Io)
}

/// `whole * weight / total`, rounded down; a weight above the total is refused, a total of zero gives zero.
pub(super) fn proportion(whole: u64, weight: u64, total: u128) -> RuleResult<u64> {
    if u128::from(weight) > total {
        return Err(RuleError::BooksDoNotBalance);
    }
    let product = u128::from(whole).checked_mul(u128::from(weight)).ok_or(RuleError::Overflow)?;
    u64::try_from(product.checked_div(total).unwrap_or(0)).map_err(|_| RuleError::Overflow)
}

/// Divides a device's availability reward between its owner (first) and its co-staker, whose agreed share is rounded down (section 6).
pub fn split_with_co_staker(reward: Io, co_staker_bps: u16) -> RuleResult<(Io, Io)> {
    let co_staker = reward.share_down(co_staker_bps)?;
    Ok((reward.minus(co_staker)?, co_staker))
}
