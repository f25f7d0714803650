//! The market at work: conditions, floors, signed quotes, prices that move, and what is learnt.

use ed25519_dalek::SigningKey;
use ionet_hub::HubError;
use ionet_types::clusters::{BookRequest, ClusterStatus, NodePhase};
use ionet_types::hardware::HardwareModel;
use ionet_types::market::{Attestation, Compliance, Lease, Location, Region, Requirements, SetTermsRequest};
use ionet_types::quotes::QuoteRequest;
use ionet_types::{Address, BaseUnits, Currency, MicroUsd};

use crate::agent::{Device, TestAgent};
use crate::world::{Customer, World, address, sign_in, wait_for};

fn wanted(quantity: u32, requirements: Requirements) -> QuoteRequest {
    QuoteRequest { requirements, ..QuoteRequest::new(HardwareModel::cpu(), quantity, 60, Currency::Usdc) }
}

fn place(country: &str, site: &str) -> Location {
    let known = !country.is_empty();
    Location { country: known.then(|| country.parse().unwrap()), site: known.then(|| site.parse().unwrap()) }
}

/// Devices at these places, of these owners.
async fn devices(world: &World, list: &[(&str, &str, Option<Address>)]) -> Vec<TestAgent> {
    let start = |(country, site, owner): &(&str, &str, Option<Address>)| {
        let device = Device { location: place(country, site), owner: *owner, ..Device::default() };
        TestAgent::start_as(&world.hub, SigningKey::from_bytes(&rand::random()), device)
    };
    let agents: Vec<_> = list.iter().map(start).collect();
    wait_for("the agents to connect", async || (world.hub.agents().connected() >= list.len()).then_some(())).await;
    agents
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: Result<T, HubError>, code: &str, field: Option<&str>) -> String {
    let error = result.unwrap_err();
    assert_eq!((error.code(), error.of_field()), (code, field), "{error}");
    error.to_string()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conditions_are_kept_and_what_is_in_the_way_is_said() {
    let world = World::open().await;
    let agents = devices(&world, &[("DE", "fra", None), ("FR", "par", None), ("US", "nyc", None), ("", "", None)]).await;
    let customer = world.customer().await;
    let eu = || Requirements { regions: vec![Region::Eu], ..Requirements::default() };

    let found = world.hub.preflight(&wanted(2, eu())).await.unwrap();
    assert!(found.fits && found.relaxations.is_empty(), "{found:?}");
    assert_eq!((found.devices, found.fitting), (4, 2));
    assert_eq!(
        found.excluded.iter().map(|one| (one.condition.as_str(), one.devices, one.alone)).collect::<Vec<_>>(),
        [("countries", 2, 2)]
    );
    let more = world.hub.preflight(&wanted(3, eu())).await.unwrap();
    assert!(!more.fits && !more.relaxations.is_empty());
    assert_eq!(more.fitting + more.excluded.iter().map(|one| one.devices).sum::<u32>(), more.devices);
    let help: Vec<_> = more.relaxations[0].changes.iter().map(|change| change.field.as_str()).collect();
    assert!(["countries", "quantity"].contains(&help[0]), "{help:?}");

    let book = |quantity, requirements| BookRequest::new(wanted(quantity, requirements));
    let short = refused(world.hub.cluster_book(&customer.caller, &book(3, eu()), None).await, "capacity_insufficient", None);
    assert!(short.contains("2 devices") && short.contains("3 are wanted"), "{short}");
    let booked = world.hub.cluster_book(&customer.caller, &book(2, eu()), None).await.unwrap();
    let chosen: Vec<_> = booked.cluster.nodes.iter().map(|node| node.device).collect();
    assert!(chosen.contains(&agents[0].id()) && chosen.contains(&agents[1].id()), "{chosen:?}");
    assert_eq!(booked.cluster.requirements, eu());
    // They are taken now.
    assert_eq!(world.hub.preflight(&wanted(1, eu())).await.unwrap().fitting, 0);

    // What no market could serve is refused with the field's name, before anything is reserved.
    let europe_but =
        Requirements { not_countries: vec!["DE".parse().unwrap()], countries: vec!["DE".parse().unwrap()], ..Requirements::default() };
    refused(world.hub.quote(&wanted(1, europe_but)).await, "field_out_of_range", Some("not_countries"));
    let gpus = Requirements { gpus_per_node: Some(2), ..Requirements::default() };
    refused(world.hub.quote(&wanted(1, gpus)).await, "field_out_of_range", Some("gpus_per_node"));
    let unknown = Requirements { or_hardware: vec!["abacus".parse().unwrap()], ..Requirements::default() };
    let said = refused(world.hub.quote(&wanted(1, unknown)).await, "hardware_unknown", Some("or_hardware"));
    assert!(said.contains("allowed"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suppliers_are_paid_what_they_ask_and_quotes_are_kept() {
    let world = World::open().await;
    let (supplier, customer) = (world.customer().await, world.customer().await);
    let owner = Some(address(&supplier.wallet));
    let agents = devices(&world, &[("DE", "fra", owner), ("DE", "fra", owner)]).await;
    let floor = |micro_usd: u64| SetTermsRequest { strategy: Some(format!("[[floors]]\nfloor_micro_usd = {micro_usd}\n")) };

    // Only the owner may say what a device asks, and nonsense is refused with the place where it is.
    refused(world.hub.device_terms_set(&customer.caller, agents[0].id(), &floor(1)).await, "device_not_yours", None);
    refused(world.hub.device_terms(&customer.caller, agents[0].id()).await, "device_not_yours", None);
    let nonsense = SetTermsRequest { strategy: Some("[[floors]]\nfloor_micro_usd = 1\nfollow_bps = 60000\n".to_owned()) };
    let said =
        refused(world.hub.device_terms_set(&supplier.caller, agents[0].id(), &nonsense).await, "field_out_of_range", Some("strategy"));
    assert!(said.contains("follow_bps"), "{said}");
    let terms = world.hub.device_terms_set(&supplier.caller, agents[0].id(), &floor(200_000)).await.unwrap();
    assert_eq!(terms, world.hub.device_terms(&supplier.caller, agents[0].id()).await.unwrap());

    // One node goes to the cheaper device; two are paid what the dearer one asks.
    let quote = async |quantity| world_quote(&world, wanted(quantity, Requirements::default())).await;
    let (one, two) = (quote(1).await, quote(2).await);
    assert_eq!((one.rate_micro_usd, two.rate_micro_usd), (MicroUsd(115_000), MicroUsd(200_000)));
    let cheap = Requirements { max_price_micro_usd: Some(MicroUsd(150_000)), ..Requirements::default() };
    let found = world.hub.preflight(&wanted(2, cheap)).await.unwrap();
    assert_eq!(found.excluded[0].condition, "max_price_micro_usd");
    assert!(found.relaxations.iter().any(|help| help.changes[0].detail.contains("0.20")), "{:?}", found.relaxations);

    // A quote that was given is kept although the cheap device is dearer by now; not for other terms, not changed, not for ever.
    let booking = |quote: &ionet_types::quotes::Quote, quantity| BookRequest {
        quote: Some(quote.signed.clone()),
        ..BookRequest::new(wanted(quantity, Requirements::default()))
    };
    world.hub.device_terms_set(&supplier.caller, agents[1].id(), &floor(190_000)).await.unwrap();
    let kept = world.hub.cluster_book(&customer.caller, &booking(&two, 2), None).await.unwrap();
    assert_eq!(kept.cluster.rate_micro_usd, MicroUsd(200_000));
    customer.submit(&kept.transaction).await.unwrap();
    assert_eq!(customer.reaches(kept.cluster.id, ClusterStatus::Booked).await.rate_micro_usd, MicroUsd(200_000));
    refused(world.hub.cluster_book(&customer.caller, &booking(&two, 1), None).await, "quote_invalid", Some("quote"));
    let mut changed = booking(&two, 2);
    let signed = changed.quote.as_mut().unwrap();
    signed.text = signed.text.replace("200000", "100000");
    refused(world.hub.cluster_book(&customer.caller, &changed, None).await, "quote_invalid", Some("quote"));
    let key = world.hub.network().await.unwrap().quote_key;
    assert_eq!(two.signed.verify(&key).unwrap().rate, BaseUnits(200_000));
    assert!(two.signed.verify(&Address([7; 32])).is_err());
    world.advance_secs(121).await;
    refused(world.hub.cluster_book(&customer.caller, &booking(&two, 2), None).await, "quote_expired", Some("quote"));
}

async fn world_quote(world: &World, request: QuoteRequest) -> ionet_types::quotes::Quote {
    world.hub.quote(&request).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_whose_devices_ask_for_more_by_now_is_not_kept() {
    let world = World::open().await;
    let (supplier, customer) = (world.customer().await, world.customer().await);
    let agents = devices(&world, &[("DE", "fra", Some(address(&supplier.wallet)))]).await;
    let quote = world_quote(&world, wanted(1, Requirements::default())).await;
    let strategy = Some(r#"{"floors":[{"floor_micro_usd":115001}]}"#.to_owned());
    world.hub.device_terms_set(&supplier.caller, agents[0].id(), &SetTermsRequest { strategy }).await.unwrap();
    let request = BookRequest { quote: Some(quote.signed), ..BookRequest::new(wanted(1, Requirements::default())) };
    refused(world.hub.cluster_book(&customer.caller, &request, None).await, "quote_expired", None);
    // Nothing stays reserved, and taking the terms back brings the price back.
    world.hub.device_terms_set(&supplier.caller, agents[0].id(), &SetTermsRequest { strategy: None }).await.unwrap();
    assert_eq!(world_quote(&world, wanted(1, Requirements::default())).await.rate_micro_usd, MicroUsd(115_000));
    world.hub.cluster_book(&customer.caller, &request, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_operator_attests_blocks_and_unblocks() {
    let mut world = World::open().await;
    let customer = world.customer().await;
    let agents = devices(&world, &[("DE", "fra", Some(address(&customer.wallet))), ("DE", "fra", None)]).await;
    let operator = sign_in(&world.hub, &world.operates).await;
    let soc2 = || Requirements { compliance: vec![Compliance::Soc2], renewable: true, ..Requirements::default() };
    let attestation =
        Attestation { compliance: vec![Compliance::Soc2, Compliance::Gdpr], renewable: true, supplier: Some("nordic".parse().unwrap()) };
    let id = agents[0].id();

    // Not even the owner says it of its own device.
    refused(world.hub.device_attest(&customer.caller, id, &attestation).await, "operator_only", None);
    refused(world.hub.device_block(&customer.caller, id).await, "operator_only", None);
    refused(world.hub.device_unblock(&customer.caller, id).await, "operator_only", None);
    assert!(!world.hub.preflight(&wanted(1, soc2())).await.unwrap().fits);
    let device = world.hub.device_attest(&operator, id, &attestation).await.unwrap();
    assert_eq!(device.attestation, Some(attestation.clone()));
    assert!(world.hub.preflight(&wanted(1, soc2())).await.unwrap().fits);
    let nordic = Requirements { supplier: Some("nordic".parse().unwrap()), ..soc2() };
    assert_eq!(world.hub.preflight(&wanted(2, nordic)).await.unwrap().fitting, 1);

    world.hub.device_block(&operator, id).await.unwrap();
    let blocked = world.hub.preflight(&wanted(1, soc2())).await.unwrap();
    assert_eq!((blocked.fits, blocked.fitting), (false, 0));
    world.hub.device_unblock(&operator, id).await.unwrap();
    world.hub.device_unblock(&operator, id).await.unwrap();
    assert!(world.hub.preflight(&wanted(1, soc2())).await.unwrap().fits);

    // It outlasts the hub.
    let hub = {
        world.restart_hub().await;
        world.hub.clone()
    };
    let mut agents = agents;
    for agent in &mut agents {
        agent.connect(&hub).await;
    }
    wait_for("the agents to be back", async || (hub.agents().connected() == 2).then_some(())).await;
    assert!(hub.preflight(&wanted(1, soc2())).await.unwrap().fits);
    assert_eq!(hub.device_show(id).await.unwrap().attestation, Some(attestation));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_follow_the_market_in_small_steps_and_are_published() {
    let mut world = World::market().await;
    let _agents = world.agents(3).await;
    let customer = world.customer().await;
    let price = async |world: &World| {
        let board = world.hub.price_board().await.unwrap();
        assert!(board.follows_market);
        board.items.iter().find(|price| price.hardware == HardwareModel::cpu() && price.region == "unknown").cloned()
    };
    let first = wait_for("the devices to be known", async || price(&world).await).await;
    let _ = customer.running(3, 600, Currency::Usdc).await;
    let mut last = first.price_micro_usd.0;
    for _ in 0..70 {
        world.advance_secs(60).await;
        let now = price(&world).await.unwrap();
        assert!(now.price_micro_usd.0.abs_diff(last) <= last * 5 / 100 / 60 + 2, "{now:?} after {last}");
        last = now.price_micro_usd.0;
    }
    let now = price(&world).await.unwrap();
    assert_eq!((now.offered_milli, now.hired_milli), (3_000, 3_000));
    assert!(now.utilisation_bps > first.utilisation_bps || now.utilisation_bps >= 7_000, "{now:?}");
    let history = world.hub.price_history(Some(&HardwareModel::cpu()), false).unwrap();
    assert!(!history.items.is_empty() && history.items[0].offered_milli_hours > 0, "{history:?}");
    refused(world.hub.price_history(Some(&"abacus".parse().unwrap()), false), "hardware_unknown", Some("hardware"));

    world.restart_hub().await;
    assert_eq!(world.hub.price_history(Some(&HardwareModel::cpu()), false).unwrap(), history);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hire_is_remembered_with_its_outcome() {
    let world = World::open().await;
    let agents = world.agents(3).await;
    let customer: Customer = world.customer().await;
    let cluster = customer.running(2, 120, Currency::Usdc).await;
    let store = ionet_store::Store::open(&world.dir.path().join("hub.db")).await.unwrap();
    let open = wait_for("the hires", async || Some(store.hires_open().await.unwrap()).filter(|open| open.len() == 2)).await;
    assert!(open.iter().all(|hire| hire.cluster_id == cluster.id && hire.minutes_hired == 120), "{open:?}");

    // One fails for good and is replaced; the rest serve until the customer ends it.
    let failing = agents.iter().find(|agent| agent.id() == cluster.nodes[1].device).unwrap();
    failing.fail_nodes(false);
    wait_for("the replacement", async || (customer.show(cluster.id).await.nodes[1].device != failing.id()).then_some(())).await;
    let over = wait_for("the failure", async || Some(store.hires_over(10).await.unwrap()).filter(|over| over.len() == 1)).await;
    assert_eq!((over[0].device_id, over[0].failed), (failing.id(), Some(true)));
    world.hub.cluster_terminate(&customer.caller, cluster.id).await.unwrap();
    customer.settles(cluster.id).await;
    let over = wait_for("the end", async || Some(store.hires_over(10).await.unwrap()).filter(|over| over.len() == 3)).await;
    assert_eq!(over.iter().filter(|hire| hire.failed == Some(false)).count(), 2, "{over:?}");
    let report = world.hub.survival_report().unwrap();
    assert_eq!(report.report["used"], "mean", "{}", report.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interruptible_device_is_cheaper_and_can_be_taken_back() {
    let world = World::open().await;
    let (supplier, customer) = (world.customer().await, world.customer().await);
    let owner = Some(address(&supplier.wallet));
    let agents = devices(&world, &[("DE", "fra", owner), ("DE", "fra", owner), ("DE", "fra", owner)]).await;
    let interruptible = || Requirements { lease: Lease::Interruptible, ..Requirements::default() };
    // Nobody offers that yet.
    let none = world.hub.preflight(&wanted(1, interruptible())).await.unwrap();
    assert_eq!((none.fits, none.excluded[0].condition.as_str(), none.excluded[0].alone), (false, "lease", 3));
    for agent in &agents[..2] {
        let strategy = Some("interruptible_discount_bps = 4000\n".to_owned());
        world.hub.device_terms_set(&supplier.caller, agent.id(), &SetTermsRequest { strategy }).await.unwrap();
    }
    let running = async |requirements: Requirements| {
        let booked = world.hub.cluster_book(&customer.caller, &BookRequest::new(wanted(1, requirements)), None).await.unwrap();
        customer.submit(&booked.transaction).await.unwrap();
        customer.pay(booked.cluster.id, None).await.unwrap();
        customer.reaches(booked.cluster.id, ClusterStatus::Running).await
    };
    let cheap = running(interruptible()).await;
    assert_eq!(cheap.rate_micro_usd, MicroUsd(69_000));
    let on_demand = running(Requirements::default()).await;
    assert_eq!(on_demand.rate_micro_usd, MicroUsd(115_000));

    // Both are paused by their owner: the one moves to what else is offered so, the other stays with its customer.
    world.hub.device_pause(&supplier.caller, on_demand.nodes[0].device).await.unwrap();
    world.hub.device_pause(&supplier.caller, cheap.nodes[0].device).await.unwrap();
    let elsewhere = agents[..2].iter().map(TestAgent::id).find(|id| ![cheap.nodes[0].device, on_demand.nodes[0].device].contains(id));
    if let Some(elsewhere) = elsewhere {
        wait_for("the node to move", async || {
            let now = customer.show(cheap.id).await;
            (now.nodes[0].device == elsewhere && now.nodes[0].phase == NodePhase::Ready).then_some(())
        })
        .await;
    }
    assert_eq!(customer.show(on_demand.id).await.nodes[0].device, on_demand.nodes[0].device);
    for cluster in [&cheap, &on_demand] {
        assert_eq!(customer.show(cluster.id).await.status, ClusterStatus::Running, "the customer goes on either way");
    }
}
