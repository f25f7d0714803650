//! What happens to devices.

use std::hash::BuildHasher;

use ionet_types::DeviceId;

use super::summary::is_open;
use super::{Index, Record};
use crate::machine::{MAX_PRICE_MICRO_USD, Machine, Prices, State, Unusable};
use crate::names::ModelId;
use crate::score::{FAILURE_MEMORY_SECS, Ring, failed_lately};
use crate::shape::{Demand, Slot};

use super::bay::Bay;

impl<W> Index<W> {
    /// Sets a model's reference price. Devices of a model without one cannot be put. It costs as much as putting all devices of the model.
    pub fn set_reference(&mut self, model: ModelId, reference_micro_usd: u32) -> Result<(), Unusable> {
        if !(1..=MAX_PRICE_MICRO_USD).contains(&reference_micro_usd) {
            return Err(Unusable::OutOfRange("reference price"));
        }
        let at = usize::from(model.0);
        if self.bays.len() <= at {
            self.bays.resize_with(at + 1, Bay::default);
        }
        if self.bays[at].reference == reference_micro_usd {
            return Ok(());
        }
        let of_model = self.bays[at].places.clone();
        for place in &of_model {
            self.leave(*place);
        }
        self.bays[at].reference = reference_micro_usd;
        for place in of_model {
            self.enter(place);
        }
        Ok(())
    }

    /// Adds a device of which nothing is taken, or changes what is known of one. Its size cannot change while something of it is taken.
    pub fn put(&mut self, machine: Machine, state: State) -> Result<(), Unusable> {
        machine.check()?;
        if self.reference_micro_usd(machine.model).is_none() {
            return Err(Unusable::OutOfRange("model"));
        }
        let failed = failed_lately(&machine, self.now_unix_secs);
        let ring = Ring::of(machine.device, machine.site);
        let place = if let Some(place) = self.find(machine.device) {
            let known = &self.records[place as usize];
            let same_size = known.machine.whole == machine.whole && known.machine.divisible == machine.divisible;
            if !same_size && known.free != known.machine.whole {
                return Err(Unusable::Taken);
            }
            self.leave(place);
            let record = &mut self.records[place as usize];
            let old = std::mem::replace(&mut record.machine, machine);
            if !same_size {
                record.free = record.machine.whole;
            }
            (record.state, record.failed, record.ring) = (state, failed, ring);
            self.failed.remove(&(forgotten_at(&old), place));
            self.bays[usize::from(old.model.0)].strike(&mut self.records, place);
            place
        } else {
            let (device, free) = (machine.device, machine.whole);
            let record = Record { machine, free, state, failed, gone: false, ring, bin: None, in_rack: None, in_bay: 0 };
            let place = if let Some(place) = self.vacant.pop() {
                self.records[place as usize] = record;
                place
            } else {
                let place = u32::try_from(self.records.len()).map_err(|_| Unusable::Full)?;
                self.records.push(record);
                place
            };
            let (records, hasher) = (&self.records, &self.hasher);
            let hash = hasher.hash_one(device);
            self.by_device.insert_unique(hash, place, |place| hasher.hash_one(records[*place as usize].machine.device));
            self.len += 1;
            place
        };
        let machine = &self.records[place as usize].machine;
        if failed {
            self.failed.insert((forgotten_at(machine), place));
        }
        self.bays[usize::from(machine.model.0)].enlist(&mut self.records, place);
        self.enter(place);
        Ok(())
    }

    /// Forgets a device; whether it was known.
    pub fn remove(&mut self, device: DeviceId) -> bool {
        let Some(place) = self.find(device) else { return false };
        self.leave(place);
        let records = &self.records;
        let hash = self.hasher.hash_one(device);
        if let Ok(entry) = self.by_device.find_entry(hash, |place| records[*place as usize].machine.device == device) {
            entry.remove();
        }
        let record = &mut self.records[place as usize];
        record.gone = true;
        self.failed.remove(&(forgotten_at(&record.machine), place));
        self.bays[usize::from(record.machine.model.0)].strike(&mut self.records, place);
        self.vacant.push(place);
        self.len -= 1;
        true
    }

    /// A part of a device was taken, here or elsewhere. One that is given whole is taken whole, whatever the demand.
    pub fn take(&mut self, device: DeviceId, demand: &Demand, slot: Slot) -> Result<(), Unusable> {
        self.change(device, |record| record.free.take(demand, slot).map_err(Unusable::from))
    }

    /// What was taken came back.
    pub fn give(&mut self, device: DeviceId, demand: &Demand, slot: Slot) -> Result<(), Unusable> {
        self.change(device, |record| record.free.give(demand, slot, &record.machine.whole).map_err(Unusable::from))
    }

    /// A device may be hired from now on, or not.
    pub fn set_state(&mut self, device: DeviceId, state: State) -> Result<(), Unusable> {
        self.change(device, |record| {
            record.state = state;
            Ok(())
        })
    }

    /// What a device is worth changed: its prices, its reputation, its predicted survival.
    pub fn rate(&mut self, device: DeviceId, prices: Prices, reputation: u16, survival_bps: [u16; 4]) -> Result<(), Unusable> {
        self.change(device, |record| {
            let machine = Machine { prices, reputation, survival_bps, ..record.machine.clone() };
            machine.check()?;
            record.machine = machine;
            Ok(())
        })
    }

    /// Prices of a model changed: `prices` says which devices of it have new ones. Returns how many that were. Prices that the market
    /// does not take are left out.
    pub fn reprice(&mut self, model: ModelId, mut prices: impl FnMut(&Machine) -> Option<Prices>) -> usize {
        let of_model = self.bays.get(usize::from(model.0)).map(|bay| bay.places.clone()).unwrap_or_default();
        let mut changed = 0;
        for place in of_model {
            let machine = &self.records[place as usize].machine;
            let Some(new) = prices(machine).filter(|new| *new != machine.prices) else { continue };
            if (Machine { prices: new, ..machine.clone() }).check().is_ok() {
                self.leave(place);
                self.records[place as usize].machine.prices = new;
                self.enter(place);
                changed += 1;
            }
        }
        changed
    }

    /// A node failed on a device.
    pub fn failed(&mut self, device: DeviceId, at_unix_secs: i64) -> Result<(), Unusable> {
        let (machine, _, state) = self.get(device).ok_or(Unusable::Unknown)?;
        let machine = Machine { failed_at_unix_secs: at_unix_secs, ..machine.clone() };
        self.put(machine, state)
    }

    /// It is later now: failures that are old enough are forgotten. A clock that goes back is waited for.
    pub fn advance(&mut self, now_unix_secs: i64) {
        self.now_unix_secs = self.now_unix_secs.max(now_unix_secs);
        while let Some((forgotten_at, place)) = self.failed.first().copied().filter(|(at, _)| *at <= self.now_unix_secs) {
            self.failed.remove(&(forgotten_at, place));
            self.leave(place);
            self.records[place as usize].failed = false;
            self.enter(place);
        }
    }

    fn change(&mut self, device: DeviceId, change: impl FnOnce(&mut Record) -> Result<(), Unusable>) -> Result<(), Unusable> {
        let place = self.find(device).ok_or(Unusable::Unknown)?;
        self.leave(place);
        let done = change(&mut self.records[place as usize]);
        self.enter(place);
        done
    }

    fn enter(&mut self, place: u32) {
        let record = &self.records[place as usize];
        if is_open(record) {
            let bay = &mut self.bays[usize::from(record.machine.model.0)];
            bay.enter(&mut self.records, place, self.options.outline_bits);
        }
    }

    fn leave(&mut self, place: u32) {
        let model = self.records[place as usize].machine.model;
        self.bays[usize::from(model.0)].leave(&mut self.records, place, self.options.outline_bits);
    }

    /// Where a device's record is.
    pub(crate) fn find(&self, device: DeviceId) -> Option<u32> {
        let hash = self.hasher.hash_one(device);
        self.by_device.find(hash, |place| self.records[*place as usize].machine.device == device).copied()
    }
}

fn forgotten_at(machine: &Machine) -> i64 {
    machine.failed_at_unix_secs.saturating_add(FAILURE_MEMORY_SECS)
}
