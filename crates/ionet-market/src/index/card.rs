//! What trees and racks hold of a device: its place in the order, and all that conditions ask of it, side by side with its neighbours'. So a
//! search fetches the records of those devices only that turn out to be near the best.

use ionet_types::market::{Countries, Country, Lease};

use super::Record;
use super::summary::Best;
use crate::machine::Horizon;
use crate::names::SupplierId;
use crate::score::{Ring, against_bps};

/// The horizon by which devices of one price are ordered: between the short ones, which reputation decides, and the long ones, which survival
/// does.
const ORDERED_BY: Horizon = Horizon::Week;

/// The order of devices: by price, then by what is to be said against them, then round the ring. What a search wants first is then found
/// on few leaves, and what costs the same lies in the order in which seeds choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Order {
    price: u32,
    against_bps: u16,
    ring: Ring,
    place: u32,
}

/// A device as trees and racks hold it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Card {
    pub(super) ring: Ring,
    /// Where its record is.
    pub(super) place: u32,
    pub(super) best: Best,
    /// Its country, if that is known.
    country: Option<Country>,
    /// Its supplier's last six bits, or none.
    supplier: Option<u8>,
}

impl Order {
    /// Before all devices.
    pub(super) const FIRST: Self = Self { price: 0, against_bps: 0, ring: Ring(0), place: 0 };
    /// After all devices.
    pub(super) const LAST: Self = Self { price: u32::MAX, against_bps: u16::MAX, ring: Ring(u64::MAX), place: u32::MAX };

    /// The least way from the seed of any device from `self` to `last`.
    pub(super) fn least_way(self, last: Self, seed: u64) -> u64 {
        let same = (self.price, self.against_bps) == (last.price, last.against_bps);
        if same { self.ring.least_from(last.ring, seed) } else { 0 }
    }
}

impl Card {
    /// Of a device.
    pub(super) fn of(record: &Record, place: u32) -> Self {
        let machine = &record.machine;
        let best = Best {
            price: [Lease::OnDemand, Lease::Interruptible].map(|lease| machine.prices.of(lease).unwrap_or(u32::MAX)),
            against_bps: Horizon::ALL.map(|horizon| against_bps(machine, record.failed, horizon)),
            cpu_milli: record.free.cpu_milli,
            memory_mb: record.free.memory_mb,
            disk_mb: record.free.disk_mb,
            vram_mb: machine.vram_mb,
            min_hire_minutes: machine.min_hire_minutes,
            reputation: machine.reputation,
            tier: machine.tier,
            security: machine.security,
            compliance: machine.compliance,
            renewable: machine.renewable,
        };
        Self { ring: record.ring, place, best, country: machine.country, supplier: machine.supplier.map(six_bits) }
    }

    /// Where it stands.
    pub(super) const fn order(&self) -> Order {
        Order {
            price: self.best.price[Lease::OnDemand as usize],
            against_bps: self.best.against_bps[ORDERED_BY as usize],
            ring: self.ring,
            place: self.place,
        }
    }

    /// The country that it is in, as a set.
    pub(super) fn countries(&self) -> Countries {
        let mut countries = Countries::default();
        if let Some(country) = self.country {
            countries.insert(country);
        }
        countries
    }

    /// Its supplier, as a set of numbers' last six bits.
    pub(super) const fn suppliers(&self) -> u64 {
        match self.supplier {
            Some(bits) => 1 << bits,
            None => 0,
        }
    }
}

/// What suppliers are told apart by in sets.
pub(super) const fn six_bits(supplier: SupplierId) -> u8 {
    (supplier.0 & 63) as u8
}
