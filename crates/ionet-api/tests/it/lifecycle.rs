//! The main job over HTTP: quote, book, pay in two stages, run, end early, read the receipt.

use reqwest::StatusCode;
use serde_json::json;

use crate::world::{Customer, World, wait_for};

#[tokio::test]
async fn a_customer_books_pays_runs_and_gets_its_receipt() {
    let world = World::open().await;
    let _agents = world.agents(4).await;
    let owner = world.customer().await;
    let network = world.get("/v1/network", None).await.expect(StatusCode::OK);
    assert_eq!((&network["local"], &network["program_id"]), (&json!(true), &json!(world.operator.program_id().to_string())));
    let hardware = world.get("/v1/hardware", None).await.expect(StatusCode::OK);
    let cpu = hardware["items"].as_array().unwrap().iter().find(|offer| offer["hardware"] == "cpu").unwrap();
    assert_eq!((&cpu["free_devices"], &cpu["rate_micro_usd"]), (&json!(4), &json!("115000")));

    // The worked example: 4 devices for 1 hour at 0.115 USDC are 0.47035 USDC.
    let quote = world.post("/v1/quotes", None, &Customer::terms(4, 60)).await.expect(StatusCode::OK);
    assert_eq!((&quote["total"]["base_units"], &quote["total"]["display"]), (&json!("470350"), &json!("0.47035 USDC")));

    let id = owner.book(4, 180).await;
    let path = format!("/v1/clusters/{id}");
    let booked = owner.get(&path).await.expect(StatusCode::OK);
    assert_eq!((&booked["status"], &booked["total"]["base_units"]), (&json!("booked"), &json!("1392008")));
    let prepared = owner.post(&format!("{path}/payments"), &json!({ "amount": "392008" })).await.expect(StatusCode::CREATED);
    assert_eq!(prepared["due_after"]["base_units"], "1000000");
    owner.post("/v1/transactions", &owner.sign(&prepared["transaction"])).await.expect(StatusCode::OK);
    assert_eq!(owner.reaches(&id, "status", &json!("partially_paid")).await["due"]["base_units"], "1000000");
    owner.post(&format!("{path}/payments"), &json!({ "amount": "1000001" })).await.refuses(422, "overpayment");
    owner.pay(&id).await;
    owner.reaches(&id, "status", &json!("running")).await;

    let extension = owner.post(&format!("{path}/extensions"), &json!({ "minutes": 60 })).await.expect(StatusCode::CREATED);
    owner.post("/v1/transactions", &owner.sign(&extension["transaction"])).await.expect(StatusCode::OK);
    assert_eq!(owner.get(&path).await.expect(StatusCode::OK)["minutes_hired"], 240);

    world.advance_secs(1_800).await;
    let ending = owner.delete(&path).await.expect(StatusCode::ACCEPTED);
    // The metering may have been faster than the answer.
    assert!(ending["terminating"] == true || ending["status"] == "ended", "{ending}");
    owner.delete(&path).await.expect(StatusCode::ACCEPTED);
    owner.reaches(&id, "settled", &json!(true)).await;
    let receipt = wait_for("the receipt to hold all records", async || {
        let receipt = owner.get(&format!("{path}/receipt")).await.expect(StatusCode::OK);
        (receipt["balance"]["ok"] == true && receipt["records"].as_array().unwrap().iter().any(|record| record["kind"] == "earn"))
            .then_some(receipt)
    })
    .await;
    let kinds: Vec<_> = receipt["records"].as_array().unwrap().iter().map(|record| record["kind"].as_str().unwrap()).collect();
    for kind in ["book_product", "pay", "start", "extend", "worked", "refund", "repurchase", "earn"] {
        assert!(kinds.contains(&kind), "{kinds:?} lacks {kind}");
    }
    // All but the first hour comes back: 4 devices x 3 h x 0.113448 USDC, the rate for three hours.
    assert_eq!(receipt["balance"]["refunded"]["base_units"], "1361376");
    owner.post(&format!("{path}/extensions"), &json!({ "minutes": 60 })).await.refuses(422, "not_extendable");
    owner.post(&format!("{path}/payments"), &json!({})).await.refuses(422, "not_payable");
    // The list is read from the index of the chain's records, which follows the chain.
    wait_for("the refund in the list of payments", async || {
        let payments = owner.get("/v1/payments").await.expect(StatusCode::OK);
        (payments["items"][0]["kind"] == "refund").then_some(())
    })
    .await;
    let tne = wait_for("the earnings", async || {
        let tne = world.get("/v1/tne", None).await.expect(StatusCode::OK);
        (tne["total_micro_usd"] != "0").then_some(tne)
    })
    .await;
    assert_eq!((&tne["total_micro_usd"], &tne["device_minutes"]), (&json!("453792"), &json!(240)));
}
