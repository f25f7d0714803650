//! Requests that are repeated: twice is once.

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Answer, Customer, World};

async fn with_key(customer: &Customer, path: &str, key: &str, body: &Value) -> Answer {
    let request = customer.api.request(Method::POST, path, Some(&customer.token)).header("idempotency-key", key).json(body);
    Answer::of(request).await
}

#[tokio::test]
async fn a_repeated_booking_is_one_booking() {
    let world = World::open().await;
    let _agents = world.agents(4).await;
    let (owner, other) = (world.customer().await, world.customer().await);
    let terms = Customer::terms(1, 60);
    let answers = join_all((0..8).map(|_| with_key(&owner, "/v1/clusters", "order-17", &terms))).await;
    for answer in &answers {
        match answer.status {
            StatusCode::CREATED => assert_eq!(
                answer.headers["location"].to_str().unwrap(),
                format!("/v1/clusters/{}", answer.body["cluster"]["id"].as_str().unwrap())
            ),
            _ => answer.refuses(409, "idempotency_key_in_use"),
        }
    }
    let first = with_key(&owner, "/v1/clusters", "order-17", &terms).await.expect(StatusCode::CREATED);
    assert!(answers.iter().filter(|answer| answer.status == StatusCode::CREATED).all(|answer| answer.body == first));
    assert_eq!(owner.get("/v1/clusters").await.expect(StatusCode::OK)["items"].as_array().unwrap().len(), 1);
    with_key(&owner, "/v1/clusters", "order-17", &Customer::terms(1, 61)).await.refuses(422, "idempotency_key_reused");
    // The key is the caller's own.
    let others = with_key(&other, "/v1/clusters", "order-17", &terms).await.expect(StatusCode::CREATED);
    assert_ne!(others["cluster"]["id"], first["cluster"]["id"]);
    // A refused request does not use its key up.
    with_key(&owner, "/v1/clusters", "order-18", &Customer::terms(0, 60)).await.refuses(400, "quantity_out_of_range");
    with_key(&owner, "/v1/clusters", "order-18", &terms).await.expect(StatusCode::CREATED);
}

#[tokio::test]
async fn a_repeated_payment_is_paid_once() {
    let world = World::open().await;
    let _agents = world.agents(2).await;
    let owner = world.customer().await;
    let id = owner.book(1, 60).await;
    let path = format!("/v1/clusters/{id}/payments");
    let prepared = with_key(&owner, &path, "pay-1", &json!({ "amount": "1000" })).await.expect(StatusCode::CREATED);
    let again = with_key(&owner, &path, "pay-1", &json!({ "amount": "1000" })).await.expect(StatusCode::CREATED);
    assert_eq!(prepared, again);
    let signed = owner.sign(&prepared["transaction"]);
    let sent = owner.post("/v1/transactions", &signed).await.expect(StatusCode::OK);
    let repeated = owner.post("/v1/transactions", &signed).await.expect(StatusCode::OK);
    assert_eq!(sent, repeated, "sending it twice is sending it once");
    let cluster = owner.reaches(&id, "status", &json!("partially_paid")).await;
    assert_eq!(cluster["paid"]["base_units"], "1000");
}
