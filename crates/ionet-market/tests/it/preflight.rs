//! Preflight: counts add up, relaxations that are offered succeed, and the nearest one is the nearest.

use ionet_market::conditions::{Condition, Missed};
use ionet_market::preflight::Change;
use ionet_market::request::Request;
use proptest::prelude::*;

use crate::placement::is_right;
use crate::world::{fleets, index_of, requests};

/// The request without this condition, where a customer can drop it.
fn without(request: &Request, condition: Condition) -> Option<Request> {
    let plain = Request::plain(request.models.clone(), request.demand, request.nodes, request.minutes);
    let mut other = request.clone();
    match condition {
        Condition::Supplier => other.supplier = None,
        Condition::Country => other.countries = None,
        Condition::NotCountry => other.not_countries = plain.not_countries,
        Condition::Compliance => other.compliance = 0,
        Condition::Security => other.min_security = plain.min_security,
        Condition::Renewable => other.renewable = false,
        Condition::Tier => other.min_tier = plain.min_tier,
        Condition::Vram => other.min_vram_mb = 0,
        Condition::Cpus => other.demand.cpu_milli = 0,
        Condition::Memory => other.demand.memory_mb = 0,
        Condition::Disk => other.demand.disk_mb = 0,
        Condition::MinimumHire => other.minutes = 100_000,
        Condition::Price => other.max_price_micro_usd = None,
        Condition::Reputation => other.min_reputation = 0,
        Condition::Site => other.only_site = None,
        Condition::Excluded => other.exclude.clear(),
        Condition::Model | Condition::Hireable | Condition::Gpus | Condition::Lease | Condition::Free => return None,
    }
    Some(other)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn counts_add_up_and_relaxations_succeed(fleet in fleets(40), before in prop::collection::vec((requests(), any::<u64>()), 0..6), request in requests(), seed: u64) {
        let mut index = index_of(&fleet, false);
        for (request, seed) in &before {
            if let Some(placement) = index.place(request, *seed) {
                index.commit(&placement).unwrap();
            }
        }
        let preflight = index.preflight(&request, seed);
        let fits = |request: &Request| index.iter().filter(|(machine, free, state)| Missed::find(machine, *state, free, request).none()).count();
        prop_assert_eq!(preflight.devices, fleet.len());
        prop_assert_eq!(preflight.fitting, fits(&request));
        prop_assert_eq!(preflight.fitting + preflight.excluded.iter().map(|excluded| excluded.devices).sum::<usize>(), fleet.len());
        prop_assert_eq!(preflight.offers.iter().map(|offer| offer.devices).sum::<usize>(), preflight.fitting);
        prop_assert!(preflight.offers.is_sorted_by_key(|offer| offer.from_micro_usd));
        prop_assert!(preflight.excluded.is_sorted_by_key(|excluded| excluded.condition));
        for excluded in &preflight.excluded {
            if let Some(other) = without(&request, excluded.condition) {
                prop_assert_eq!(fits(&other), preflight.fitting + excluded.alone, "{:?}", excluded);
            }
        }
        prop_assert_eq!(&preflight.placement, &index.place(&request, seed));
        prop_assert!(preflight.placement.is_none() || preflight.relaxations.is_empty());
        let by_changes = preflight.relaxations.chunk_by(|left, right| left.changes.len() == right.changes.len());
        for relaxations in by_changes {
            prop_assert!(relaxations.is_sorted_by_key(|relaxation| relaxation.placement.price_micro_usd));
        }
        prop_assert!(preflight.relaxations.is_sorted_by_key(|relaxation| relaxation.changes.len()));
        for relaxation in &preflight.relaxations {
            prop_assert!((1..=2).contains(&relaxation.changes.len()));
            let changed = relaxation.changes.iter().fold(request.clone(), |request, change| change.of(&request));
            prop_assert_eq!(&changed, &relaxation.request);
            prop_assert!(changed != request);
            is_right(&index, &changed, &relaxation.placement)?;
            let placed = index.place(&changed, seed);
            prop_assert_eq!(placed.as_ref(), Some(&relaxation.placement));
        }
    }

    /// A hair less than what is offered is not enough, and if dropping a condition helps, weakening it is offered.
    #[test]
    fn the_nearest_relaxation_is_the_nearest(fleet in fleets(40), request in requests(), seed: u64) {
        let mut index = index_of(&fleet, false);
        let preflight = index.preflight(&request, seed);
        let changes: Vec<Change> = preflight.relaxations.iter().filter(|one| one.changes.len() == 1).map(|one| one.changes[0]).collect();
        for change in &changes {
            let nearer = match *change {
                Change::Price(price) => Change::Price(price - 1),
                Change::Reputation(reputation) => Change::Reputation(reputation + 1),
                Change::Vram(vram_mb) => Change::Vram(vram_mb + 1),
                Change::Cpus(milli) => Change::Cpus(milli + 1),
                Change::Memory(memory_mb) => Change::Memory(memory_mb + 1),
                Change::Disk(disk_mb) => Change::Disk(disk_mb + 1),
                Change::Minutes(minutes) => Change::Minutes(minutes - 1),
                Change::Nodes(nodes) => Change::Nodes(nodes + 1),
                _ => continue,
            };
            prop_assert_eq!(index.place(&nearer.of(&request), seed), None, "{:?} would do instead of {:?}", nearer, change);
        }
        if preflight.placement.is_none() {
            for condition in Condition::ALL.into_iter().filter(|condition| !matches!(condition, Condition::Site | Condition::Excluded)) {
                if let Some(other) = without(&request, condition).filter(|other| index.place(other, seed).is_some()) {
                    let offered = changes.iter().any(|change| change.field() == condition.code());
                    prop_assert!(offered, "{:?} would help and is not offered for {:?}", condition, other);
                }
            }
            let fewer = (1..request.nodes).rev().find(|nodes| index.place(&Change::Nodes(*nodes).of(&request), seed).is_some());
            prop_assert_eq!(fewer.map(Change::Nodes), changes.iter().find(|change| matches!(change, Change::Nodes(_))).copied());
        }
    }
}
