//! Owning, staking, co-staking and being accused, with the real program, as wallets do it over the API.

use ed25519_dalek::SigningKey;
use ionet_ledger::instructions::supply::Accusation;
use ionet_rules::money::{IO_UNIT, Io};
use ionet_rules::slash::{Offence, Verdict};
use ionet_types::agent::{Gpu, Hardware, HardwareKind};
use ionet_types::{CaseId, DeviceId};
use reqwest::StatusCode;
use serde_json::{Value, json};
use solana_signer::Signer as _;

use crate::agent::{TestAgent, hardware};
use crate::world::{Answer, Customer, World, wait_for};

const DAY_SECS: u64 = 24 * 3_600;

/// Base units of IO, as the API writes them.
fn io(amount: u64) -> String {
    (amount * IO_UNIT).to_string()
}

fn h100s() -> Hardware {
    let gpu = Gpu { model: "NVIDIA H100 80GB HBM3".to_owned(), memory_mb: 81_559, ..Gpu::default() };
    Hardware { kind: HardwareKind::Gpu, gpus: vec![gpu; 8], ..hardware() }
}

/// A connected device that names this owner.
async fn device(world: &World, owner: &Customer, hardware: Hardware) -> (DeviceId, TestAgent) {
    let key = SigningKey::from_bytes(&rand::random());
    let id = DeviceId(key.verifying_key().to_bytes());
    let agent = TestAgent::owned(&world.base, key, ionet_types::Address(owner.wallet.pubkey().to_bytes()), hardware);
    wait_for("the device to connect", async || world.get(&format!("/v1/devices/{id}"), None).await.status.is_success().then_some(())).await;
    (id, agent)
}

async fn ask(who: &Customer, device: DeviceId, step: &str, body: Value) -> Answer {
    who.post(&format!("/v1/devices/{device}/{step}"), &body).await
}

/// Prepares the step, signs and submits it.
async fn take(who: &Customer, device: DeviceId, step: &str, body: Value) {
    let prepared = ask(who, device, step, body).await.expect(StatusCode::CREATED);
    assert_eq!(prepared["device"], device.to_string());
    who.post("/v1/transactions", &who.sign(&prepared["transaction"])).await.expect(StatusCode::OK);
}

async fn stake(world: &World, device: DeviceId) -> Value {
    world.get(&format!("/v1/stakes/{device}"), None).await.expect(StatusCode::OK)
}

/// Opens a case as the network's verifier does.
async fn accuse(world: &World, device: DeviceId, amount: u64) -> CaseId {
    let id = CaseId::new();
    let accusation = Accusation {
        case_id: id.bytes(),
        device: device.0.into(),
        offence: Offence::Inconsistent,
        amount: Io(amount * IO_UNIT),
        unvested: Io::ZERO,
        evidence: [7; 32],
    };
    world.ledger.open_case(&world.operator, &accusation).await.unwrap().signature().unwrap();
    id
}

async fn case(world: &World, id: CaseId) -> Value {
    world.get(&format!("/v1/slashes/{id}"), None).await.expect(StatusCode::OK)
}

#[tokio::test]
async fn a_device_is_registered_and_staked_on_by_the_owner_that_it_names_and_nobody_else() {
    let world = World::open().await;
    let (owner, stranger) = (world.customer().await, world.customer().await);
    let (id, _agent) = device(&world, &owner, h100s()).await;
    ask(&stranger, id, "registration", json!({})).await.refuses(403, "device_owner_undeclared");
    ask(&owner, id, "stake", json!({ "amount": io(1) })).await.refuses(404, "device_not_registered");
    take(&owner, id, "registration", json!({})).await;
    ask(&owner, id, "registration", json!({})).await.refuses(409, "device_registered");

    // Eight H100s need 8 x 10 x 200 IO.
    let empty = stake(&world, id).await;
    assert_eq!((empty["minimum"]["base_units"].as_str(), empty["model"].as_str()), (Some(&*io(16_000)), Some("H100 80GB HBM3")));
    assert_eq!((empty["minimum_met"].as_bool(), empty["co_stake"]["status"].as_str()), (Some(false), Some("none")));
    ask(&stranger, id, "stake", json!({ "amount": io(1) })).await.refuses(403, "device_not_yours");
    ask(&owner, id, "stake", json!({ "amount": io(100_001) })).await.refuses(422, "insufficient_funds");
    ask(&owner, id, "stake", json!({ "amount": "0" })).await.refuses(400, "zero_amount");
    take(&owner, id, "stake", json!({ "amount": io(17_000) })).await;
    let staked = stake(&world, id).await;
    assert_eq!((staked["minimum_met"].as_bool(), staked["overflow"]["base_units"].as_str()), (Some(true), Some(&*io(1_000))));
    ask(&owner, id, "withdrawal", json!({ "amount": io(1_001) })).await.refuses(422, "stake_needed");
    take(&owner, id, "withdrawal", json!({})).await;
    assert_eq!(stake(&world, id).await["owner_stake"]["base_units"], io(16_000));

    // What is shown to everybody names nobody; the owner sees its own.
    let wallet = owner.wallet.pubkey().to_string();
    for path in ["/v1/devices".to_owned(), format!("/v1/devices/{id}"), format!("/v1/stakes/{id}"), "/v1/co-stakes/offers".to_owned()] {
        let shown = world.get(&path, None).await.expect(StatusCode::OK).to_string();
        assert!(!shown.contains(&wallet), "{path}: {shown}");
    }
    let mine = owner.get("/v1/stakes").await.expect(StatusCode::OK);
    assert_eq!((mine["items"][0]["role"].as_str(), mine["items"][0]["payout"].as_str()), (Some("owner"), Some(&*wallet)));
    assert_eq!(stranger.get("/v1/stakes").await.expect(StatusCode::OK)["items"], json!([]));
    let devices = async |who: &Customer| who.get("/v1/devices?mine=true").await.expect(StatusCode::OK)["items"].as_array().unwrap().len();
    assert_eq!((devices(&owner).await, devices(&stranger).await), (1, 0));

    let elsewhere = stranger.wallet.pubkey().to_string();
    ask(&stranger, id, "payout", json!({ "wallet": elsewhere })).await.refuses(403, "device_not_yours");
    take(&owner, id, "payout", json!({ "wallet": elsewhere })).await;
    assert_eq!(owner.get("/v1/stakes").await.expect(StatusCode::OK)["items"][0]["payout"], elsewhere);

    // Out again: 14 days, no way back.
    take(&owner, id, "unstake", json!({})).await;
    ask(&owner, id, "stake", json!({ "amount": io(1) })).await.refuses(422, "unstaking");
    ask(&owner, id, "withdrawal", json!({})).await.refuses(422, "wait_not_over");
    assert_eq!(stake(&world, id).await["counted"]["base_units"], "0");
    world.chain.advance_secs(14 * DAY_SECS).await.unwrap();
    take(&owner, id, "withdrawal", json!({})).await;
    assert_eq!(stake(&world, id).await["owner_stake"]["base_units"], "0");
    let balance = world.ledger.token_balance(&owner.wallet.pubkey(), ionet_rules::money::Currency::Io).await.unwrap();
    assert_eq!(balance, 100_000 * IO_UNIT);
}

#[tokio::test]
async fn a_hired_device_is_not_unstaked() {
    let world = World::open().await;
    let owner = world.customer().await;
    let (id, _agent) = device(&world, &owner, hardware()).await;
    take(&owner, id, "registration", json!({})).await;
    take(&owner, id, "stake", json!({ "amount": io(400) })).await;
    assert_eq!(stake(&world, id).await["minimum_met"], true);
    let cluster = owner.running(1, 60).await;
    ask(&owner, id, "unstake", json!({})).await.refuses(409, "device_in_use");
    owner.delete(&format!("/v1/clusters/{cluster}")).await.expect(StatusCode::ACCEPTED);
    wait_for("the device to be free", async || {
        let device = world.get(&format!("/v1/devices/{id}"), None).await.expect(StatusCode::OK);
        (device["usage"] == "free").then_some(())
    })
    .await;
    take(&owner, id, "unstake", json!({})).await;
}

#[tokio::test]
async fn a_co_stake_is_offered_taken_given_notice_of_and_withdrawn() {
    let world = World::open().await;
    let (owner, partner) = (world.customer().await, world.customer().await);
    let (id, _agent) = device(&world, &owner, h100s()).await;
    take(&owner, id, "registration", json!({})).await;
    take(&owner, id, "stake", json!({ "amount": io(8_000) })).await;
    ask(&partner, id, "co-stake", json!({ "amount": io(8_000), "share_bps": 2_500 })).await.refuses(422, "no_such_offer");
    ask(&owner, id, "co-stake/offer", json!({ "max": io(9_000), "share_bps": 10_001 })).await.refuses(400, "share_out_of_range");
    take(&owner, id, "co-stake/offer", json!({ "max": io(9_000), "share_bps": 2_500 })).await;
    let offers = world.get("/v1/co-stakes/offers", None).await.expect(StatusCode::OK);
    let offer = &offers["items"][0];
    assert_eq!((offer["device"].as_str(), offer["share_bps"].as_u64()), (Some(&*id.to_string()), Some(2_500)));
    assert_eq!(offer["max"]["base_units"], io(8_000), "no more than the owner's own");
    ask(&partner, id, "co-stake", json!({ "amount": io(8_001), "share_bps": 2_500 })).await.refuses(422, "co_stake_too_large");
    ask(&partner, id, "co-stake", json!({ "amount": io(1), "share_bps": 5_000 })).await.refuses(422, "no_such_offer");
    take(&partner, id, "co-stake", json!({ "amount": io(8_000), "share_bps": 2_500 })).await;
    let shared = stake(&world, id).await;
    assert_eq!((shared["minimum_met"].as_bool(), shared["co_stake"]["status"].as_str()), (Some(true), Some("active")));
    let mine = partner.get(&format!("/v1/stakes?device={id}")).await.expect(StatusCode::OK);
    assert_eq!(mine["items"][0]["role"], "co_staker");
    assert_eq!(world.get("/v1/co-stakes/offers", None).await.expect(StatusCode::OK)["items"], json!([]));

    ask(&partner, id, "co-stake/withdrawal", json!({})).await.refuses(422, "not_unstaking");
    take(&partner, id, "co-stake/notice", json!({})).await;
    ask(&owner, id, "co-stake/notice", json!({})).await.refuses(422, "notice_given");
    let noticed = stake(&world, id).await["co_stake"].clone();
    assert_eq!(noticed["status"], "notice");
    let (cooling, free) = (noticed["cooling_at_unix_secs"].as_i64().unwrap(), noticed["withdrawable_at_unix_secs"].as_i64().unwrap());
    assert_eq!(free - cooling, 14 * DAY_SECS.cast_signed());
    world.chain.advance_secs(7 * DAY_SECS).await.unwrap();
    let cooled = stake(&world, id).await;
    assert_eq!((cooled["co_stake"]["status"].as_str(), cooled["minimum_met"].as_bool()), (Some("cooling"), Some(false)));
    ask(&partner, id, "co-stake/withdrawal", json!({})).await.refuses(422, "wait_not_over");
    ask(&owner, id, "co-stake/withdrawal", json!({})).await.refuses(403, "device_not_yours");
    world.chain.advance_secs(14 * DAY_SECS).await.unwrap();
    take(&partner, id, "co-stake/withdrawal", json!({})).await;
    assert_eq!(stake(&world, id).await["co_stake"]["status"], "none");
    let balance = world.ledger.token_balance(&partner.wallet.pubkey(), ionet_rules::money::Currency::Io).await.unwrap();
    assert_eq!(balance, 100_000 * IO_UNIT);
}

#[tokio::test]
async fn an_accused_owner_appeals_and_the_council_decides() {
    let world = World::open().await;
    let (owner, stranger) = (world.customer().await, world.customer().await);
    let (id, _agent) = device(&world, &owner, h100s()).await;
    take(&owner, id, "registration", json!({})).await;
    take(&owner, id, "stake", json!({ "amount": io(17_000) })).await;
    let supply = world.ledger.io_supply().await.unwrap();
    let appeal = json!({ "appeal": "5e".repeat(32) });

    let first = accuse(&world, id, 1_000).await;
    let open = case(&world, first).await;
    assert_eq!((open["status"].as_str(), open["offence"].as_str()), (Some("open"), Some("inconsistent")));
    assert_eq!((open["amount"]["base_units"].as_str(), open["evidence"].as_str()), (Some(&*io(1_000)), Some(&*"07".repeat(32))));
    assert_eq!(stake(&world, id).await["frozen"]["base_units"], io(1_000));
    let path = format!("/v1/slashes/{first}/appeal");
    stranger.post(&path, &appeal).await.refuses(403, "device_not_yours");
    let prepared = owner.post(&path, &appeal).await.expect(StatusCode::CREATED);
    owner.post("/v1/transactions", &owner.sign(&prepared["transaction"])).await.expect(StatusCode::OK);
    let appealed = case(&world, first).await;
    assert_eq!((appealed["status"].as_str(), appealed["appeal"].as_str()), (Some("appealed"), Some(&*"5e".repeat(32))));
    owner.post(&path, &appeal).await.refuses(422, "case_not_open");
    world.ledger.decide_case(&world.operator, &first.bytes(), Verdict::Free).await.unwrap().signature().unwrap();
    assert_eq!(case(&world, first).await["status"], "freed");
    assert_eq!(stake(&world, id).await["frozen"]["base_units"], "0");

    // Rejected: burned for good.
    let second = accuse(&world, id, 600).await;
    let prepared = owner.post(&format!("/v1/slashes/{second}/appeal"), &appeal).await.expect(StatusCode::CREATED);
    owner.post("/v1/transactions", &owner.sign(&prepared["transaction"])).await.expect(StatusCode::OK);
    world.ledger.decide_case(&world.operator, &second.bytes(), Verdict::Burn).await.unwrap().signature().unwrap();
    // Not appealed in time: burned by whoever carries it out.
    let third = accuse(&world, id, 400).await;
    world.chain.advance_secs(30 * DAY_SECS + 1).await.unwrap();
    owner.post(&format!("/v1/slashes/{third}/appeal"), &appeal).await.refuses(422, "appeal_too_late");
    world.ledger.lapse_case(&world.operator, &third.bytes()).await.unwrap().signature().unwrap();
    assert_eq!(world.ledger.lapse_case(&world.operator, &third.bytes()).await.unwrap().signature(), None);
    let burned = stake(&world, id).await;
    assert_eq!(
        (burned["burned"]["base_units"].as_str(), burned["owner_stake"]["base_units"].as_str()),
        (Some(&*io(1_000)), Some(&*io(16_000)))
    );
    assert_eq!(world.ledger.io_supply().await.unwrap().0, supply.0 - 1_000 * IO_UNIT);
    let cases = world.get(&format!("/v1/slashes?device={id}&status=burned"), None).await.expect(StatusCode::OK);
    assert_eq!(cases["items"].as_array().unwrap().len(), 2);
}
