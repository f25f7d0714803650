//! Replacing nodes, growing and shrinking: the rest of the cluster stays as it is.

use std::collections::BTreeSet;

use ionet_market::conditions::Missed;
use ionet_market::replace::Cluster;
use ionet_market::request::Request;
use ionet_market::scan;
use ionet_market::waste::BestFit;
use ionet_types::market::Arrangement;
use proptest::prelude::*;

use crate::world::{NOW, fleets, index_of, options, requests};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    #[test]
    fn further_nodes_fit_the_cluster(
        fleet in fleets(60),
        request in requests(),
        lost in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        count in 1_usize..4,
        seed: u64,
    ) {
        let mut index = index_of(&fleet, false);
        let request = Request { only_site: None, ..request };
        let Some(placement) = index.place(&request, seed) else { return Ok(()) };
        index.commit(&placement).unwrap();
        let mut nodes: Vec<_> = placement.nodes.iter().map(|node| node.device).collect();
        nodes.dedup();
        let mut cluster = Cluster { model: placement.model, price_micro_usd: placement.price_micro_usd, nodes, failed: BTreeSet::new() };
        for which in &lost {
            if !cluster.nodes.is_empty() {
                let device = cluster.nodes.remove(which.index(cluster.nodes.len()));
                let node = placement.nodes.iter().find(|node| node.device == device).unwrap();
                index.give(device, &node.demand, node.slot).unwrap();
                cluster.failed.insert(device);
            }
        }
        let more = index.more(&cluster, count, &request, seed);
        let devices: Vec<_> = index.iter().collect();
        let scanned = scan::more(&devices, |model| index.reference_micro_usd(model), options(false), &mut BestFit, NOW, &cluster, count, &request, seed);
        prop_assert_eq!(&more, &scanned);
        let own = Request { models: vec![cluster.model], max_price_micro_usd: Some(cluster.price_micro_usd), ..request.clone() };
        let site = |device| index.get(device).unwrap().0.site;
        let at = cluster.nodes.first().map(|head| site(*head));
        let fits = |device| {
            let (machine, free, state) = index.get(device).unwrap();
            let here = !request.same_site || at.is_none_or(|at| at.is_some() && machine.site == at);
            here && Missed::find(machine, state, &free, &own).none() && !cluster.nodes.contains(&device) && !cluster.failed.contains(&device)
        };
        if let Some(more) = more {
            prop_assert_eq!(more.len(), count);
            for node in &more {
                prop_assert!(fits(node.device), "{:?}", node);
            }
            let distinct: BTreeSet<_> = more.iter().map(|node| node.device).collect();
            prop_assert!(distinct.len() == count || request.arrangement == Some(Arrangement::Pack) && cluster.nodes.is_empty());
            for node in &more {
                index.take(node.device, &node.demand, node.slot).unwrap();
            }
        } else if !(cluster.nodes.is_empty() && request.same_site) {
            let fitting = devices.iter().filter(|(machine, ..)| fits(machine.device)).count();
            prop_assert!(fitting < count, "{} devices fit and {} were asked for", fitting, count);
        }
    }

    #[test]
    fn the_head_stays(fleet in fleets(60), request in requests(), count in 0_usize..6, seed: u64) {
        let mut index = index_of(&fleet, false);
        let Some(placement) = index.place(&request, seed) else { return Ok(()) };
        let mut nodes: Vec<_> = placement.nodes.iter().map(|node| node.device).collect();
        nodes.dedup();
        let cluster = Cluster { model: placement.model, price_micro_usd: placement.price_micro_usd, nodes, failed: BTreeSet::new() };
        let spare = index.spare(&cluster, count, &request, seed);
        prop_assert_eq!(spare.len(), count.min(cluster.nodes.len() - 1));
        let distinct: BTreeSet<_> = spare.iter().collect();
        prop_assert!(distinct.len() == spare.len() && !distinct.contains(&cluster.nodes[0]));
        prop_assert!(spare.iter().all(|device| cluster.nodes.contains(device)));
    }
}
