//! The way to a cluster's own Ray.

use futures::{SinkExt as _, StreamExt as _};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

use crate::world::{Answer, World};

fn header<'a>(asked: &'a Value, name: &str) -> Option<&'a str> {
    asked["headers"].as_array().unwrap().iter().find(|header| header[0] == name).map(|header| header[1].as_str().unwrap())
}

#[tokio::test]
async fn requests_reach_ray_as_they_are_but_for_the_secrets() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let owner = world.customer().await;
    let id = owner.running(1, 180).await;
    let (read, write) = (owner.key("read").await, owner.key("write").await);
    let root = format!("/v1/clusters/{id}/ray/");

    let request = owner.api.request(Method::GET, &format!("{root}api/jobs/a%2Fb?x=%20&y=1"), Some(&read));
    let request = request
        .header("cookie", "a=b")
        .header("x-forwarded-for", "1.2.3.4")
        .header("x-mine", "yes")
        .header("x-ray-authorization", "Bearer x");
    let answer = Answer::of(request).await;
    assert_eq!(answer.status, StatusCode::MULTI_STATUS);
    let asked = &answer.body;
    assert_eq!((asked["method"].as_str(), asked["path"].as_str()), (Some("GET"), Some("/api/jobs/a%2Fb?x=%20&y=1")));
    assert_eq!(asked["key"], json!(id));
    assert_eq!(header(asked, "x-mine"), Some("yes"));
    for secret in ["authorization", "cookie", "host", "x-forwarded-for", "x-ray-authorization", "connection"] {
        assert_eq!(header(asked, secret), None, "{secret} went to the cluster");
    }
    assert!(!asked.to_string().contains(&read), "the key went to the cluster");
    assert_eq!(answer.headers["content-type"], "text/x-test");
    assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("access-control-allow-origin"));
    assert!(answer.headers["content-security-policy"].to_str().unwrap().starts_with("sandbox"));

    // Bodies of any size and both kinds of framing.
    for size in [1, 65_536, 3_000_000] {
        let request = owner.api.request(Method::POST, &root, Some(&write)).body(vec![7_u8; size]);
        assert_eq!(Answer::of(request).await.expect(StatusCode::MULTI_STATUS)["body_bytes"], json!(size));
        let parts = futures::stream::iter((0..size.div_ceil(10_000)).map(|_| Ok::<_, std::io::Error>(vec![7_u8; 10_000])));
        let request = owner.api.request(Method::PUT, &root, Some(&write)).body(reqwest::Body::wrap_stream(parts));
        assert_eq!(Answer::of(request).await.expect(StatusCode::MULTI_STATUS)["body_bytes"], json!(size.div_ceil(10_000) * 10_000));
    }
    let long = format!("{root}{}", "a".repeat(10_000));
    owner.get(&long).await.refuses(400, "request_malformed");
}

#[tokio::test]
async fn a_websocket_to_ray_carries_both_ways() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let owner = world.customer().await;
    let id = owner.running(1, 180).await;
    let url = format!("{}/v1/clusters/{id}/ray/api/jobs/1/logs/tail", world.base.replace("http", "ws"));
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", owner.token).parse().unwrap());
    let (mut socket, answer) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert_eq!(answer.status().as_u16(), 101);
    for text in ["one", "two", "three"] {
        socket.send(Message::text(text)).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(text));
    }
}

#[tokio::test]
async fn a_cluster_without_ray_says_so() {
    let world = World::open().await;
    let agents = world.agents(1).await;
    let owner = world.customer().await;
    let id = owner.running(1, 180).await;
    drop(agents);
    crate::world::wait_for("the device to be away", async || (world.hub.agents().connected() == 0).then_some(())).await;
    owner.get(&format!("/v1/clusters/{id}/ray/api/version")).await.refuses(503, "device_unreachable");
}
