//! A server that stops: requests end, streams are told, and it does not wait for those who do not leave.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};

use crate::agent;
use crate::world::{PATIENCE, World};

#[tokio::test]
async fn a_stop_ends_streams_and_connections() {
    let mut world = World::open().await;
    let agents = world.agents(1).await;
    let owner = world.customer().await;
    let id = owner.book(1, 60).await;
    let mut events = owner.api.request(Method::GET, &format!("/v1/clusters/{id}/events"), Some(&owner.token)).send().await.unwrap();
    assert_eq!(events.status(), StatusCode::OK);
    let mut device = agent::connect(&world.base).await;
    agent::next(&mut device).await.unwrap();
    let began = Instant::now();
    world.stop();
    tokio::time::timeout(PATIENCE, &mut world.server).await.unwrap().unwrap().unwrap();
    assert!(began.elapsed() < Duration::from_mins(1));
    while let Ok(Some(_)) = events.chunk().await {}
    while agent::next(&mut device).await.is_some() {}
    assert!(world.http.get(format!("{}/v1/network", world.base)).send().await.is_err(), "nobody listens any more");
    drop(agents);
}
