//! Who may call what: one table that must hold every operation of the OpenAPI document, and each of its rows is tried.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::drift::document;
use crate::world::{Answer, Customer, World};

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    /// Anybody.
    Public,
    /// Anybody who opens a websocket and proves a device's key on it.
    Device,
    /// A signed-in caller whose credential may look.
    Read,
    /// A signed-in caller whose credential may change things.
    Write,
    /// A signed-in caller with a session, not a key.
    Session,
    /// The owner of the cluster in the path, looking.
    OwnerRead,
    /// The owner of the cluster in the path, changing things.
    OwnerWrite,
}

impl Access {
    fn is_public(self) -> bool {
        matches!(self, Self::Public | Self::Device)
    }
}

/// Every operation, and who may call it. The list of public ones is the part to be careful with.
const TABLE: &[(&str, &str, Access)] = &[
    ("get", "/v1/network", Access::Public),
    ("get", "/v1/health", Access::Public),
    ("get", "/v1/hardware", Access::Public),
    ("get", "/v1/tne", Access::Public),
    ("get", "/v1/devices", Access::Public),
    ("get", "/v1/device-counts", Access::Public),
    ("get", "/v1/devices/{id}", Access::Public),
    ("get", "/v1/devices/{id}/reputation", Access::Public),
    ("get", "/v1/devices/{id}/proofs", Access::Public),
    ("get", "/v1/proofs/{number}/transcript", Access::Public),
    ("get", "/v1/agents/transfers/{ticket}", Access::Public),
    ("put", "/v1/agents/transfers/{ticket}", Access::Public),
    ("get", "/v1/stakes/{device}", Access::Public),
    ("get", "/v1/co-stakes/offers", Access::Public),
    ("get", "/v1/multipliers", Access::Public),
    ("get", "/v1/slashes", Access::Public),
    ("get", "/v1/slashes/{case}", Access::Public),
    ("get", "/v1/supply", Access::Public),
    ("get", "/v1/epochs", Access::Public),
    ("get", "/v1/epochs/{epoch}", Access::Public),
    ("get", "/v1/epochs/{epoch}/file", Access::Public),
    ("get", "/v1/rewards/estimate", Access::Public),
    ("get", "/v1/rewards/proofs/{beneficiary}", Access::Public),
    ("get", "/v1/devices/{id}/rewards", Access::Public),
    ("get", "/v1/devices/{id}/readiness", Access::Public),
    ("get", "/v1/transactions", Access::Public),
    ("get", "/v1/transactions/{signature}", Access::Public),
    ("post", "/v1/quotes", Access::Public),
    ("post", "/v1/preflights", Access::Public),
    ("post", "/v1/auth/challenges", Access::Public),
    ("post", "/v1/auth/sessions", Access::Public),
    ("post", "/v1/faucet", Access::Public),
    ("get", "/v1/agents/connect", Access::Device),
    ("get", "/v1/audit/head", Access::Public),
    ("get", "/v1/audit/links", Access::Public),
    ("post", "/v1/device-codes", Access::Public),
    ("post", "/v1/device-codes/token", Access::Public),
    ("get", "/v1/device-codes/{user_code}", Access::Session),
    ("post", "/v1/device-codes/{user_code}/approval", Access::Session),
    ("get", "/v1/join-tokens", Access::Read),
    ("post", "/v1/join-tokens", Access::Session),
    ("delete", "/v1/join-tokens/{id}", Access::Session),
    ("post", "/v1/devices/{id}/credential/reset", Access::Session),
    ("get", "/v1/audit", Access::Read),
    ("get", "/v1/keys", Access::Read),
    ("post", "/v1/keys", Access::Session),
    ("delete", "/v1/keys/{id}", Access::Session),
    ("get", "/v1/clusters", Access::Read),
    ("post", "/v1/clusters", Access::Write),
    ("get", "/v1/clusters/{id}", Access::OwnerRead),
    ("delete", "/v1/clusters/{id}", Access::OwnerWrite),
    ("get", "/v1/clusters/{id}/events", Access::OwnerRead),
    ("get", "/v1/clusters/{id}/receipt", Access::OwnerRead),
    ("post", "/v1/clusters/{id}/payments", Access::OwnerWrite),
    ("post", "/v1/clusters/{id}/extensions", Access::OwnerWrite),
    ("get", "/v1/payments", Access::Read),
    ("get", "/v1/rewards", Access::Read),
    ("post", "/v1/rewards/claims", Access::Write),
    ("get", "/v1/stakes", Access::Read),
    ("get", "/v1/prices", Access::Public),
    ("get", "/v1/prices/history", Access::Public),
    ("get", "/v1/survival", Access::Public),
    ("get", "/v1/devices/{id}/terms", Access::Read),
    ("post", "/v1/devices/{id}/terms", Access::Write),
    ("post", "/v1/devices/{id}/attestation", Access::Session),
    ("post", "/v1/devices/{id}/block", Access::Session),
    ("post", "/v1/devices/{id}/unblock", Access::Session),
    ("post", "/v1/devices/{id}/pause", Access::Write),
    ("post", "/v1/devices/{id}/resume", Access::Write),
    ("post", "/v1/devices/{id}/termination", Access::Write),
    ("post", "/v1/devices/{id}/registration", Access::Write),
    ("post", "/v1/devices/{id}/stake", Access::Write),
    ("post", "/v1/devices/{id}/withdrawal", Access::Write),
    ("post", "/v1/devices/{id}/unstake", Access::Write),
    ("post", "/v1/devices/{id}/payout", Access::Write),
    ("post", "/v1/devices/{id}/co-stake", Access::Write),
    ("post", "/v1/devices/{id}/co-stake/offer", Access::Write),
    ("post", "/v1/devices/{id}/co-stake/notice", Access::Write),
    ("post", "/v1/devices/{id}/co-stake/withdrawal", Access::Write),
    ("post", "/v1/slashes/{case}/appeal", Access::Write),
    ("post", "/v1/transactions", Access::Write),
    ("get", "/v1/clusters/{id}/ray/", Access::OwnerRead),
    ("head", "/v1/clusters/{id}/ray/", Access::OwnerRead),
    ("options", "/v1/clusters/{id}/ray/", Access::OwnerRead),
    ("post", "/v1/clusters/{id}/ray/", Access::OwnerWrite),
    ("put", "/v1/clusters/{id}/ray/", Access::OwnerWrite),
    ("patch", "/v1/clusters/{id}/ray/", Access::OwnerWrite),
    ("delete", "/v1/clusters/{id}/ray/", Access::OwnerWrite),
    ("get", "/v1/clusters/{id}/ray/{path}", Access::OwnerRead),
    ("head", "/v1/clusters/{id}/ray/{path}", Access::OwnerRead),
    ("options", "/v1/clusters/{id}/ray/{path}", Access::OwnerRead),
    ("post", "/v1/clusters/{id}/ray/{path}", Access::OwnerWrite),
    ("put", "/v1/clusters/{id}/ray/{path}", Access::OwnerWrite),
    ("patch", "/v1/clusters/{id}/ray/{path}", Access::OwnerWrite),
    ("delete", "/v1/clusters/{id}/ray/{path}", Access::OwnerWrite),
];

/// A body that the operation takes, if it takes one.
fn body_of(path: &str, wallet: &str) -> Option<Value> {
    match path {
        "/v1/quotes" | "/v1/preflights" | "/v1/clusters" => Some(Customer::terms(1, 60)),
        "/v1/auth/challenges" | "/v1/faucet" => Some(json!({ "wallet": wallet })),
        "/v1/auth/sessions" => Some(json!({ "message": "none", "signature": "none" })),
        "/v1/device-codes/token" => Some(json!({ "device_code": "ionet_code_1" })),
        "/v1/device-codes/{user_code}/approval" => Some(json!({ "approve": true })),
        "/v1/join-tokens" => Some(json!({ "name": "rack", "max_devices": 1 })),
        "/v1/keys" => Some(json!({ "name": "key", "scope": "read" })),
        "/v1/clusters/{id}/payments" => Some(json!({})),
        "/v1/clusters/{id}/extensions" => Some(json!({ "minutes": 60 })),
        "/v1/transactions" => Some(json!({ "transaction": "AAAA" })),
        _ => None,
    }
}

async fn call(world: &World, method: &str, path: &str, id: &str, token: Option<&str>) -> Answer {
    let url = path
        .replace("{id}", id)
        .replace("{path}", "api/version")
        .replace("{signature}", &"1".repeat(64))
        .replace("{user_code}", "WDJB-MJHT");
    let method: Method = method.to_uppercase().parse().unwrap();
    let mut request = world.api().request(method.clone(), &url, token);
    if method == Method::POST
        && let Some(body) = body_of(path, "11111111111111111111111111111111")
    {
        request = request.json(&body);
    }
    Answer::of(request).await
}

/// A refusal's status and code; a `HEAD` has no body to hold a code.
#[track_caller]
fn refused(answer: &Answer, method: &str, status: u16, code: &str, what: &str) {
    assert_eq!(answer.status.as_u16(), status, "{what}: {answer:?}");
    if method != "head" {
        assert_eq!(answer.code(), code, "{what}");
    }
}

#[test]
fn every_operation_is_in_the_table_and_says_the_same() {
    let document = document();
    let mut described = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            described.insert((method.clone(), path.clone()), operation["security"] != Value::Null);
        }
    }
    let table: BTreeMap<_, _> =
        TABLE.iter().map(|(method, path, access)| (((*method).to_owned(), (*path).to_owned()), !access.is_public())).collect();
    assert_eq!(table.len(), TABLE.len(), "an operation is in the table twice");
    assert_eq!(described, table);
}

#[tokio::test]
async fn nobody_gets_what_is_not_theirs() {
    let world = World::open().await;
    let _agents = world.agents(3).await;
    let (owner, stranger) = (world.customer().await, world.customer().await);
    let id = owner.running(1, 180).await;
    let (read, write) = (owner.key("read").await, owner.key("write").await);
    let strangers_write = stranger.key("write").await;
    let expiring = owner.post("/v1/keys", &json!({ "name": "short", "scope": "write", "expires_in_secs": 60 })).await;
    let expired = expiring.expect(StatusCode::CREATED)["secret"].as_str().unwrap().to_owned();
    let revoked = owner.post("/v1/keys", &json!({ "name": "revoked", "scope": "write" })).await.expect(StatusCode::CREATED);
    owner.delete(&format!("/v1/keys/{}", revoked["key"]["id"].as_str().unwrap())).await.expect(StatusCode::NO_CONTENT);
    let revoked = revoked["secret"].as_str().unwrap().to_owned();
    world.clock.advance_secs(61);
    let nobodys = "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21";
    let before = world.everything().await;
    let mut tried = BTreeSet::new();
    for &(method, path, access) in TABLE {
        let what = format!("{method} {path}");
        tried.insert(what.clone());
        match access {
            Access::Device => {
                refused(&call(&world, method, path, &id, None).await, method, 426, "upgrade_required", &what);
                continue;
            }
            // Challenges, codes and gifts are for everybody: they are tried where they do not disturb the comparison.
            Access::Public if ["/v1/auth/challenges", "/v1/faucet", "/v1/device-codes"].contains(&path) => continue,
            Access::Public => {
                let answer = call(&world, method, path, &id, None).await;
                let expected =
                    if path == "/v1/auth/sessions" { answer.status == StatusCode::UNAUTHORIZED } else { !answer.status.is_server_error() };
                assert!(expected && answer.status != StatusCode::FORBIDDEN, "{what}: {answer:?}");
                continue;
            }
            _ => {}
        }
        for token in
            ["ionet_0", "ionets_0", "x", &"ionet_1".repeat(60), &expired, &revoked, &format!("{write}1"), &write[..write.len() - 1]]
        {
            refused(&call(&world, method, path, &id, Some(token)).await, method, 401, "unauthenticated", &format!("{what} with {token}"));
        }
        let anonymous = call(&world, method, path, &id, None).await;
        refused(&anonymous, method, 401, "unauthenticated", &what);
        assert_eq!(anonymous.headers["www-authenticate"], "Bearer");
        if matches!(access, Access::Write | Access::OwnerWrite | Access::Session) {
            refused(
                &call(&world, method, path, &id, Some(&read)).await,
                method,
                403,
                "scope_insufficient",
                &format!("{what} with a read key"),
            );
        }
        if access == Access::Session {
            refused(&call(&world, method, path, &id, Some(&write)).await, method, 403, "scope_insufficient", &format!("{what} with a key"));
        }
        if matches!(access, Access::OwnerRead | Access::OwnerWrite) {
            for token in [&stranger.token, &strangers_write] {
                let foreign = call(&world, method, path, &id, Some(token)).await;
                refused(&foreign, method, 404, "cluster_not_found", &format!("{what} by a stranger"));
                let missing = call(&world, method, path, nobodys, Some(token)).await;
                assert_eq!(
                    (foreign.status, &foreign.body["detail"]),
                    (missing.status, &missing.body["detail"]),
                    "{what} tells that it exists"
                );
            }
        }
    }
    assert_eq!(tried.len(), TABLE.len());
    assert_eq!(world.everything().await, before, "a refused request changed something");

    // A key of somebody else is not there either.
    let keys = owner.get("/v1/keys").await.expect(StatusCode::OK);
    let key = keys["items"][0]["id"].as_str().unwrap().to_owned();
    stranger.delete(&format!("/v1/keys/{key}")).await.refuses(404, "key_not_found");
    assert_eq!(stranger.get("/v1/clusters").await.expect(StatusCode::OK)["items"], json!([]));
    assert_eq!(stranger.get("/v1/payments").await.expect(StatusCode::OK)["items"], json!([]));
    // The device list shows no owner.
    let devices = world.get("/v1/devices", None).await.expect(StatusCode::OK).to_string();
    assert!(!devices.contains("owner") && !devices.contains(&solana_signer::Signer::pubkey(&owner.wallet).to_string()));
}

#[tokio::test]
async fn what_a_key_allows_it_allows() {
    let world = World::open().await;
    let _agents = world.agents(2).await;
    let owner = world.customer().await;
    let (read, write) = (owner.key("read").await, owner.key("write").await);
    let booked = world.post("/v1/clusters", Some(&write), &Customer::terms(1, 60)).await.expect(StatusCode::CREATED);
    let id = booked["cluster"]["id"].as_str().unwrap();
    for token in [&read, &write, &owner.token] {
        let cluster = world.get(&format!("/v1/clusters/{id}"), Some(token)).await.expect(StatusCode::OK);
        assert_eq!(cluster["status"], "prepared");
    }
}
