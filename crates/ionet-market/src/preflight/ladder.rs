//! How far devices are from a condition, and the condition weakened so far.

use std::collections::BTreeMap;

use ionet_types::market::{Countries, Country, Region, Security, Tier};

use super::Change;
use crate::conditions::Condition;
use crate::index::Record;
use crate::machine::MAX_PRICE_MICRO_USD;
use crate::request::Request;

/// Whether the condition has a number, so that it can be weakened step by step.
pub(super) fn is_number(condition: Condition) -> bool {
    at(condition, u32::MAX).is_some()
}

/// How far a device is from a condition: the further, the more the condition has to be weakened; never nearer than what is asked.
pub(super) fn nearness(condition: Condition, record: &Record, request: &Request) -> u32 {
    let (machine, demand) = (&record.machine, &request.demand);
    match condition {
        Condition::Security => u32::MAX - machine.security.min(request.min_security) as u32,
        Condition::Tier => u32::MAX - machine.tier.min(request.min_tier) as u32,
        Condition::Vram => u32::MAX - machine.vram_mb.min(request.min_vram_mb),
        Condition::Cpus => u32::MAX - record.free.cpu_milli.min(demand.cpu_milli),
        Condition::Memory => u32::MAX - record.free.memory_mb.min(demand.memory_mb),
        Condition::Disk => u32::MAX - record.free.disk_mb.min(demand.disk_mb),
        Condition::MinimumHire => machine.min_hire_minutes.max(request.minutes),
        Condition::Price => machine.prices.of(request.lease).unwrap_or(MAX_PRICE_MICRO_USD).max(request.max_price_micro_usd.unwrap_or(0)),
        Condition::Reputation => u32::MAX - u32::from(machine.reputation.min(request.min_reputation)),
        _ => 0,
    }
}

/// The condition weakened for all devices that are no further than this; `None` for conditions without a number.
pub(super) fn at(condition: Condition, nearness: u32) -> Option<Change> {
    let least = u32::MAX - nearness;
    Some(match condition {
        Condition::Security => {
            let levels = [Security::Process, Security::Container, Security::VirtualMachine, Security::Confidential];
            Change::Security(*levels.get(least as usize)?)
        }
        Condition::Tier => Change::Tier(*[Tier::None, Tier::Low, Tier::Medium, Tier::High, Tier::UltraHigh].get(least as usize)?),
        Condition::Vram => Change::Vram(least),
        Condition::Cpus => Change::Cpus(least),
        Condition::Memory => Change::Memory(least),
        Condition::Disk => Change::Disk(least),
        Condition::MinimumHire => Change::Minutes(nearness),
        Condition::Price => Change::Price(nearness),
        Condition::Reputation => Change::Reputation(u16::try_from(least).ok()?),
        _ => return None,
    })
}

/// Regions in which some of these devices are, those first that add fewest countries; then any country.
pub(super) fn wider<'r>(wanted: Countries, records: impl Iterator<Item = &'r Record>) -> Vec<Change> {
    let there = countries(records).0.without(wanted);
    let mut regions: Vec<Region> = Region::ALL.into_iter().filter(|region| there.without(region.countries()) != there).collect();
    regions.sort_by_key(|region| region.countries().without(wanted).iter().count());
    regions.into_iter().map(Change::Region).chain([Change::Anywhere]).collect()
}

/// The region in which all of these devices are that are not where they were wanted; if there is none, any country.
pub(super) fn wide_enough<'r>(wanted: Countries, records: impl Iterator<Item = &'r Record>) -> Change {
    let (there, unknown) = countries(records);
    let regions = Region::ALL.into_iter().filter(|region| there.without(wanted).without(region.countries()).is_empty() && !unknown);
    regions.min_by_key(|region| region.countries().without(wanted).iter().count()).map_or(Change::Anywhere, Change::Region)
}

/// Countries of devices, and whether that of one is not known.
pub(super) fn countries<'r>(records: impl Iterator<Item = &'r Record>) -> (Countries, bool) {
    let (mut there, mut unknown) = (Countries::default(), false);
    for record in records {
        match record.machine.country {
            Some(country) => there.insert(country),
            None => unknown = true,
        }
    }
    (there, unknown)
}

/// Excluded countries in which these devices are, one at a time, those first that have most; then all.
pub(super) fn fewer<'r>(records: impl Iterator<Item = &'r Record>) -> Vec<Change> {
    let mut counts: BTreeMap<Country, usize> = BTreeMap::new();
    for country in records.filter_map(|record| record.machine.country) {
        *counts.entry(country).or_default() += 1;
    }
    let mut countries: Vec<(Country, usize)> = counts.into_iter().collect();
    countries.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    countries.into_iter().map(|(country, _)| Change::Country(country)).chain([Change::Nowhere]).collect()
}
