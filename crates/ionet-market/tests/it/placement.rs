//! What every placement keeps, and that the index answers what a scan would.

use std::collections::{BTreeMap, BTreeSet};

use ionet_market::conditions::Missed;
use ionet_market::index::Index;
use ionet_market::placed::Placement;
use ionet_market::request::Request;
use ionet_market::waste::BestFit;
use ionet_types::market::Arrangement;
use proptest::prelude::*;

use crate::world::{NOW, demands, fleets, index_of, requests, scanned, taken};

/// Whole, on devices that fulfil every condition and have the room, arranged as was asked.
pub(crate) fn is_right(index: &Index<BestFit>, request: &Request, placement: &Placement) -> Result<(), TestCaseError> {
    prop_assert_eq!(placement.nodes.len(), request.nodes as usize);
    let mut rooms = BTreeMap::new();
    let mut sites = BTreeSet::new();
    for node in &placement.nodes {
        let (machine, free, state) = index.get(node.device).unwrap();
        prop_assert_eq!(Missed::find(machine, state, &free, request), Missed::default());
        prop_assert_eq!(machine.model, placement.model);
        prop_assert_eq!(machine.site, node.site);
        prop_assert_eq!(machine.prices.of(request.lease), Some(node.price_micro_usd));
        prop_assert!(node.price_micro_usd <= placement.price_micro_usd);
        prop_assert!(node.demand.cpu_milli >= request.demand.cpu_milli && node.demand.memory_mb >= request.demand.memory_mb);
        prop_assert!(node.demand.gpus == request.demand.gpus);
        let room = rooms.entry(node.device).or_insert(free);
        prop_assert!(room.take(&node.demand, node.slot).is_ok());
        prop_assert!(machine.divisible || room.gpu_milli_sum() + room.cpu_milli + room.memory_mb + room.disk_mb == 0);
        sites.insert((node.site, if node.site.is_none() { Some(node.device) } else { None }));
    }
    prop_assert_eq!(placement.sites, sites.len());
    prop_assert!(request.arrangement == Some(Arrangement::Pack) || rooms.len() == placement.nodes.len(), "two nodes on one device");
    prop_assert!(!request.same_site || sites.len() == 1);
    prop_assert_eq!(placement.price_micro_usd, placement.nodes.iter().map(|node| node.price_micro_usd).max().unwrap());
    Ok(())
}

/// A fleet of which some is taken by earlier requests.
fn used(
    fleet: &[(ionet_market::machine::Machine, ionet_market::machine::State)],
    before: &[(Request, u64)],
    exact: bool,
) -> Index<BestFit> {
    let mut index = index_of(fleet, exact);
    for (request, seed) in before {
        if let Some(placement) = index.place(request, *seed) {
            index.commit(&placement).unwrap();
        }
    }
    index
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_index_answers_what_a_scan_would(
        fleet in fleets(40),
        before in prop::collection::vec((requests(), any::<u64>()), 0..6),
        asked in prop::collection::vec(requests(), 1..4),
        seed: u64,
        exact: bool,
    ) {
        let mut index = used(&fleet, &before, exact);
        for request in &asked {
            let fitting = index.iter().filter(|(machine, free, state)| Missed::find(machine, *state, free, request).none()).count();
            prop_assert_eq!(index.fitting(request), fitting);
            let placed = index.place(request, seed);
            prop_assert_eq!(&placed, &scanned(&index, exact, NOW, request, seed));
            prop_assert_eq!(&placed, &index.place(request, seed), "the same question, another answer");
            if let Some(placement) = &placed {
                is_right(&index, request, placement)?;
                let before: Vec<_> = placement.nodes.iter().map(|node| index.get(node.device).unwrap().1).collect();
                index.commit(placement).unwrap();
                // Taken twice is refused, and nothing of it stays.
                let devices: BTreeSet<_> = taken(placement).map(|(device, ..)| device).collect();
                let after: Vec<_> = devices.iter().map(|device| index.get(*device).unwrap().1).collect();
                if index.commit(placement).is_err() {
                    prop_assert_eq!(devices.iter().map(|device| index.get(*device).unwrap().1).collect::<Vec<_>>(), after);
                } else {
                    index.release(placement).unwrap();
                }
                index.release(placement).unwrap();
                prop_assert_eq!(placement.nodes.iter().map(|node| index.get(node.device).unwrap().1).collect::<Vec<_>>(), before);
            }
        }
    }

    /// A hundred devices and more: trees with branches.
    #[test]
    fn the_index_answers_what_a_scan_would_in_larger_networks(
        fleet in fleets(400),
        before in prop::collection::vec((requests(), any::<u64>()), 0..10),
        request in requests(),
        nodes in 1_u32..40,
        seed: u64,
    ) {
        let mut index = used(&fleet, &before, false);
        let request = Request { nodes, ..request };
        let placed = index.place(&request, seed);
        prop_assert_eq!(&placed, &scanned(&index, false, NOW, &request, seed));
        if let Some(placement) = &placed {
            is_right(&index, &request, placement)?;
        }
    }

    /// One node is refused only if no device fits it.
    #[test]
    fn what_fits_is_placed(fleet in fleets(30), request in requests(), demand in demands(), seed: u64) {
        let mut index = index_of(&fleet, false);
        let request = Request { nodes: 1, demand, ..request };
        let fitting = index.iter().filter(|(machine, free, state)| Missed::find(machine, *state, free, &request).none()).count();
        prop_assert_eq!(index.place(&request, seed).is_some(), fitting > 0);
        let many = Request { nodes: u32::try_from(fitting).unwrap() + 1, same_site: false, arrangement: None, ..request };
        prop_assert_eq!(index.place(&many, seed), None, "a cluster that is not whole");
    }
}

/// A test of placements in worlds without any would hold whatever the code does.
#[test]
fn worlds_have_something_to_place() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let (mut runner, strategy) = (TestRunner::deterministic(), (fleets(40), prop::collection::vec(requests(), 8)));
    let (mut placed, mut gangs, mut all) = (0, 0, 0);
    for _ in 0..100 {
        let (fleet, asked) = strategy.new_tree(&mut runner).unwrap().current();
        let mut index = index_of(&fleet, false);
        for request in &asked {
            let nodes = index.place(request, 1).map_or(0, |placement| placement.nodes.len());
            (placed, gangs, all) = (placed + usize::from(nodes > 0), gangs + usize::from(nodes > 1), all + 1);
        }
    }
    assert!(placed * 4 > all && gangs * 20 > all, "{placed} placed of {all}, {gangs} of them of several nodes");
}
