//! Whether a device fulfils a request, and if not, which conditions it misses.

use crate::machine::{Machine, State};
use crate::request::Request;
use crate::shape::{Demand, GpuDemand, Room};

/// A condition of a request. Their order is the published one in which devices are counted out: a device that misses several counts
/// under the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Condition {
    /// The model is one of those that would do.
    Model,
    /// It may be hired: verified, connected, not paused, not blocked.
    Hireable,
    /// It did not fail this very cluster, and is not in it.
    Excluded,
    /// It is where the rest of the cluster is.
    Site,
    /// It is the supplier's who was asked for.
    Supplier,
    /// It is in a country that was asked for.
    Country,
    /// It is in no country that was excluded.
    NotCountry,
    /// The standards are proved.
    Compliance,
    /// Work is well enough separated from it.
    Security,
    /// It runs on renewable energy.
    Renewable,
    /// Its connection is good enough.
    Tier,
    /// Its GPUs have the memory.
    Vram,
    /// It has the GPUs: so many, or ones that can be shared, or cut into instances. One that is given whole has exactly so many.
    Gpus,
    /// It has the CPUs.
    Cpus,
    /// It has the memory.
    Memory,
    /// It has the disk.
    Disk,
    /// Its supplier rents so: on demand, or interruptible.
    Lease,
    /// The hire is as long as its supplier wants.
    MinimumHire,
    /// It costs no more than the highest price.
    Price,
    /// Its reputation is good enough.
    Reputation,
    /// Enough of it is free.
    Free,
}

impl Condition {
    /// All of them, in the published order.
    pub const ALL: [Self; 21] = [
        Self::Model,
        Self::Hireable,
        Self::Excluded,
        Self::Site,
        Self::Supplier,
        Self::Country,
        Self::NotCountry,
        Self::Compliance,
        Self::Security,
        Self::Renewable,
        Self::Tier,
        Self::Vram,
        Self::Gpus,
        Self::Cpus,
        Self::Memory,
        Self::Disk,
        Self::Lease,
        Self::MinimumHire,
        Self::Price,
        Self::Reputation,
        Self::Free,
    ];

    /// Stable name: the request's field where it is one.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Model => "hardware",
            Self::Hireable => "hireable",
            Self::Excluded => "excluded",
            Self::Site => "site",
            Self::Supplier => "supplier",
            Self::Country => "countries",
            Self::NotCountry => "not_countries",
            Self::Compliance => "compliance",
            Self::Security => "min_security",
            Self::Renewable => "renewable",
            Self::Tier => "min_tier",
            Self::Vram => "min_vram_mb",
            Self::Gpus => "gpus",
            Self::Cpus => "min_cpus",
            Self::Memory => "min_memory_mb",
            Self::Disk => "min_disk_mb",
            Self::Lease => "lease",
            Self::MinimumHire => "minutes",
            Self::Price => "max_price_micro_usd",
            Self::Reputation => "min_reputation",
            Self::Free => "free",
        }
    }

    const fn bit(self, missed: bool) -> u32 {
        (missed as u32) << self as u8
    }
}

/// The conditions that a device misses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Missed(u32);

impl Missed {
    /// A set of these.
    pub const fn of(conditions: &[Condition]) -> Self {
        let (mut bits, mut at) = (0, 0);
        while at < conditions.len() {
            bits |= conditions[at].bit(true);
            at += 1;
        }
        Self(bits)
    }

    /// None: the device fits.
    pub const fn none(self) -> bool {
        self.0 == 0
    }

    /// How many.
    pub const fn count(self) -> u32 {
        self.0.count_ones()
    }

    /// The first in the published order.
    pub fn first(self) -> Option<Condition> {
        Condition::ALL.get(self.0.trailing_zeros() as usize).copied()
    }

    /// Whether it is among them.
    pub const fn has(self, condition: Condition) -> bool {
        self.0 & condition.bit(true) != 0
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = Condition> {
        Condition::ALL.into_iter().filter(move |condition| self.has(*condition))
    }

    /// Those that are not in the other set.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether a device of which so much is free misses any: the same as looking at all of them.
    pub fn any(machine: &Machine, state: State, free: &Room, request: &Request) -> bool {
        !Self::find(machine, state, free, request).none()
    }

    /// What a device of which so much is free misses.
    pub fn find(machine: &Machine, state: State, free: &Room, request: &Request) -> Self {
        Self::judge(machine, state, free, &machine.whole, request)
    }

    /// The same with what is taken counted as what the device lacks: dropping these conditions is enough as things are now. What a
    /// device that is given whole misses because it is taken stays [`Condition::Free`].
    pub fn now(machine: &Machine, state: State, free: &Room, request: &Request) -> Self {
        Self::judge(machine, state, free, if machine.divisible { free } else { &machine.whole }, request)
    }

    fn judge(machine: &Machine, state: State, free: &Room, size: &Room, request: &Request) -> Self {
        let demand = &request.demand;
        let (gpus, cpus) = (!has_gpus(machine.divisible, size, demand.gpus), size.cpu_milli < demand.cpu_milli);
        let (memory, disk) = (size.memory_mb < demand.memory_mb, size.disk_mb < demand.disk_mb);
        // Only what it has can be taken, so that what it lacks counts once.
        let taken = if machine.divisible {
            let room_for = Demand { gpus: demand.gpus, ..Demand::default() };
            !gpus && !free.fits(&room_for)
                || !cpus && free.cpu_milli < demand.cpu_milli
                || !memory && free.memory_mb < demand.memory_mb
                || !disk && free.disk_mb < demand.disk_mb
        } else {
            *free != machine.whole
        };
        let price = machine.prices.of(request.lease);
        let country = |wrong: bool, unknown: bool| machine.country.map_or(unknown, |_| wrong);
        let outside = |country| request.countries.is_some_and(|wanted| !wanted.has(country));
        let missed = [
            (Condition::Model, !request.models.contains(&machine.model)),
            (Condition::Hireable, state != State::Hireable),
            (Condition::Excluded, !request.exclude.is_empty() && request.exclude.contains(&machine.device)),
            (Condition::Site, request.only_site.is_some() && machine.site != request.only_site),
            (Condition::Supplier, request.supplier.is_some() && machine.supplier != request.supplier),
            (Condition::Country, country(machine.country.is_some_and(outside), request.countries.is_some())),
            (
                Condition::NotCountry,
                country(machine.country.is_some_and(|own| request.not_countries.has(own)), !request.not_countries.is_empty()),
            ),
            (Condition::Compliance, machine.compliance & request.compliance != request.compliance),
            (Condition::Security, machine.security < request.min_security),
            (Condition::Renewable, request.renewable && !machine.renewable),
            (Condition::Tier, machine.tier < request.min_tier),
            (Condition::Vram, machine.vram_mb < request.min_vram_mb),
            (Condition::Gpus, gpus),
            (Condition::Cpus, cpus),
            (Condition::Memory, memory),
            (Condition::Disk, disk),
            (Condition::Lease, price.is_none()),
            (Condition::MinimumHire, request.minutes < machine.min_hire_minutes),
            (Condition::Price, price.zip(request.max_price_micro_usd).is_some_and(|(price, highest)| price > highest)),
            (Condition::Reputation, machine.reputation < request.min_reputation),
            (Condition::Free, taken),
        ];
        Self(missed.into_iter().fold(0, |bits, (condition, missed)| bits | condition.bit(missed)))
    }
}

/// Whether a device with such room could serve these GPUs.
pub(crate) fn has_gpus(divisible: bool, size: &Room, gpus: GpuDemand) -> bool {
    if divisible {
        size.fits(&Demand { gpus, ..Demand::default() })
    } else {
        let exactly = match gpus {
            GpuDemand::None => Some(0),
            GpuDemand::Whole(count) => Some(count),
            GpuDemand::Part(_) | GpuDemand::Instance(_) => None,
        };
        !size.mig && exactly == Some(size.gpu_count)
    }
}
