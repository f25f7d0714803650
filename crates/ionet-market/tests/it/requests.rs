//! Requests that no market could serve are refused by the field's name, with what would be right.

use ionet_market::names::{Catalogue, Model};
use ionet_market::refusal::{Problem, Refusal};
use ionet_market::request::Request;
use ionet_market::shape::GpuDemand;
use ionet_types::hardware::{HardwareKind, HardwareModel};
use ionet_types::market::{Arrangement, GpuInstance, Region, Requirements};
use proptest::prelude::*;

fn catalogue() -> Catalogue {
    let mut catalogue = Catalogue::default();
    for (name, kind) in
        [("cpu", HardwareKind::Cpu), ("h100", HardwareKind::Gpu), ("h200", HardwareKind::Gpu), ("rtx-4090", HardwareKind::Gpu)]
    {
        catalogue.model(Model { hardware: name.parse().unwrap(), kind, reference_micro_usd: 1_000 }).unwrap();
    }
    catalogue.supplier(&"nordic-gpu".parse().unwrap()).unwrap();
    catalogue
}

fn check(hardware: &str, nodes: u32, minutes: u32, wanted: &Requirements) -> Result<Request, Refusal> {
    Request::check(&hardware.parse().unwrap(), nodes, minutes, wanted, &catalogue())
}

fn wanted(json: &str) -> Requirements {
    serde_json::from_str(json).unwrap()
}

#[test]
fn a_refusal_names_field_and_allowed_values() {
    let cases = [
        ("h100", 0, 60, "{}", "quantity", Problem::OutOfRange, "1 to 100000"),
        ("h100", 1, 0, "{}", "minutes", Problem::OutOfRange, "1 to 5256000"),
        ("h10", 1, 60, "{}", "hardware", Problem::Unknown, "h100"),
        ("h100", 1, 60, r#"{"or_hardware":["h2000"]}"#, "or_hardware", Problem::Unknown, "h200"),
        ("h100", 1, 60, r#"{"or_hardware":["cpu"]}"#, "or_hardware", Problem::Contradiction, "h100"),
        ("h100", 1, 60, r#"{"gpus_per_node":9}"#, "gpus_per_node", Problem::OutOfRange, "1 to 8"),
        ("h100", 1, 60, r#"{"gpus_per_node":0}"#, "gpus_per_node", Problem::OutOfRange, "1 to 8"),
        ("h100", 1, 60, r#"{"gpu_milli":1000}"#, "gpu_milli", Problem::OutOfRange, "1 to 999"),
        ("h100", 1, 60, r#"{"gpus_per_node":2,"gpu_milli":500}"#, "gpu_milli", Problem::Contradiction, "only gpus_per_node"),
        ("h100", 1, 60, r#"{"gpu_milli":500,"gpu_instance":"1g"}"#, "gpu_instance", Problem::Contradiction, "only gpu_milli"),
        ("cpu", 1, 60, r#"{"gpus_per_node":1}"#, "gpus_per_node", Problem::Inapplicable, ""),
        ("cpu", 1, 60, r#"{"min_vram_mb":1}"#, "min_vram_mb", Problem::Inapplicable, ""),
        ("h100", 1, 60, r#"{"min_cpus":0}"#, "min_cpus", Problem::OutOfRange, "1 to 4294967"),
        ("h100", 1, 60, r#"{"min_memory_mb":0}"#, "min_memory_mb", Problem::OutOfRange, "1 to 4294967295"),
        ("h100", 1, 60, r#"{"max_price_micro_usd":"0"}"#, "max_price_micro_usd", Problem::OutOfRange, "1 to 1000000000"),
        ("h100", 1, 60, r#"{"min_reputation":1001}"#, "min_reputation", Problem::OutOfRange, "0 to 1000"),
        ("h100", 1, 60, r#"{"countries":["DE"],"not_countries":["DE"]}"#, "not_countries", Problem::Contradiction, "countries without DE"),
        ("h100", 1, 60, r#"{"countries":["DE"],"not_regions":["eu"]}"#, "not_regions", Problem::Contradiction, "countries without DE"),
        ("h100", 1, 60, r#"{"regions":["eu"],"not_regions":["europe","asia"]}"#, "not_regions", Problem::Contradiction, "africa"),
        ("h100", 1, 60, r#"{"supplier":"nordic-gpus"}"#, "supplier", Problem::Unknown, "nordic-gpu"),
        ("h100", 2, 60, r#"{"same_site":true,"arrangement":"spread"}"#, "same_site", Problem::Contradiction, "arrangement pack"),
    ];
    for (hardware, nodes, minutes, json, field, problem, allowed) in cases {
        let refusal = check(hardware, nodes, minutes, &wanted(json)).unwrap_err();
        assert_eq!((refusal.field, refusal.problem), (field, problem), "{json}: {refusal}");
        assert_eq!(refusal.allowed.first().map_or("", String::as_str), allowed, "{json}: {refusal}");
    }
    assert!(serde_json::from_str::<Requirements>(r#"{"countries":["XX"]}"#).is_err());
}

#[test]
fn what_agrees_is_taken() {
    let wanted = wanted(
        r#"{"or_hardware":["h200","h100"],"gpus_per_node":4,"regions":["eu"],"not_countries":["FR"],"compliance":["soc2","gdpr"],
            "supplier":"nordic-gpu","max_price_micro_usd":"2100000","min_reputation":500,"arrangement":"spread","min_cpus":8}"#,
    );
    let request = check("h100", 8, 90, &wanted).unwrap();
    assert_eq!(request.models.len(), 2);
    assert_eq!((request.demand.gpus, request.demand.cpu_milli), (GpuDemand::Whole(4), 8_000));
    assert_eq!(request.countries, Some(Region::Eu.countries()));
    assert_eq!(request.arrangement, Some(Arrangement::Spread));
    assert_eq!(check("h100", 1, 60, &Requirements::default()).unwrap().demand.gpus, GpuDemand::Whole(1));
    assert_eq!(check("cpu", 1, 60, &Requirements::default()).unwrap().demand.gpus, GpuDemand::None);
}

proptest! {
    #[test]
    fn any_words_are_checked_without_a_panic(
        nodes: u32, minutes: u32, gpus: Option<u8>, milli: Option<u16>, instance: bool, cpus: Option<u32>, memory: Option<u32>, price: Option<u64>, reputation: Option<u16>,
        names in prop::collection::vec("[a-z0-9-]{1,9}", 0..400),
    ) {
        let wanted = Requirements {
            or_hardware: names.iter().map(|name| name.parse::<HardwareModel>().unwrap()).collect(),
            gpus_per_node: gpus,
            gpu_milli: milli,
            gpu_instance: instance.then_some(GpuInstance::Two),
            min_cpus: cpus,
            min_memory_mb: memory,
            max_price_micro_usd: price.map(ionet_types::MicroUsd),
            min_reputation: reputation,
            ..Requirements::default()
        };
        match check("h100", nodes, minutes, &wanted) {
            Ok(request) => prop_assert!((1..=100_000).contains(&request.nodes) && request.minutes >= 1 && !request.models.is_empty()),
            Err(refusal) => prop_assert!(!refusal.field.is_empty() && !refusal.detail.is_empty()),
        }
    }
}
