//! On which devices a cluster runs: filter, then rank, then take the best.

use std::collections::BTreeSet;

use ionet_types::DeviceId;
use ionet_types::hardware::HardwareModel;
use thiserror::Error;

/// After this long without a failure a device counts as good as new, seconds.
pub const FAILURE_MEMORY_SECS: i64 = 3_600;

/// A device that could be hired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Which.
    pub device: DeviceId,
    /// Its model in the price list.
    pub hardware: HardwareModel,
    /// Logical CPUs offered.
    pub cpus: u32,
    /// When a node last failed on it, unix seconds; 0 for never.
    pub failed_at_unix_secs: i64,
    /// What its past is worth, 0 to 1,000 (docs/economy.md, section 8).
    pub reputation: u32,
}

/// What is to be placed.
#[derive(Debug, Clone)]
pub struct Want<'a> {
    /// Which model.
    pub hardware: &'a HardwareModel,
    /// How many devices.
    pub quantity: u32,
    /// Devices that must not be taken: those that failed this very cluster.
    pub exclude: &'a BTreeSet<DeviceId>,
}

/// Too few devices are free.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{free} devices of this model are free, {wanted} are wanted")]
pub struct Insufficient {
    /// Devices that fit.
    pub free: u32,
    /// Devices wanted.
    pub wanted: u32,
}

/// Chooses devices from the free ones, best first. Devices that failed lately come last, those with the better reputation first, then
/// larger ones; what is equal is ordered by `seed`, so that load spreads over a large network. The order of `candidates` does not matter.
pub fn place(candidates: &[Candidate], want: &Want<'_>, seed: u64, now_unix_secs: i64) -> Result<Vec<DeviceId>, Insufficient> {
    let mut fitting: Vec<_> = candidates
        .iter()
        .filter(|candidate| candidate.hardware == *want.hardware && !want.exclude.contains(&candidate.device))
        .map(|candidate| {
            let age_secs = now_unix_secs.saturating_sub(candidate.failed_at_unix_secs);
            let failed_lately = candidate.failed_at_unix_secs != 0 && age_secs < FAILURE_MEMORY_SECS;
            (
                failed_lately,
                std::cmp::Reverse(candidate.reputation),
                std::cmp::Reverse(candidate.cpus),
                shuffle(seed, candidate.device),
                candidate.device,
            )
        })
        .collect();
    fitting.sort_unstable();
    let mut taken = BTreeSet::new();
    fitting.retain(|(.., device)| taken.insert(*device));
    let wanted = want.quantity as usize;
    if fitting.len() < wanted {
        return Err(Insufficient { free: u32::try_from(fitting.len()).unwrap_or(u32::MAX), wanted: want.quantity });
    }
    Ok(fitting.into_iter().take(wanted).map(|(.., device)| device).collect())
}

/// A device's place in a random order that `seed` names: splitmix64 over the key's words. Not a secret, only a spread.
fn shuffle(seed: u64, device: DeviceId) -> u64 {
    device.0.as_chunks::<8>().0.iter().fold(seed, |state, word| {
        let mut mixed = (state ^ u64::from_le_bytes(*word)).wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(number: u8, hardware: &str, cpus: u32, failed_at_unix_secs: i64) -> Candidate {
        Candidate { device: DeviceId([number; 32]), hardware: hardware.parse().unwrap(), cpus, failed_at_unix_secs, reputation: 500 }
    }

    #[test]
    fn devices_that_failed_lately_come_last() {
        let cpu = HardwareModel::cpu();
        let none = BTreeSet::new();
        let want = Want { hardware: &cpu, quantity: 2, exclude: &none };
        let now = 10_000;
        let candidates = [candidate(1, "cpu", 64, now - 5), candidate(2, "cpu", 2, 0), candidate(3, "cpu", 2, now - FAILURE_MEMORY_SECS)];
        let mut chosen = place(&candidates, &want, 7, now).unwrap();
        chosen.sort_unstable();
        assert_eq!(chosen, [DeviceId([2; 32]), DeviceId([3; 32])]);
    }

    #[test]
    fn the_better_reputation_comes_first() {
        let cpu = HardwareModel::cpu();
        let none = BTreeSet::new();
        let want = Want { hardware: &cpu, quantity: 1, exclude: &none };
        let known = |number, cpus, reputation| Candidate { reputation, ..candidate(number, "cpu", cpus, 0) };
        let candidates = [known(1, 64, 480), known(2, 2, 510), known(3, 8, 500)];
        for seed in 0..32 {
            assert_eq!(place(&candidates, &want, seed, 0).unwrap(), [DeviceId([2; 32])]);
        }
    }

    #[test]
    fn seeds_spread_the_load() {
        let cpu = HardwareModel::cpu();
        let none = BTreeSet::new();
        let want = Want { hardware: &cpu, quantity: 1, exclude: &none };
        let candidates: Vec<_> = (0..32).map(|number| candidate(number, "cpu", 2, 0)).collect();
        let chosen: BTreeSet<_> = (0..256).map(|seed| place(&candidates, &want, seed, 0).unwrap()[0]).collect();
        assert!(chosen.len() > 24, "{}", chosen.len());
    }

    fn candidates() -> impl Strategy<Value = Vec<Candidate>> {
        let one = (any::<u8>(), prop_oneof![Just("cpu"), Just("h100")], 1_u32..4, 0_i64..10_000);
        prop::collection::vec(one, 0..24)
            .prop_map(|list| list.into_iter().map(|(number, hardware, cpus, failed)| candidate(number, hardware, cpus, failed)).collect())
    }

    proptest! {
        #[test]
        fn placement_is_right_and_repeatable(list in candidates(), quantity in 1_u32..8, excluded in prop::collection::btree_set(any::<u8>(), 0..4), seed: u64) {
            let cpu = HardwareModel::cpu();
            let exclude: BTreeSet<_> = excluded.into_iter().map(|number| DeviceId([number; 32])).collect();
            let want = Want { hardware: &cpu, quantity, exclude: &exclude };
            let fitting: BTreeSet<_> = list
                .iter()
                .filter(|candidate| candidate.hardware == cpu && !exclude.contains(&candidate.device))
                .map(|candidate| candidate.device)
                .collect();
            let placed = place(&list, &want, seed, 9_000);
            let mut reversed = list.clone();
            reversed.reverse();
            match &placed {
                Ok(chosen) => {
                    prop_assert_eq!(chosen.len(), quantity as usize);
                    let distinct: BTreeSet<_> = chosen.iter().copied().collect();
                    prop_assert_eq!(distinct.len(), chosen.len());
                    prop_assert!(distinct.is_subset(&fitting));
                    prop_assert_eq!(&place(&reversed, &want, seed, 9_000), &placed);
                }
                Err(insufficient) => {
                    prop_assert!(insufficient.free < quantity);
                    prop_assert_eq!(insufficient.free as usize, fitting.len());
                    prop_assert_eq!(insufficient.wanted, quantity);
                }
            }
        }
    }
}
