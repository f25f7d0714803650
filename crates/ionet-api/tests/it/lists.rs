//! Lists in pages.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn pages_together_are_the_list() {
    let world = World::open().await;
    let _agents = world.agents(5).await;
    let owner = world.customer().await;
    let mut booked = Vec::new();
    for _ in 0..5 {
        booked.push(owner.book(1, 60).await);
    }
    booked.reverse();
    let mut seen = Vec::new();
    let mut path = "/v1/clusters?limit=2".to_owned();
    let mut pages = 0;
    loop {
        let page = owner.get(&path).await.expect(StatusCode::OK);
        pages += 1;
        seen.extend(page["items"].as_array().unwrap().iter().map(|cluster| cluster["id"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/clusters?limit=2&cursor={cursor}");
    }
    assert_eq!((pages, &seen), (3, &booked), "newest first, each once");

    let listed = crate::world::wait_for("the records to be indexed", async || {
        let all = world.get("/v1/transactions", None).await.expect(StatusCode::OK);
        Some(all["items"].as_array().unwrap().clone()).filter(|items| items.len() == 5)
    })
    .await;
    let mut signatures = Vec::new();
    let mut path = "/v1/transactions?limit=3&kind=book_product".to_owned();
    loop {
        let page = world.get(&path, None).await.expect(StatusCode::OK);
        signatures.extend(page["items"].as_array().unwrap().iter().map(|record| record["signature"].as_str().unwrap().to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/v1/transactions?limit=3&kind=book_product&cursor={cursor}");
    }
    assert_eq!(signatures, listed.iter().map(|record| record["signature"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
    assert_eq!(signatures.iter().collect::<BTreeSet<_>>().len(), 5);
    let of_one = world.get(&format!("/v1/transactions?cluster_id={}", booked[0]), None).await.expect(StatusCode::OK);
    assert_eq!(of_one["items"].as_array().unwrap().len(), 1);
    assert_eq!(of_one["items"][0]["cluster_id"], json!(booked[0]));
    let one = world.get(&format!("/v1/transactions/{}", signatures[0]), None).await.expect(StatusCode::OK);
    assert_eq!(one["records"][0]["kind"], "book_product");

    let devices = world.get("/v1/devices?limit=3", None).await.expect(StatusCode::OK);
    let rest =
        world.get(&format!("/v1/devices?limit=3&cursor={}", devices["next_cursor"].as_str().unwrap()), None).await.expect(StatusCode::OK);
    assert_eq!((devices["items"].as_array().unwrap().len(), rest["items"].as_array().unwrap().len()), (3, 2));
    let id = devices["items"][0]["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("/v1/devices/{id}"), None).await.expect(StatusCode::OK), devices["items"][0]);
}
