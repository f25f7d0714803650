//! Rates, sizes, and what every answer carries.

use std::time::Duration;

use ionet_api::{ApiOptions, Rate};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::world::{Answer, World, generous};

#[tokio::test]
async fn addresses_callers_and_sign_ins_are_kept_to_their_rates() {
    let slow = Rate { per_second: 1, burst: 20 };
    let world = World::with(ApiOptions { sign_in_rate: slow, ..generous() }).await;
    let wallet = json!({ "wallet": "11111111111111111111111111111112" });
    let mut refused = None;
    for _ in 0..200 {
        let answer = world.post("/v1/auth/challenges", None, &wallet).await;
        if answer.status != StatusCode::CREATED {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.unwrap();
    refused.refuses(429, "rate_limited");
    assert!(refused.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    world.get("/v1/network", None).await.expect(StatusCode::OK);

    let world = World::with(ApiOptions { caller_rate: slow, ..generous() }).await;
    let (owner, other) = (world.customer().await, world.customer().await);
    let mut answers = Vec::new();
    for _ in 0..60 {
        answers.push(owner.get("/v1/keys").await);
    }
    answers.iter().find(|answer| answer.status != StatusCode::OK).unwrap().refuses(429, "rate_limited");
    other.get("/v1/keys").await.expect(StatusCode::OK);

    let world = World::with(ApiOptions { address_rate: slow, ..generous() }).await;
    let mut codes = Vec::new();
    for _ in 0..60 {
        codes.push(world.get("/v1/health", None).await.status.as_u16());
    }
    assert!(codes.contains(&429) && codes[0] == 200, "{codes:?}");
}

#[tokio::test]
async fn a_slow_body_is_given_up() {
    let world = World::with(ApiOptions { body_timeout: Duration::from_millis(300), ..generous() }).await;
    let mut connection = TcpStream::connect(world.base.trim_start_matches("http://")).await.unwrap();
    let head = "POST /v1/quotes HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{\"hardware\"";
    connection.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4_096];
    let read = connection.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
}

#[tokio::test]
async fn requests_that_are_no_http_hurt_nobody() {
    let world = World::open().await;
    for text in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",
        b"GET /v1/network HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    ] {
        let mut connection = TcpStream::connect(world.base.trim_start_matches("http://")).await.unwrap();
        connection.write_all(text).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut answer = Vec::new();
        // A connection that is simply closed is an answer too.
        drop(connection.read_to_end(&mut answer).await);
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    }
    let many = "x-many: 1\r\n".repeat(2_000);
    let mut connection = TcpStream::connect(world.base.trim_start_matches("http://")).await.unwrap();
    connection.write_all(format!("GET /v1/network HTTP/1.1\r\nhost: x\r\n{many}\r\n").as_bytes()).await.unwrap();
    let mut answer = vec![0; 64];
    let read = connection.read(&mut answer).await.unwrap_or(0);
    assert!(read == 0 || answer.starts_with(b"HTTP/1.1 431"), "{}", String::from_utf8_lossy(&answer));
    world.get("/v1/network", None).await.expect(StatusCode::OK);
}

#[tokio::test]
async fn every_answer_is_named_and_safe_for_a_browser() {
    let world = World::with(ApiOptions { allowed_origins: vec!["https://console.example".to_owned()], ..generous() }).await;
    for (path, status) in [("/v1/network", 200), ("/v1/nothing", 404), ("/v1/clusters", 401), ("/v1/openapi.json", 200)] {
        let answer = Answer::of(
            world.api().request(Method::GET, path, None).header("x-request-id", "mine").header("origin", "https://evil.example"),
        )
        .await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        let header = |name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("x-content-type-options"), Some("nosniff"));
        assert_eq!(header("cache-control"), Some("no-store"));
        assert!(header("content-security-policy").unwrap().contains("default-src 'none'"));
        assert!(header("x-request-id").is_some_and(|id| id != "mine" && id.len() == 36));
        assert_eq!(header("access-control-allow-origin"), None, "{path}");
    }
    let preflight = world.api().request(Method::OPTIONS, "/v1/clusters", None);
    let preflight = preflight.header("origin", "https://console.example").header("access-control-request-method", "POST");
    let answer = Answer::of(preflight).await;
    assert_eq!(answer.headers["access-control-allow-origin"], "https://console.example");
    let health = world.get("/v1/health", None).await.expect(StatusCode::OK);
    assert_eq!((&health["ok"], &health["store"], &health["chain"]), (&json!(true), &json!(true), &json!(true)));
    let document = world.get("/v1/openapi.json", None).await.expect(StatusCode::OK);
    assert_eq!(document, crate::drift::document());
}
