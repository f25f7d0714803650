//! The attack of April 2024 on io.net, step by step: owners' ids read from a public search, a token that all workers shared, writes to
//! anybody's device by a header that was believed, invented devices by the million, and an alarm an hour late. Here the attacker fails at
//! each of them, and leaves a trace.

use std::collections::BTreeSet;

use ionet_hub::{Admission, Limits};
use ionet_store::audit_verify;
use ionet_types::agent::{AgentMessage, Hello, HubMessage, Introduction};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use solana_signer::Signer as _;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};

use crate::agent::{connect, hardware, next, say};
use crate::joins::Device;
use crate::world::{Answer, Rules, World, generous, wait_for};

/// Every GET of the OpenAPI document, with its parameters filled in for this device and cluster.
fn every_get(device: &str, cluster: &str) -> Vec<String> {
    let document = crate::drift::document();
    let paths = document["paths"].as_object().unwrap();
    let mut urls = Vec::new();
    for path in paths.iter().filter(|(_, item)| item.get("get").is_some()).map(|(path, _)| path) {
        let id = if path.starts_with("/v1/clusters") { cluster } else { device };
        let mut url = path.replace("{id}", id).replace("{path}", "api/version").replace("{signature}", &"1".repeat(64));
        for (name, value) in [
            ("{device}", device),
            ("{beneficiary}", device),
            ("{epoch}", "0"),
            ("{number}", "1"),
            ("{ticket}", "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21"),
            ("{case}", "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21"),
            ("{user_code}", "WDJB-MJHT"),
        ] {
            url = url.replace(name, value);
        }
        urls.push(url);
    }
    urls.extend(["/v1/openapi.json", "/activate", "/v1/devices?limit=200", "/v1/rewards/estimate?model=cpu"].map(str::to_owned));
    urls.extend(["/v1/stakes?device=", "/v1/slashes?device="].map(|url| format!("{url}{device}")));
    urls
}

#[tokio::test]
async fn nobody_learns_from_any_answer_whose_a_device_is() {
    let world = World::approved().await;
    let (owner, attacker) = (world.customer().await, world.customer().await);
    let mut device = Device::new();
    let token = owner.join_token(1).await;
    let _socket = device.join(&world, token["secret"].as_str()).await.unwrap();
    // As much of it as can be is in the books: on chain, in the log, in the store.
    let id = device.id().to_string();
    let prepared = owner.post(&format!("/v1/devices/{id}/registration"), &json!({})).await.expect(StatusCode::CREATED);
    owner.post("/v1/transactions", &owner.sign(&prepared["transaction"])).await.expect(StatusCode::OK);
    wait_for("the device to be registered", async || {
        Some(world.get(&format!("/v1/stakes/{id}"), None).await).filter(|answer| answer.status == StatusCode::OK)
    })
    .await;
    let wallet = owner.wallet.pubkey().to_string();
    let own = owner.get("/v1/devices?mine=true").await.expect(StatusCode::OK);
    assert_eq!(own["items"][0]["id"], json!(id), "the search below looks for the right wallet");
    let urls = every_get(&id, "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21");
    assert!(urls.len() > 35, "{}", urls.len());
    let mut answered = BTreeSet::new();
    for url in &urls {
        assert!(!url.contains('{'), "{url} has a parameter that is not filled in");
        for who in [None, Some(attacker.token.as_str())] {
            // A live stream has no end to wait for; it is the cluster's owner's alone.
            let answer = Answer::of(world.api().request(Method::GET, url, who)).await;
            let text = format!("{:?} {}", answer.headers, answer.body);
            assert!(!text.contains(&wallet), "{url} tells whose the device is: {text}");
            if answer.status == StatusCode::OK {
                answered.insert(url.clone());
            }
        }
    }
    assert!(answered.contains(&format!("/v1/devices/{id}")) && answered.contains("/v1/devices") && answered.contains("/v1/audit/links"));
}

#[tokio::test]
async fn a_header_that_names_an_owner_is_worth_nothing() {
    let world = World::approved().await;
    let (owner, attacker) = (world.customer().await, world.customer().await);
    let mut device = Device::new();
    let token = owner.join_token(1).await;
    let _socket = device.join(&world, token["secret"].as_str()).await.unwrap();
    let id = device.id().to_string();
    let wallet = owner.wallet.pubkey().to_string();
    let before = world.everything().await;
    let document = crate::drift::document();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["post", "put", "patch", "delete"].into_iter().filter(|method| item.get(*method).is_some()) {
            if !path.contains("/devices/{id}") {
                continue;
            }
            let method: Method = method.to_uppercase().parse().unwrap();
            for token in [None, Some(attacker.token.as_str())] {
                let mut request = world.api().request(method.clone(), &path.replace("{id}", &id), token);
                for name in ["user-id", "x-user-id", "user_id", "owner", "x-forwarded-user", "x-wallet", "cookie"] {
                    request = request.header(name, &wallet);
                }
                // Bodies that the owner's own request would have.
                let body = match path.rsplit('/').next().unwrap() {
                    "stake" | "withdrawal" => json!({ "amount": "1000" }),
                    "offer" => json!({ "max": "1000", "share_bps": 100 }),
                    "co-stake" => json!({ "amount": "1000", "share_bps": 100 }),
                    "payout" => json!({ "wallet": wallet }),
                    _ => json!({}),
                };
                let answer = Answer::of(request.json(&body)).await;
                assert!(answer.status.is_client_error(), "{method} {path}: {answer:?}");
                if token.is_none() {
                    answer.refuses(401, "unauthenticated");
                }
                tried += 1;
            }
        }
    }
    assert!(tried >= 20, "{tried}");
    assert_eq!(world.everything().await, before, "somebody else's device was changed");
    attacker.post(&format!("/v1/devices/{id}/credential/reset"), &json!({})).await.refuses(403, "device_not_yours");
    // Each refusal stands in the log, with who tried.
    let noted = attacker.get("/v1/audit").await.expect(StatusCode::OK);
    assert!(noted["items"].as_array().unwrap().iter().any(|entry| entry["action"] == "write_refused"), "{noted}");
}

#[tokio::test]
async fn a_token_that_others_have_too_opens_nothing() {
    let world = World::approved().await;
    let (owner, attacker) = (world.customer().await, world.customer().await);
    let token = owner.join_token(2).await["secret"].as_str().unwrap().to_owned();
    let mut device = Device::new();
    let _socket = device.join(&world, Some(&token)).await.unwrap();
    let credential = device.credential.clone().unwrap();
    // Neither a join token nor a device's credential is a caller's credential.
    for secret in [&token, &credential] {
        for path in ["/v1/keys", "/v1/devices?mine=true", "/v1/join-tokens", "/v1/audit", "/v1/stakes"] {
            world.get(path, Some(secret)).await.refuses(401, "unauthenticated");
        }
        world.post("/v1/join-tokens", Some(secret), &json!({ "name": "x", "max_devices": 1 })).await.refuses(401, "unauthenticated");
    }
    // A worker that shares the token is a device of its own, of the token's wallet, and says nothing for another.
    let mut second = Device::new();
    let claimed = ionet_types::Address(attacker.wallet.pubkey().to_bytes());
    let refused = second.say_hello(&world, |introduction| {
        introduction.join_token = Some(token.clone());
        introduction.declared.owner = Some(claimed);
    });
    assert_eq!(refused.await.unwrap_err(), "owner_mismatch");
    assert_eq!(attacker.get("/v1/devices?mine=true").await.expect(StatusCode::OK)["items"], json!([]));
    // One device's credential is of no use to another key.
    let mut thief = Device { key: Device::new().key, credential: Some(credential) };
    assert_eq!(thief.join(&world, None).await.unwrap_err(), "join_token_missing");
}

#[tokio::test]
async fn a_recorded_hello_and_a_copied_key_are_found_out() {
    let world = World::approved().await;
    let owner = world.customer().await;
    let token = owner.join_token(1).await["secret"].as_str().unwrap().to_owned();
    let mut device = Device::new();
    drop(device.join(&world, Some(&token)).await.unwrap());
    // Recorded on the wire, said again on another connection.
    let mut socket = connect(&world.base).await;
    let Some(HubMessage::Challenge { nonce, network }) = next(&mut socket).await else { panic!("a challenge comes first") };
    let introduction = Introduction { credential: device.credential.clone(), ..Introduction::new("test", hardware()) };
    let recorded = AgentMessage::Hello(Box::new(Hello::sign(&device.key, &network, &nonce, introduction)));
    drop(socket);
    let mut socket = connect(&world.base).await;
    next(&mut socket).await.unwrap();
    say(&mut socket, &recorded).await;
    assert!(matches!(next(&mut socket).await, Some(HubMessage::Refused { code, .. }) if code == "device_signature_invalid"));

    // The directory copied at some time: whichever of the two comes second after that is found out.
    let mut thief = device.copied();
    drop(device.join(&world, None).await.unwrap());
    drop(device.join(&world, None).await.unwrap());
    assert_eq!(thief.join(&world, None).await.unwrap_err(), "credential_reused");
    thief.credential = None;
    assert_eq!(thief.join(&world, None).await.unwrap_err(), "credential_reused", "the key alone is not enough");
    let shown = world.get(&format!("/v1/devices/{}", device.id()), None).await.expect(StatusCode::OK);
    assert_eq!(shown["status"]["state"], "blocked", "{shown}");
    // The device itself stays connected, so that a tenant's work goes on; its owner clears it.
    device.join(&world, None).await.unwrap();
    owner.post(&format!("/v1/devices/{}/credential/reset", device.id()), &json!({})).await.expect(StatusCode::NO_CONTENT);
    device.join(&world, None).await.unwrap();
    let shown = world.get(&format!("/v1/devices/{}", device.id()), None).await.expect(StatusCode::OK);
    assert_ne!(shown["status"]["state"], "blocked", "{shown}");
    let log = owner.get("/v1/audit").await.expect(StatusCode::OK).to_string();
    for action in ["credential_reused", "device_blocked", "credential_reset", "device_unblocked"] {
        assert!(log.contains(action), "{action}: {log}");
    }
}

#[tokio::test]
async fn ids_that_are_no_ids_are_refused() {
    let world = World::approved().await;
    let (owner, attacker) = (world.customer().await, world.customer().await);
    let mut device = Device::new();
    let token = owner.join_token(1).await["secret"].as_str().unwrap().to_owned();
    let _socket = device.join(&world, Some(&token)).await.unwrap();
    let id = device.id().to_string();
    let before = world.everything().await;
    let sql = [
        "' OR '1'='1",
        "1; DROP TABLE devices; --",
        "' UNION SELECT owner FROM devices --",
        "%",
        "_",
        "*",
        "\\",
        "\"",
        "\u{0}",
        "../",
        "null",
        "-1",
    ];
    let mut ids: Vec<String> = sql.iter().flat_map(|text| [(*text).to_owned(), format!("{id}{text}"), format!("{text}{id}")]).collect();
    ids.extend([id.to_lowercase(), format!("{id}1"), id[1..].to_owned(), "1".repeat(5_000)]);
    let mut runner = TestRunner::new(Config::default());
    let noise = "\\PC{1,60}";
    ids.extend((0..60).map(|_| noise.new_tree(&mut runner).unwrap().current()));
    for text in ids.iter().filter(|text| **text != id) {
        let part = text.bytes().fold(String::new(), |part, byte| part + &format!("%{byte:02X}"));
        for path in [format!("/v1/devices/{part}"), format!("/v1/devices/{part}/readiness"), format!("/v1/stakes/{part}")] {
            let answer = attacker.get(&path).await;
            assert!(answer.status.is_client_error(), "{text:?}: {answer:?}");
            assert!(!answer.body.to_string().contains(&owner.wallet.pubkey().to_string()));
        }
        let answer = attacker.post(&format!("/v1/devices/{part}/credential/reset"), &json!({})).await;
        assert!(answer.status.is_client_error(), "{text:?}: {answer:?}");
        let answer = attacker.post("/v1/device-codes/token", &json!({ "device_code": text })).await;
        assert!(answer.status.is_client_error(), "{text:?}: {answer:?}");
    }
    // What is text by right is text only.
    let mut second = Device::new();
    let refused = second.say_hello(&world, |introduction| {
        introduction.label = Some("'); DELETE FROM devices; --".to_owned());
        introduction.join_token = Some("' OR 1=1 --".to_owned());
    });
    assert_eq!(refused.await.unwrap_err(), "join_token_invalid");
    assert_eq!(world.everything().await, before, "something was changed");
}

#[tokio::test]
async fn a_flood_of_invented_devices_stays_outside() {
    let limits =
        Limits { new_devices_per_address_per_hour: 8, new_devices_per_owner_per_hour: 5, refusals_noted_per_minute: 10, ..Limits::LOCAL };
    let world = World::with_rules(generous(), Rules { admission: Admission::Approved, limits }).await;
    let (first, second) = (world.customer().await, world.customer().await);
    // Keys cost nothing; without a token none of them is let in, whatever it says of itself.
    for _ in 0..40 {
        let mut invented = Device::new();
        let refused = invented.say_hello(&world, |introduction| {
            introduction.declared.owner = Some(ionet_types::Address(first.wallet.pubkey().to_bytes()));
        });
        assert_eq!(refused.await.unwrap_err(), "join_token_missing");
    }
    let devices = async || world.get("/v1/devices?limit=200", None).await.expect(StatusCode::OK)["items"].as_array().unwrap().len();
    assert_eq!(devices().await, 0);
    // With a token: so many an hour for its owner, and so many from one address.
    let joined = async |token: &Value| {
        let mut codes = Vec::new();
        for _ in 0..10 {
            codes.push(Device::new().join(&world, token["secret"].as_str()).await.map(drop).err());
        }
        let in_vain: BTreeSet<_> = codes.iter().flatten().cloned().collect();
        (codes.iter().filter(|code| code.is_none()).count(), in_vain)
    };
    let limited = BTreeSet::from(["join_rate_limited".to_owned()]);
    assert_eq!(joined(&first.join_token(100).await).await, (5, limited.clone()));
    assert_eq!(joined(&second.join_token(100).await).await.1, limited);
    assert!(devices().await <= 8);
    // The log tells of the flood, and is not flooded by it.
    let head = world.get("/v1/audit/head", None).await.expect(StatusCode::OK);
    assert!((10..60).contains(&head["sequence"].as_u64().unwrap()), "{head}");
}

#[tokio::test]
async fn a_spike_of_writes_raises_the_alarm_at_once() {
    let limits = Limits { writes_per_minute: 15, ..Limits::LOCAL };
    let world = World::with_rules(generous(), Rules { admission: Admission::Open, limits }).await;
    let (attacker, other) = (world.customer().await, world.customer().await);
    let mut codes = Vec::new();
    for _ in 0..20 {
        codes.push(attacker.post("/v1/devices/11111111111111111111111111111111/unstake", &json!({})).await);
    }
    assert!(codes[..15].iter().all(|answer| answer.code() != "write_rate_exceeded"));
    codes[15].refuses(429, "write_rate_exceeded");
    codes[19].refuses(429, "write_rate_exceeded");
    assert!(codes[15].headers.contains_key("retry-after"));
    // Another endpoint, and looking, go on; so does everybody a minute later.
    other.get("/v1/keys").await.expect(StatusCode::OK);
    attacker.post("/v1/keys", &json!({ "name": "k", "scope": "read" })).await.expect(StatusCode::CREATED);
    world.clock.advance_secs(121);
    assert_ne!(attacker.post("/v1/devices/11111111111111111111111111111111/unstake", &json!({})).await.code(), "write_rate_exceeded");
    let mut connection = SqliteConnectOptions::new().filename(world.dir.path().join("hub.db")).read_only(true).connect().await.unwrap();
    let alarms: Vec<(String, String)> =
        sqlx::query_as("SELECT actor, subject FROM audit WHERE action = 'write_rate_alarm'").fetch_all(&mut connection).await.unwrap();
    assert_eq!(alarms.len(), 1, "once in a window: {alarms:?}");
    assert_eq!(alarms[0].1, "POST /v1/devices/{id}/unstake");
    // A device that connects over and over is a writer, too.
    let mut device = Device::new();
    let mut refused = None;
    for _ in 0..17 {
        if let Err(code) = device.join(&world, None).await {
            refused = Some(code);
        }
    }
    assert_eq!(refused.as_deref(), Some("write_rate_exceeded"));
}

#[tokio::test]
async fn nobody_earns_by_joining_alone() {
    let world = World::approved().await;
    let owner = world.customer().await;
    let mut device = Device::new();
    let token = owner.join_token(1).await;
    let _socket = device.join(&world, token["secret"].as_str()).await.unwrap();
    let readiness = world.get(&format!("/v1/devices/{}/readiness", device.id()), None).await.expect(StatusCode::OK);
    assert_eq!(readiness["ready"], false, "{readiness}");
    assert!(
        readiness["checks"].as_array().unwrap().iter().any(|check| check["code"] == "stake" && check["passed"] == false),
        "{readiness}"
    );
}

#[tokio::test]
async fn the_move_to_credentials_costs_no_device_its_uptime() {
    // Devices that are older than join tokens: known to the store, with no owner's token and no credential.
    let world = World::open().await;
    let mut device = Device::new();
    let socket = device.join(&world, None).await.unwrap();
    let path = format!("/v1/devices/{}", device.id());
    let before = world.get(&path, None).await.expect(StatusCode::OK);
    let database = world.dir.path().join("hub.db");
    let mut connection = SqliteConnectOptions::new().filename(&database).connect().await.unwrap();
    connection.execute("DELETE FROM admissions").await.unwrap();
    let presences = async |connection: &mut sqlx::SqliteConnection| -> (i64, i64) {
        sqlx::query_as("SELECT count(*), min(from_unix_secs) FROM presences").fetch_one(connection).await.unwrap()
    };
    let (_, since) = presences(&mut connection).await;
    device.credential = None;
    drop(socket);
    world.clock.advance_secs(60);
    device.join(&world, None).await.unwrap();
    assert!(device.credential.is_some(), "it gets its first credential as it comes");
    let after = world.get(&path, None).await.expect(StatusCode::OK);
    assert_eq!(after["registered_at_unix_secs"], before["registered_at_unix_secs"]);
    assert_eq!(presences(&mut connection).await.1, since, "what it was there for is still counted");
    assert_ne!(after["status"]["state"], "blocked");
    connection.close().await.unwrap();
}

#[tokio::test]
async fn whoever_rewrites_the_log_is_seen() {
    let world = World::approved().await;
    let owner = world.customer().await;
    for _ in 0..5 {
        owner.join_token(1).await;
    }
    let database = world.dir.path().join("hub.db");
    let kept = serde_json::from_value(world.get("/v1/audit/head", None).await.expect(StatusCode::OK)).unwrap();
    assert!(audit_verify(&database, Some(kept)).await.unwrap().is_ok());
    let mut connection = SqliteConnectOptions::new().filename(&database).connect().await.unwrap();
    let refused = connection.execute("UPDATE audit SET subject = 'nothing' WHERE sequence = 3").await.unwrap_err();
    assert!(refused.to_string().contains("never changed"), "{refused}");
    connection.execute("DROP TRIGGER audit_is_never_changed").await.unwrap();
    connection.execute("UPDATE audit SET subject = 'nothing' WHERE sequence = 3").await.unwrap();
    connection.close().await.unwrap();
    let broken = audit_verify(&database, Some(kept)).await.unwrap().unwrap_err();
    assert_eq!((broken.code(), broken.to_string().as_str()), ("audit_changed", "entry 3 is not what was written"));
}
