//! How devices become a wallet's, over HTTP and the agents' websocket.

use ed25519_dalek::SigningKey;
use ionet_types::DeviceId;
use ionet_types::agent::{AgentMessage, Hello, HubMessage, Introduction};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use solana_signer::Signer as _;

use crate::agent::{Socket, connect, hardware, next, say};
use crate::world::{Answer, Customer, Rules, World, generous, wait_for};
use ionet_hub::{Admission, Limits};

/// A device's key, and what it was last given.
pub(crate) struct Device {
    pub(crate) key: SigningKey,
    pub(crate) credential: Option<String>,
}

impl Device {
    pub(crate) fn new() -> Self {
        Self { key: SigningKey::from_bytes(&rand::random()), credential: None }
    }

    pub(crate) fn id(&self) -> DeviceId {
        DeviceId(self.key.verifying_key().to_bytes())
    }

    /// The same key and credential, in somebody else's hands.
    pub(crate) fn copied(&self) -> Self {
        Self { key: self.key.clone(), credential: self.credential.clone() }
    }

    /// Connects with what it has and keeps the credential that it gets; or the code of the refusal.
    pub(crate) async fn join(&mut self, world: &World, token: Option<&str>) -> Result<Socket, String> {
        self.say_hello(world, |introduction| introduction.join_token = token.map(str::to_owned)).await
    }

    /// The same, with an introduction that `change` has changed.
    pub(crate) async fn say_hello(&mut self, world: &World, change: impl FnOnce(&mut Introduction)) -> Result<Socket, String> {
        let mut socket = connect(&world.base).await;
        let Some(HubMessage::Challenge { nonce, network }) = next(&mut socket).await else { panic!("a challenge comes first") };
        let mut introduction = Introduction { credential: self.credential.clone(), ..Introduction::new("test", hardware()) };
        change(&mut introduction);
        say(&mut socket, &AgentMessage::Hello(Box::new(Hello::sign(&self.key, &network, &nonce, introduction)))).await;
        match next(&mut socket).await {
            Some(HubMessage::Welcome { .. }) => {}
            Some(HubMessage::Refused { code, .. }) => return Err(code),
            other => panic!("{other:?}"),
        }
        let Some(HubMessage::Credential { credential }) = next(&mut socket).await else { panic!("a credential comes second") };
        self.credential = Some(credential.reveal().to_owned());
        Ok(socket)
    }
}

impl Customer {
    /// A join token's answer.
    pub(crate) async fn join_token(&self, max_devices: u32) -> Value {
        let request = json!({ "name": "rack", "max_devices": max_devices, "expires_in_secs": 3_600 });
        self.post("/v1/join-tokens", &request).await.expect(StatusCode::CREATED)
    }

    async fn tokens(&self) -> Value {
        self.get("/v1/join-tokens").await.expect(StatusCode::OK)["items"].clone()
    }
}

#[tokio::test]
async fn a_fleet_joins_with_one_token() {
    let world = World::approved().await;
    let (owner, stranger) = (world.customer().await, world.customer().await);
    let created = owner.join_token(2).await;
    let (secret, id) = (created["secret"].as_str().unwrap(), created["token"]["id"].as_str().unwrap());
    assert!(secret.starts_with("ionet_join_"));
    let mut devices = [Device::new(), Device::new(), Device::new()];
    assert_eq!(devices[0].join(&world, None).await.unwrap_err(), "join_token_missing");
    assert_eq!(devices[0].join(&world, Some("ionet_join_invented")).await.unwrap_err(), "join_token_invalid");
    let socket = devices[0].join(&world, Some(secret)).await.unwrap();
    devices[1].join(&world, Some(secret)).await.unwrap();
    assert_eq!(devices[2].join(&world, Some(secret)).await.unwrap_err(), "join_token_exhausted");
    let tokens = owner.tokens().await;
    assert_eq!((&tokens[0]["devices_joined"], &tokens[0]["uses_left"]), (&json!(2), &json!(0)));
    assert!(!tokens.to_string().contains(secret), "a secret is shown once");
    assert!(!world.everything().await.iter().any(|row| row.contains(secret)), "a secret is not stored");
    assert_eq!(stranger.tokens().await, json!([]));
    let own = owner.get("/v1/devices?mine=true").await.expect(StatusCode::OK);
    assert_eq!(own["items"].as_array().unwrap().len(), 2);
    // It comes back without a token, by its credential; and the token's end is not its own.
    drop(socket);
    stranger.delete(&format!("/v1/join-tokens/{id}")).await.refuses(404, "join_token_not_found");
    owner.delete(&format!("/v1/join-tokens/{id}")).await.expect(StatusCode::NO_CONTENT);
    devices[0].join(&world, None).await.unwrap();
    assert_eq!(devices[2].join(&world, Some(secret)).await.unwrap_err(), "join_token_revoked");

    let short = owner.post("/v1/join-tokens", &json!({ "name": "short", "max_devices": 9, "expires_in_secs": 60 })).await;
    let short = short.expect(StatusCode::CREATED)["secret"].as_str().unwrap().to_owned();
    world.clock.advance_secs(60);
    assert_eq!(devices[2].join(&world, Some(&short)).await.unwrap_err(), "join_token_expired");
    for (name, max_devices, secs) in [("", 1, 60), ("a\nb", 1, 60), ("a", 0, 60), ("a", 10_001, 60), ("a", 1, 59), ("a", 1, 31_536_001)] {
        let request = json!({ "name": name, "max_devices": max_devices, "expires_in_secs": secs });
        owner.post("/v1/join-tokens", &request).await.refuses(400, "field_out_of_range");
    }
}

#[tokio::test]
async fn a_device_with_a_code_is_approved_once_by_one_wallet() {
    let world = World::approved().await;
    let (owner, stranger) = (world.customer().await, world.customer().await);
    let ask = async |label: &str| world.post("/v1/device-codes", None, &json!({ "label": label })).await.expect(StatusCode::CREATED);
    let code = ask("garage").await;
    let user_code = code["user_code"].as_str().unwrap().to_owned();
    let page = code["verification_url"].as_str().unwrap().strip_prefix(&world.base).unwrap().to_owned();
    let poll = async |code: &Value| {
        world.post("/v1/device-codes/token", None, &json!({ "device_code": code["device_code"] })).await.expect(StatusCode::OK)
    };
    assert_eq!(poll(&code).await["status"], "pending");
    assert_eq!(poll(&code).await["status"], "slow_down", "more often than it was told");
    world.post("/v1/device-codes/token", None, &json!({ "device_code": "ionet_code_1" })).await.refuses(404, "device_code_unknown");

    let shown = owner.get(&format!("/v1/device-codes/{}", user_code.to_lowercase().replace('-', ""))).await.expect(StatusCode::OK);
    assert_eq!((&shown["label"], &shown["status"], &shown["address"]), (&json!("garage"), &json!("pending"), &json!("127.0.0.1")));
    let html = Answer::of(world.api().request(Method::GET, &page, None)).await;
    assert!(html.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(html.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    assert!(html.body.as_str().unwrap().contains(&format!("ionet joins approve {user_code}")), "{html:?}");
    let evil = Answer::of(world.api().request(Method::GET, "/activate?code=%3Cscript%3Ealert(1)%3C/script%3E", None)).await;
    assert!(evil.status == StatusCode::OK && !evil.body.as_str().unwrap().contains("<script"), "{evil:?}");

    let path = format!("/v1/device-codes/{user_code}/approval");
    let approved = owner.post(&path, &json!({ "approve": true })).await.expect(StatusCode::OK);
    assert_eq!(approved["status"], "approved");
    stranger.post(&path, &json!({ "approve": true })).await.refuses(409, "device_code_decided");
    owner.post(&path, &json!({ "approve": false })).await.refuses(409, "device_code_decided");
    let answer = poll(&code).await;
    assert_eq!((&answer["status"], &answer["wallet"]), (&json!("approved"), &json!(owner.wallet.pubkey().to_string())));
    assert_eq!(poll(&code).await["status"], "expired", "its token is given out once");
    let token = answer["join_token"].as_str().unwrap().to_owned();
    let (mut device, mut second) = (Device::new(), Device::new());
    device.join(&world, Some(&token)).await.unwrap();
    assert_eq!(second.join(&world, Some(&token)).await.unwrap_err(), "join_token_exhausted", "for this one device");
    let own = owner.get("/v1/devices?mine=true").await.expect(StatusCode::OK);
    assert_eq!(own["items"][0]["id"], json!(device.id()));

    let denied = ask("elsewhere").await;
    owner
        .post(&format!("/v1/device-codes/{}/approval", denied["user_code"].as_str().unwrap()), &json!({ "approve": false }))
        .await
        .expect(StatusCode::OK);
    assert_eq!(poll(&denied).await["status"], "denied");
    let late = ask("late").await;
    world.clock.advance_secs(10 * 60);
    assert_eq!(poll(&late).await["status"], "expired");
    let path = format!("/v1/device-codes/{}", late["user_code"].as_str().unwrap());
    owner.get(&path).await.refuses(404, "device_code_unknown");
    owner.post(&format!("{path}/approval"), &json!({ "approve": true })).await.refuses(404, "device_code_unknown");
    owner.get("/v1/device-codes/AEIO-UAEI").await.refuses(400, "request_malformed");
    world.post("/v1/device-codes", None, &json!({ "label": "x".repeat(65) })).await.refuses(400, "field_out_of_range");
}

#[tokio::test]
async fn codes_are_bounded_and_nobody_may_guess_many() {
    let limits = Limits { device_codes_per_address: 3, code_tries_per_hour: 5, ..Limits::LOCAL };
    let world = World::with_rules(generous(), Rules { admission: Admission::Approved, limits }).await;
    let (owner, other) = (world.customer().await, world.customer().await);
    for _ in 0..3 {
        world.post("/v1/device-codes", None, &json!({})).await.expect(StatusCode::CREATED);
    }
    world.post("/v1/device-codes", None, &json!({})).await.refuses(429, "device_code_limit");
    world.clock.advance_secs(10 * 60);
    world.post("/v1/device-codes", None, &json!({})).await.expect(StatusCode::CREATED);
    for _ in 0..5 {
        owner.get("/v1/device-codes/WDJB-MJHT").await.refuses(404, "device_code_unknown");
    }
    owner.get("/v1/device-codes/WDJB-MJHT").await.refuses(429, "rate_limited");
    owner.post("/v1/device-codes/WDJB-MJHT/approval", &json!({ "approve": true })).await.refuses(429, "rate_limited");
    other.get("/v1/device-codes/WDJB-MJHT").await.refuses(404, "device_code_unknown");
}

#[tokio::test]
async fn the_log_is_whole_for_everybody_and_told_to_whom_it_concerns() {
    let world = World::approved().await;
    let (owner, stranger) = (world.customer().await, world.customer().await);
    let created = owner.join_token(1).await;
    Device::new().join(&world, created["secret"].as_str()).await.unwrap();
    let entries = wait_for("the log to tell of the device", async || {
        let page = owner.get("/v1/audit?mine=true").await.expect(StatusCode::OK);
        Some(page["items"].as_array().unwrap().clone()).filter(|items| items.iter().any(|entry| entry["action"] == "device_joined"))
    })
    .await;
    assert!(entries.iter().any(|entry| entry["action"] == "join_token_created"));
    assert_eq!(stranger.get("/v1/audit").await.expect(StatusCode::OK)["items"], json!([]));
    owner.get("/v1/audit?mine=false").await.refuses(400, "request_malformed");
    owner.get("/v1/audit?cursor=0").await.refuses(400, "cursor_invalid");
    world.get("/v1/audit/links?limit=0", None).await.refuses(400, "field_out_of_range");
    world.get("/v1/audit/links?after=18446744073709551615", None).await.refuses(400, "field_out_of_range");
    // Anybody can compute the head from the links, and the owner its own entries' digests.
    let said: ionet_types::audit::AuditHead =
        serde_json::from_value(world.get("/v1/audit/head", None).await.expect(StatusCode::OK)).unwrap();
    let links: ionet_types::audit::AuditLinkList =
        serde_json::from_value(world.get("/v1/audit/links", None).await.expect(StatusCode::OK)).unwrap();
    let mut walk = ionet_types::audit::AuditWalk::new(None);
    for link in &links.items {
        walk.link(*link).unwrap();
    }
    assert_eq!(walk.end(Some(said)), Ok(said));
    for entry in entries {
        let entry: ionet_types::audit::AuditEntry = serde_json::from_value(entry).unwrap();
        assert!(links.items.contains(&entry.link()));
    }
}
