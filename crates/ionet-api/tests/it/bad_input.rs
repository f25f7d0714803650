//! Requests that nobody should send: each is refused with a 4xx problem and a known code, and nothing has changed afterwards.

use ionet_rules::RuleError;
use ionet_types::problem::Code;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Answer, Customer, World};

/// A POST with a body that would be taken, and the fields that may be absent or null.
struct Case {
    path: String,
    token: Option<String>,
    body: Value,
    optional: &'static [&'static str],
}

/// A path with the cluster's id, or that of a device and a case that there are not.
fn filled(path: &str, id: &str) -> String {
    let id = if path.starts_with("/v1/devices/") { "1".repeat(32) } else { id.to_owned() };
    path.replace("{id}", &id).replace("{case}", "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21").replace("{user_code}", "WDJB-MJHT")
}

async fn cases(owner: &Customer, id: &str) -> Vec<Case> {
    let case = |path: &str, token: Option<&str>, body: Value, optional: &'static [&'static str]| Case {
        path: filled(path, id),
        token: token.map(str::to_owned),
        body,
        optional,
    };
    let token = Some(owner.token.as_str());
    let wallet = solana_signer::Signer::pubkey(&owner.wallet).to_string();
    let mut booking = Customer::terms(1, 60);
    booking["name"] = json!("a name");
    let payment = owner.post(&format!("/v1/clusters/{id}/payments"), &json!({ "amount": "1000" })).await.expect(StatusCode::CREATED);
    vec![
        case("/v1/quotes", None, Customer::terms(1, 60), &[]),
        case("/v1/preflights", None, Customer::terms(1, 60), &[]),
        case("/v1/clusters", token, booking, &["name"]),
        case("/v1/clusters/{id}/payments", token, json!({ "amount": "1000" }), &["amount"]),
        case("/v1/clusters/{id}/extensions", token, json!({ "minutes": 60 }), &[]),
        case("/v1/transactions", token, owner.sign(&payment["transaction"]), &[]),
        case("/v1/devices/{id}/terms", token, json!({ "strategy": "" }), &["strategy"]),
        case("/v1/devices/{id}/attestation", token, json!({}), &[]),
        case("/v1/devices/{id}/block", token, json!({}), &[]),
        case("/v1/devices/{id}/unblock", token, json!({}), &[]),
        case("/v1/devices/{id}/pause", token, json!({}), &[]),
        case("/v1/devices/{id}/resume", token, json!({}), &[]),
        case("/v1/devices/{id}/termination", token, json!({}), &[]),
        case("/v1/devices/{id}/registration", token, json!({ "payout": wallet }), &["payout"]),
        case("/v1/devices/{id}/stake", token, json!({ "amount": "1000" }), &[]),
        case("/v1/devices/{id}/withdrawal", token, json!({ "amount": "1000" }), &["amount"]),
        case("/v1/devices/{id}/unstake", token, json!({}), &[]),
        case("/v1/devices/{id}/payout", token, json!({ "wallet": wallet }), &[]),
        case("/v1/devices/{id}/co-stake", token, json!({ "amount": "1000", "share_bps": 100 }), &[]),
        case("/v1/devices/{id}/co-stake/offer", token, json!({ "max": "1000", "share_bps": 100 }), &[]),
        case("/v1/devices/{id}/co-stake/notice", token, json!({}), &[]),
        case("/v1/devices/{id}/co-stake/withdrawal", token, json!({}), &[]),
        case("/v1/rewards/claims", token, json!({ "devices": ["1".repeat(32)] }), &["devices"]),
        case("/v1/slashes/{case}/appeal", token, json!({ "appeal": "ab".repeat(32) }), &[]),
        case("/v1/auth/challenges", None, json!({ "wallet": wallet }), &[]),
        case("/v1/auth/sessions", None, json!({ "message": "m", "signature": "s" }), &[]),
        case("/v1/devices/{id}/credential/reset", token, json!({}), &[]),
        case("/v1/join-tokens", token, json!({ "name": "rack", "max_devices": 3, "expires_in_secs": 3600 }), &["expires_in_secs"]),
        case("/v1/device-codes", None, json!({ "label": "garage" }), &["label"]),
        case("/v1/device-codes/token", None, json!({ "device_code": "ionet_code_1" }), &[]),
        case("/v1/device-codes/{user_code}/approval", token, json!({ "approve": true }), &[]),
        case("/v1/keys", token, json!({ "name": "key", "scope": "read", "expires_in_secs": 3600 }), &["expires_in_secs"]),
        case("/v1/faucet", None, json!({ "wallet": wallet }), &[]),
    ]
}

#[track_caller]
fn is_refused(answer: &Answer, what: &str) {
    assert!(answer.status.is_client_error(), "{what}: {answer:?}");
    let code = answer.code();
    let known = Code::ALL.iter().any(|known| known.code() == code) || RuleError::ALL.iter().any(|known| known.code() == code);
    assert!(known, "{what}: {code}");
}

async fn send(world: &World, case: &Case, content_type: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
    let mut request = world.api().request(Method::POST, &case.path, case.token.as_deref()).body(body);
    if let Some(content_type) = content_type {
        request = request.header("content-type", content_type);
    }
    Answer::of(request).await
}

/// Bodies that are no JSON object of any kind, with the code that each must get.
fn raw_bodies(valid: &str) -> Vec<(&'static str, Vec<u8>, u16, &'static str)> {
    let deep =
        |open: &str, close: &str| format!("{{\"hardware\":{}{}}}", open.repeat(30_000 / open.len()), close.repeat(30_000 / open.len()));
    let invalid_utf8 = [b"{\"name\":\"".as_slice(), b"\xff\xfe\xc0\xaf", b"\"}"].concat();
    vec![
        ("nothing", vec![], 400, "request_malformed"),
        ("a space", b" ".to_vec(), 400, "request_malformed"),
        ("half an object", valid.as_bytes()[..valid.len() / 2].to_vec(), 400, "request_malformed"),
        ("text behind it", format!("{valid} x").into_bytes(), 400, "request_malformed"),
        ("two objects", format!("{valid}{valid}").into_bytes(), 400, "request_malformed"),
        ("null", b"null".to_vec(), 400, "request_malformed"),
        ("a list", b"[]".to_vec(), 400, "request_malformed"),
        ("a list of it", format!("[{valid}]").into_bytes(), 400, "request_malformed"),
        ("a number", b"1".to_vec(), 400, "request_malformed"),
        ("a huge number", b"1e999999".to_vec(), 400, "request_malformed"),
        ("not a number", b"NaN".to_vec(), 400, "request_malformed"),
        ("text", b"\"text\"".to_vec(), 400, "request_malformed"),
        ("single quotes", valid.replace('"', "'").into_bytes(), 400, "request_malformed"),
        ("a comment", format!("{valid} // x").into_bytes(), 400, "request_malformed"),
        ("a byte order mark", format!("\u{feff}{valid}").into_bytes(), 400, "request_malformed"),
        ("UTF-16", valid.encode_utf16().flat_map(u16::to_le_bytes).collect(), 400, "request_malformed"),
        ("invalid UTF-8", invalid_utf8, 400, "request_malformed"),
        ("zero bytes", vec![0; 64], 400, "request_malformed"),
        ("deep lists", deep("[", "]").into_bytes(), 400, "request_malformed"),
        ("deep objects", deep("{\"a\":", "}").into_bytes(), 400, "request_malformed"),
        ("a form", b"hardware=cpu&quantity=1".to_vec(), 400, "request_malformed"),
        ("too much", format!("{}{valid}", " ".repeat(70_000)).into_bytes(), 413, "request_too_large"),
    ]
}

/// Values that no field of any request takes.
fn wrong_values() -> Vec<&'static str> {
    vec![
        "true",
        "-1",
        "-0.5",
        "1.5",
        "1e3",
        "1e400",
        "-1e400",
        "NaN",
        "Infinity",
        "4294967296",
        "18446744073709551616",
        "340282366920938463463374607431768211456",
        "99999999999999999999999999999999999999999999999999999999999999999999999999999999",
        "[]",
        "{}",
        "[1]",
        "{\"a\":1}",
        "\"\"",
        "\"-1\"",
        "\"1e3\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "\"'; DROP TABLE clusters; --\\n\"",
        "\"99999999999999999999999999\"",
    ]
}

#[tokio::test]
async fn every_post_refuses_what_it_does_not_take() {
    let world = World::open().await;
    let _agents = world.agents(3).await;
    let owner = world.customer().await;
    let id = owner.book(1, 180).await;
    let cases = cases(&owner, &id).await;
    let mut posts: Vec<_> = crate::drift::document()["paths"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, item)| item.get("post").is_some() && !path.contains("/ray/"))
        .map(|(path, _)| filled(path, &id))
        .collect();
    let mut tried: Vec<_> = cases.iter().map(|case| case.path.clone()).collect();
    tried.sort();
    posts.sort();
    assert_eq!(tried, posts, "every POST of the document is tried");
    let before = world.everything().await;
    for case in &cases {
        let path = &case.path;
        let valid = case.body.to_string();
        // An empty object in single quotes is one still.
        for (what, body, status, code) in raw_bodies(&valid).into_iter().filter(|(_, body, ..)| *body != valid.as_bytes()) {
            let answer = send(&world, case, Some("application/json"), body).await;
            is_refused(&answer, &format!("{path}: {what}"));
            answer.refuses(status, code);
        }
        for content_type in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("application/jsonp"),
            Some(""),
            Some("multipart/form-data"),
        ] {
            send(&world, case, content_type, valid.clone()).await.refuses(415, "media_type_unsupported");
        }
        let fields = case.body.as_object().unwrap();
        for (field, value) in fields {
            let with = |text: &str| {
                let rest = fields.iter().filter(|(other, _)| *other != field).map(|(other, value)| format!("{}:{value},", json!(other)));
                format!("{{{}\"{field}\":{text}}}", rest.collect::<String>())
            };
            // A name may be any short text without control characters.
            let fits =
                |text: &str| ["name", "label"].contains(&field.as_str()) && text.len() > 2 && text.starts_with('"') && !text.contains('\\');
            for text in wrong_values().into_iter().filter(|text| !fits(text)) {
                let answer = send(&world, case, Some("application/json"), with(text)).await;
                is_refused(&answer, &format!("{path}: {field} = {text}"));
            }
            let long = json!("x".repeat(20_000)).to_string();
            is_refused(&send(&world, case, Some("application/json"), with(&long)).await, &format!("{path}: {field} is long"));
            let repeated = format!("{}{value},\"{field}\":{value}}}", with("").trim_end_matches('}'));
            send(&world, case, Some("application/json"), repeated).await.refuses(400, "request_malformed");
            if !case.optional.contains(&field.as_str()) {
                send(&world, case, Some("application/json"), with("null")).await.refuses(400, "request_malformed");
                let mut without = fields.clone();
                without.remove(field);
                send(&world, case, Some("application/json"), Value::Object(without).to_string()).await.refuses(400, "request_malformed");
            }
        }
        for unknown in ["extra", "Quantity", "__proto__", "", "customer"] {
            let mut with = fields.clone();
            with.insert(unknown.to_owned(), json!(1));
            let answer = send(&world, case, Some("application/json"), Value::Object(with).to_string()).await;
            answer.refuses(400, "request_malformed");
            assert!(answer.body["detail"].as_str().unwrap().contains("unknown field"), "{answer:?}");
        }
        for key in ["", "two words", &"k".repeat(256), "ключ"] {
            let mut request = world.api().request(Method::POST, path, case.token.as_deref()).json(&case.body);
            request = request.header("idempotency-key", reqwest::header::HeaderValue::from_bytes(key.as_bytes()).unwrap());
            let takes_key = path.ends_with("/clusters") || path.ends_with("/payments") || path.ends_with("/extensions");
            if takes_key {
                Answer::of(request).await.refuses(400, "idempotency_key_invalid");
            }
        }
    }
    assert_eq!(world.everything().await, before, "a refused request changed something");
    // What was bent above is taken when it is straight.
    world.post("/v1/quotes", None, &Customer::terms(1, 60)).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn bounds_are_kept_at_both_ends() {
    let world = World::open().await;
    let _agents = world.agents(2).await;
    let owner = world.customer().await;
    let id = owner.book(1, 180).await;
    let before = world.everything().await;
    let booking = |field: &str, value: Value| {
        let mut terms = Customer::terms(1, 60);
        terms[field] = value;
        terms
    };
    for path in ["/v1/quotes", "/v1/clusters"] {
        for (field, value, status, code) in [
            ("quantity", json!(0), 400, "quantity_out_of_range"),
            ("quantity", json!(100_001), 400, "quantity_out_of_range"),
            ("quantity", json!(u32::MAX), 400, "quantity_out_of_range"),
            ("minutes", json!(0), 400, "minutes_out_of_range"),
            ("minutes", json!(5_256_001), 400, "minutes_out_of_range"),
            ("minutes", json!(u32::MAX), 400, "minutes_out_of_range"),
            ("currency", json!("usdc"), 400, "request_malformed"),
            ("currency", json!("BTC"), 400, "request_malformed"),
            ("hardware", json!("CPU"), 400, "request_malformed"),
            ("hardware", json!("no-such-model"), 400, "hardware_unknown"),
        ] {
            owner.post(path, &booking(field, value)).await.refuses(status, code);
        }
    }
    owner.post("/v1/clusters", &Customer::terms(100_000, 5_256_000)).await.refuses(409, "capacity_insufficient");
    owner.post("/v1/clusters", &booking("name", json!("x".repeat(65)))).await.refuses(400, "field_out_of_range");
    owner.post("/v1/clusters", &booking("name", json!("line\nbreak"))).await.refuses(400, "field_out_of_range");
    let (payments, extensions) = (format!("/v1/clusters/{id}/payments"), format!("/v1/clusters/{id}/extensions"));
    for (amount, code) in [
        (json!("0"), "zero_amount"),
        (json!("18446744073709551615"), "overpayment"),
        (json!("352764"), "overpayment"),
        (json!("01"), "request_malformed"),
        (json!(1000), "request_malformed"),
    ] {
        let answer = owner.post(&payments, &json!({ "amount": amount })).await;
        is_refused(&answer, &amount.to_string());
        assert!(answer.code() == code || code == "overpayment" && answer.code() == "amount_out_of_range", "{amount}: {answer:?}");
    }
    is_refused(&owner.post(&extensions, &json!({ "minutes": 0 })).await, "no minutes");
    is_refused(&owner.post(&extensions, &json!({ "minutes": u32::MAX })).await, "too many minutes");
    // Not paid yet, so not to be extended and not to be ended.
    is_refused(&owner.post(&extensions, &json!({ "minutes": 60 })).await, "an unpaid cluster");
    owner.delete(&format!("/v1/clusters/{id}")).await.refuses(409, "not_terminable");
    for (secs, name) in [(json!(59), "key"), (json!(31_536_001), "key"), (json!(0), "key"), (json!(3_600), ""), (json!(3_600), "\u{7}")] {
        owner.post("/v1/keys", &json!({ "name": name, "scope": "read", "expires_in_secs": secs })).await.refuses(400, "field_out_of_range");
    }
    assert_eq!(world.everything().await, before, "a refused request changed something");
}

#[tokio::test]
async fn paths_queries_and_methods_are_read_strictly() {
    let world = World::open().await;
    let owner = world.customer().await;
    let before = world.everything().await;
    for path in [
        "/",
        "/v1",
        "/v1/",
        "/v2/network",
        "/v1/networks",
        "/v1/network/",
        "/v1/clusters/",
        "/V1/network",
        "/v1/%6eetwork2",
        "/v1/../etc/passwd",
        "//v1/network",
    ] {
        owner.get(path).await.refuses(404, "route_not_found");
    }
    for (method, path) in [
        ("POST", "/v1/network"),
        ("DELETE", "/v1/clusters"),
        ("PATCH", "/v1/keys"),
        ("PUT", "/v1/quotes"),
        ("OPTIONS", "/v1/network"),
        ("TRACE", "/v1/network"),
        ("BREW", "/v1/tne"),
        ("GET", "/v1/quotes"),
    ] {
        owner.api.send(method.parse().unwrap(), path, Some(&owner.token), None).await.refuses(405, "method_not_allowed");
    }
    for id in
        ["1", "x", "%00", "%ff", "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b2", "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21%20", "..%2f..%2fkeys", "null"]
    {
        for rest in ["", "/events", "/receipt", "/ray/api/version"] {
            owner.get(&format!("/v1/clusters/{id}{rest}")).await.refuses(400, "request_malformed");
        }
        owner.delete(&format!("/v1/keys/{id}")).await.refuses(400, "request_malformed");
        world.get(&format!("/v1/devices/{id}"), None).await.refuses(400, "request_malformed");
        world.get(&format!("/v1/transactions/{id}"), None).await.refuses(400, "request_malformed");
    }
    world.get(&format!("/v1/devices/{}", "1".repeat(32)), None).await.refuses(404, "device_not_found");
    world.get(&format!("/v1/transactions/{}", "1".repeat(64)), None).await.refuses(404, "transaction_not_found");
    for path in
        ["/v1/stakes/x", "/v1/slashes/x", "/v1/slashes?status=closed", "/v1/slashes?device=x", "/v1/stakes?device=x", "/v1/devices?mine=1"]
    {
        owner.get(path).await.refuses(400, "request_malformed");
    }
    world.get(&format!("/v1/stakes/{}", "1".repeat(32)), None).await.refuses(404, "device_not_registered");
    world.get("/v1/slashes/0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21", None).await.refuses(404, "case_not_found");
    world.get("/v1/devices?mine=true", None).await.refuses(401, "unauthenticated");
    for path in ["/v1/clusters", "/v1/payments", "/v1/devices", "/v1/transactions"] {
        for query in [
            "limit=-1",
            "limit=1.5",
            "limit=x",
            "limit=",
            "limit=99999999999",
            "page=2",
            "limit=1&limit=2",
            "Limit=1",
            "limit[]=1",
            "%ff=1",
        ] {
            owner.get(&format!("{path}?{query}")).await.refuses(400, "request_malformed");
        }
        for limit in [0, 201, u32::MAX] {
            owner.get(&format!("{path}?limit={limit}")).await.refuses(400, "field_out_of_range");
        }
        for cursor in ["x", "1.5", "-1", "0", "007", "%2B7", "%00", "'", "%F0%9F%A6%80", &"9".repeat(2_000)] {
            owner.get(&format!("{path}?cursor={cursor}")).await.refuses(400, "cursor_invalid");
        }
    }
    for query in ["kind=refunds", "kind=", "cluster_id=x", "kind=pay&kind=pay"] {
        world.get(&format!("/v1/transactions?{query}"), None).await.refuses(400, "request_malformed");
    }
    assert_eq!(world.everything().await, before, "a refused request changed something");
}

#[tokio::test]
async fn no_transaction_but_a_prepared_one_is_sent() {
    let world = World::open().await;
    let _agents = world.agents(2).await;
    let (owner, stranger) = (world.customer().await, world.customer().await);
    let booked = owner.prepare(1, 60).await;
    let prepared = &booked["transaction"];
    let signed = owner.sign(prepared);
    let before = world.everything().await;
    let bytes = |text: &Value| base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text.as_str().unwrap()).unwrap();
    let encoded = |bytes: &[u8]| json!({ "transaction": base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes) });
    let whole = bytes(&signed["transaction"]);
    // Not signed by the customer.
    owner.post("/v1/transactions", &json!({ "transaction": prepared["base64"] })).await.refuses(400, "transaction_unsigned");
    for text in ["", "=", "AAAA", "%%%%", "\u{0}", "AQ=="] {
        owner.post("/v1/transactions", &json!({ "transaction": text })).await.refuses(400, "transaction_malformed");
    }
    owner.post("/v1/transactions", &json!({ "transaction": "A".repeat(60_000) })).await.refuses(400, "transaction_malformed");
    // Any changed byte makes it another transaction than the one that was signed.
    let mut runner = TestRunner::new(Config { cases: 96, ..Config::default() });
    let flips = prop::collection::vec((0..whole.len(), 1_u8..=255), 1..3);
    for _ in 0..96 {
        let mut bent = whole.clone();
        for (place, flip) in flips.new_tree(&mut runner).unwrap().current() {
            bent[place] ^= flip;
        }
        if bent != whole {
            is_refused(&owner.post("/v1/transactions", &encoded(&bent)).await, "a changed transaction");
        }
    }
    for cut in [1, 64, whole.len() / 2, whole.len() - 1] {
        is_refused(&owner.post("/v1/transactions", &encoded(&whole[..cut])).await, "a cut transaction");
    }
    // Somebody else's signature in the customer's place.
    let mut forged = ionet_ledger::decode_transaction(signed["transaction"].as_str().unwrap()).unwrap();
    let place = forged.signatures.len() - 1;
    forged.signatures[place] = solana_signer::Signer::sign_message(&stranger.wallet, &forged.message.serialize());
    let forged = json!({ "transaction": ionet_ledger::encode_transaction(&forged).unwrap() });
    is_refused(&owner.post("/v1/transactions", &forged).await, "a forged signature");
    assert_eq!(world.everything().await, before, "a refused transaction changed something");
    owner.post("/v1/transactions", &signed).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn noise_is_refused() {
    let world = World::open().await;
    let _agents = world.agents(2).await;
    let owner = world.customer().await;
    let id = owner.book(1, 180).await;
    let cases = cases(&owner, &id).await;
    let before = world.everything().await;
    let mut runner = TestRunner::new(Config::default());
    let noise = prop::collection::vec(any::<u8>(), 1..400);
    let text = "[\\[\\]{}:,\"0-9a-z. \\-\\\\eE]{1,120}";
    for case in &cases {
        let valid = case.body.to_string();
        for _ in 0..40 {
            let random = noise.new_tree(&mut runner).unwrap().current();
            is_refused(&send(&world, case, Some("application/json"), random).await, &case.path);
            let json_like = text.new_tree(&mut runner).unwrap().current();
            if json_like.trim() != "{}" {
                is_refused(&send(&world, case, Some("application/json"), json_like).await, &case.path);
            }
            let cut = (1..valid.len()).new_tree(&mut runner).unwrap().current();
            is_refused(&send(&world, case, Some("application/json"), valid[..cut].to_owned()).await, &case.path);
        }
    }
    assert_eq!(world.everything().await, before, "noise changed something");
}
