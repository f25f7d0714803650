//! When devices are tested: those that might be one machine behind many keys at the same instant, so that the machine would have to do all of
//! their work in the time of one.
//!
//! Which devices might be one is for the caller to say, by their origins: the owner, the network that they connect from, anything that they
//! share. Sharing is passed on: whoever shares an origin with a device that shares another with a third is in one group with it.

use std::collections::{BTreeMap, HashMap};

use blake3::Hasher;

use crate::random::below;

/// Something that devices may have in common, such as a hash of the owner or of the network address.
pub type Origin = [u8; 32];

/// A device that is due for a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its public key.
    pub device: [u8; 32],
    /// What it may have in common with others.
    pub origins: Vec<Origin>,
    /// From when it may be tested, in milliseconds of the hub's clock.
    pub from_ms: u64,
    /// Until when it must have begun; not before `from_ms`.
    pub until_ms: u64,
}

/// An instant and who is tested at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// When, in milliseconds of the hub's clock.
    pub at_ms: u64,
    /// Whom, in the order of their keys.
    pub devices: Vec<[u8; 32]>,
}

/// When each device is tested: within its own time, a whole group at as few instants as the times of its devices allow, and otherwise at
/// random. `seed` is random and the hub's secret until then; without it nobody knows when a test comes. In order of time.
pub fn schedule(due: &[Due], seed: &[u8; 32]) -> Vec<Slot> {
    let mut slots = Vec::new();
    for mut group in groups(due) {
        // The fewest instants that meet every span: always as late as the first to end allows, with all that have begun by then.
        group.sort_by_key(|due| (due.until_ms.max(due.from_ms), due.device));
        while let Some(first) = group.first() {
            let last_ms = first.until_ms.max(first.from_ms);
            let (now, later): (Vec<&Due>, Vec<&Due>) = group.into_iter().partition(|due| due.from_ms <= last_ms);
            let begin_ms = now.iter().map(|due| due.from_ms).max().unwrap_or(last_ms);
            let mut devices: Vec<[u8; 32]> = now.iter().map(|due| due.device).collect();
            devices.sort_unstable();
            devices.dedup();
            slots.push(Slot { at_ms: begin_ms + below(random(seed, &devices), (last_ms - begin_ms).saturating_add(1)), devices });
            group = later;
        }
    }
    slots.sort_by(|one, other| (one.at_ms, &one.devices).cmp(&(other.at_ms, &other.devices)));
    slots
}

fn random(seed: &[u8; 32], devices: &[[u8; 32]]) -> u64 {
    let mut number = [0; 8];
    Hasher::new_keyed(seed).update(devices.as_flattened()).finalize_xof().fill(&mut number);
    u64::from_le_bytes(number)
}

/// The groups of devices that are connected by origins.
fn groups(due: &[Due]) -> Vec<Vec<&Due>> {
    let mut parents: Vec<usize> = (0..due.len()).collect();
    let mut first_with: HashMap<&[u8; 32], usize> = HashMap::new();
    for (number, device) in due.iter().enumerate() {
        // The same device twice is one, too.
        for origin in device.origins.iter().chain([&device.device]) {
            let other = *first_with.entry(origin).or_insert(number);
            let (one, other) = (root(&mut parents, number), root(&mut parents, other));
            if let Some(parent) = parents.get_mut(one.max(other)) {
                *parent = one.min(other);
            }
        }
    }
    let mut groups: BTreeMap<usize, Vec<&Due>> = BTreeMap::new();
    for (number, device) in due.iter().enumerate() {
        groups.entry(root(&mut parents, number)).or_default().push(device);
    }
    groups.into_values().collect()
}

/// The group's first member; the way to it is halved on the way.
fn root(parents: &mut [usize], mut number: usize) -> usize {
    while parents[number] != number {
        parents[number] = parents[parents[number]];
        number = parents[number];
    }
    number
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn due(device: u8, origins: &[u8], from_ms: u64, until_ms: u64) -> Due {
        Due { device: [device; 32], origins: origins.iter().map(|origin| [100 + origin; 32]).collect(), from_ms, until_ms }
    }

    #[test]
    fn devices_of_one_origin_are_tested_at_one_instant() {
        let devices: Vec<Due> = (0..20).map(|device| due(device, &[device % 2], u64::from(device), 1_000)).collect();
        let slots = schedule(&devices, &[1; 32]);
        assert_eq!(slots.len(), 2);
        assert!(slots.iter().all(|slot| slot.devices.len() == 10 && (19..=1_000).contains(&slot.at_ms) || slot.at_ms >= 18));
        assert_ne!(schedule(&devices, &[2; 32]), slots, "another seed, another time");
    }

    #[test]
    fn sharing_is_passed_on() {
        let devices = [due(1, &[1], 0, 100), due(2, &[1, 2], 0, 100), due(3, &[2], 0, 100), due(4, &[], 0, 100), due(5, &[], 0, 100)];
        let mut sizes: Vec<usize> = schedule(&devices, &[1; 32]).iter().map(|slot| slot.devices.len()).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [1, 1, 3]);
    }

    #[test]
    fn times_that_do_not_meet_need_two_instants() {
        let devices = [due(1, &[1], 0, 100), due(2, &[1], 50, 200), due(3, &[1], 150, 300)];
        let slots = schedule(&devices, &[1; 32]);
        assert_eq!(slots.iter().map(|slot| slot.devices.len()).collect::<Vec<_>>(), [2, 1]);
    }

    prop_compose! {
        fn any_due()(device: u8, origins in prop::collection::vec(0u8..6, 0..3), from_ms in 0u64..500, long in 0u64..300) -> Due {
            due(device, &origins, from_ms, from_ms + long)
        }
    }

    proptest! {
        #[test]
        fn everyone_is_tested_once_in_time_and_groups_at_the_fewest_instants(
            list in prop::collection::vec(any_due(), 0..40),
            seed: [u8; 32],
        ) {
            let mut list = list;
            list.sort_by_key(|due| due.device);
            list.dedup_by_key(|due| due.device);
            let slots = schedule(&list, &seed);
            let mut tested: Vec<[u8; 32]> = slots.iter().flat_map(|slot| slot.devices.clone()).collect();
            tested.sort_unstable();
            prop_assert!(tested.iter().eq(list.iter().map(|due| &due.device)), "everyone once");
            let at = |device: &[u8; 32]| slots.iter().position(|slot| slot.devices.contains(device)).unwrap();
            for one in &list {
                prop_assert!((one.from_ms..=one.until_ms).contains(&slots[at(&one.device)].at_ms), "in time");
            }
            for slot in &slots {
                // A slot that could have been joined to another of its group was not needed.
                let span = |slot: &Slot| {
                    let of = || list.iter().filter(|due| slot.devices.contains(&due.device));
                    (of().map(|due| due.from_ms).max().unwrap(), of().map(|due| due.until_ms).min().unwrap())
                };
                let origins = |slot: &Slot| {
                    let of = list.iter().filter(|due| slot.devices.contains(&due.device));
                    of.flat_map(|due| due.origins.clone()).collect::<std::collections::HashSet<_>>()
                };
                for other in slots.iter().filter(|other| *other != slot && !origins(slot).is_disjoint(&origins(other))) {
                    let ((from, until), (other_from, other_until)) = (span(slot), span(other));
                    prop_assert!(from.max(other_from) > until.min(other_until), "two instants where one was enough");
                }
            }
            let mut turned = list.clone();
            turned.reverse();
            prop_assert_eq!(schedule(&turned, &seed), slots, "the order in which devices come in changes nothing");
        }
    }
}
