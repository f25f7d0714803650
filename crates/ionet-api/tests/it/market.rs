//! What customers may ask of the market, as it arrives over HTTP: bad wishes are refused with the field's name and what it could be.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::world::{Customer, World};

/// Terms with these requirements.
fn with(requirements: Value) -> Value {
    let mut terms = Customer::terms(1, 60);
    terms["requirements"] = requirements;
    terms
}

#[tokio::test]
async fn every_bad_wish_is_refused_with_its_field_and_what_it_could_be() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let customer = world.customer().await;
    // The wish, the field that the answer names, and a word of what would be allowed.
    let bad = [
        (json!({ "gpus_per_node": 1 }), "gpus_per_node", ""),
        (json!({ "gpus_per_node": 0 }), "gpus_per_node", ""),
        (json!({ "gpus_per_node": -1 }), "gpus_per_node", ""),
        (json!({ "gpu_milli": 500 }), "gpu_milli", ""),
        (json!({ "gpu_instance": "5g" }), "gpu_instance", "7g"),
        (json!({ "min_vram_mb": 1 }), "min_vram_mb", ""),
        (json!({ "min_cpus": 0 }), "min_cpus", "1 to"),
        (json!({ "min_memory_mb": 0 }), "min_memory_mb", "1 to"),
        (json!({ "min_disk_mb": -5 }), "min_disk_mb", ""),
        (json!({ "min_tier": "middling" }), "min_tier", "ultra_high"),
        (json!({ "countries": ["XX"] }), "countries", "ISO 3166"),
        (json!({ "countries": ["DE"], "not_countries": ["DE"] }), "not_countries", "DE"),
        (json!({ "countries": ["DE"], "not_regions": ["eu"] }), "not_regions", "DE"),
        (json!({ "regions": ["atlantis"] }), "regions", "europe"),
        (json!({ "compliance": ["soc3"] }), "compliance", "soc2"),
        (json!({ "min_security": "safe" }), "min_security", "container"),
        (json!({ "supplier": "nobody" }), "supplier", ""),
        (json!({ "supplier": "No Body" }), "supplier", "lower-case"),
        (json!({ "max_price_micro_usd": "0" }), "max_price_micro_usd", "1 to"),
        (json!({ "min_reputation": 1_001 }), "min_reputation", "1000"),
        (json!({ "arrangement": "heap" }), "arrangement", "spread"),
        (json!({ "arrangement": "spread", "same_site": true }), "same_site", "pack"),
        (json!({ "lease": "forever" }), "lease", "interruptible"),
        (json!({ "or_hardware": ["abacus"] }), "or_hardware", "cpu"),
        (json!({ "or_hardware": ["h100"] }), "or_hardware", "cpu"),
        (json!({ "colour": "red" }), "colour", ""),
    ];
    for (requirements, field, allowed) in bad {
        for path in ["/v1/quotes", "/v1/preflights", "/v1/clusters"] {
            let answer = customer.post(path, &with(requirements.clone())).await;
            assert!(answer.status.is_client_error(), "{path} {requirements}: {answer:?}");
            answer.code();
            let (named, detail) = (answer.body["field"].as_str().unwrap_or_default(), answer.body["detail"].as_str().unwrap());
            assert!(named.contains(field) || detail.contains(field), "{path} {requirements}: {answer:?}");
            assert!(detail.contains(allowed), "{path} {requirements}: {detail}");
        }
    }
    for (field, value) in [("quantity", json!(0)), ("quantity", json!(-1)), ("minutes", json!(0)), ("minutes", json!(5_256_001))] {
        let mut terms = Customer::terms(1, 60);
        terms[field] = value;
        let answer = customer.post("/v1/preflights", &terms).await;
        assert!(answer.status.is_client_error() && answer.body.to_string().contains(field), "{answer:?}");
    }
    // Nothing came of any of it.
    assert_eq!(customer.get("/v1/clusters").await.expect(StatusCode::OK)["items"], json!([]));
}

#[tokio::test]
async fn prices_and_their_history_are_public() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let board = world.get("/v1/prices", None).await.expect(StatusCode::OK);
    let cpu = board["items"].as_array().unwrap().iter().find(|price| price["hardware"] == "cpu").unwrap();
    assert_eq!((cpu["price_micro_usd"].as_str(), board["follows_market"].as_bool()), (Some("115000"), Some(false)));
    assert_eq!(board["discounts"].as_array().unwrap().len(), 4);
    assert_eq!(world.get("/v1/prices/history?hardware=cpu&days=true", None).await.expect(StatusCode::OK)["items"], json!([]));
    world.get("/v1/prices/history?hardware=abacus", None).await.refuses(400, "hardware_unknown");
    assert_eq!(world.get("/v1/survival", None).await.expect(StatusCode::OK)["report"]["used"], "mean");
    let preflight = world.post("/v1/preflights", None, &with(json!({ "countries": ["DE"] }))).await.expect(StatusCode::OK);
    assert_eq!((preflight["fits"].as_bool(), preflight["excluded"][0]["condition"].as_str()), (Some(false), Some("countries")));
    assert!(!preflight["relaxations"].as_array().unwrap().is_empty(), "{preflight}");
}
