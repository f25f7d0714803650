//! Requests through the tunnel reach one port and carry the cluster's token; nothing else gets through.

use std::time::Duration;

use axum::{
    Router,
    body::Bytes,
    extract::{
        Request, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    http::HeaderMap,
    routing::{any, get, post},
};
use ionet_types::agent::{AgentMessage, HttpCancel, HubMessage, RayRole, WorkloadKey, tunnel::WINDOW_CHUNKS};
use tempfile::TempDir;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::{
    hub::{TOKEN, TestHub, ray_node},
    sleeper::{Sleeper, TestAgent},
};

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_) | Message::Binary(_)) && socket.send(message).await.is_err() {
            return;
        }
    }
}

/// What a dashboard could be.
async fn dashboard() -> u16 {
    let app = Router::new()
        .route("/headers", get(|headers: HeaderMap| async move { format!("{headers:?}") }))
        .route(
            "/length",
            post(|body: Bytes| async move { format!("{} {}", body.len(), body.iter().map(|byte| u64::from(*byte)).sum::<u64>()) }),
        )
        .route("/big", get(|| async { vec![7u8; 5 << 20] }))
        .route("/slow", get(|| async { tokio::time::sleep(Duration::from_hours(1)).await }))
        .route("/socket", any(|upgrade: WebSocketUpgrade| async move { upgrade.on_upgrade(echo) }))
        .fallback(|request: Request| async move { format!("{} {}", request.method(), request.uri()) })
        .layer(axum::extract::DefaultBodyLimit::disable());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    port
}

struct World {
    hub: TestHub,
    agent: TestAgent,
    key: WorkloadKey,
    _dir: TempDir,
}

async fn world() -> World {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper { dashboard_port: dashboard().await, ..Sleeper::default() });
    let want = ray_node(Uuid::now_v7(), 0, RayRole::Head, None);
    hub.want(&agent.device_id, vec![want.clone(), ray_node(want.key.cluster_id, 1, RayRole::Worker, None)]);
    hub.observe_ready(&agent.device_id, want.key).await;
    hub.observe_ready(&agent.device_id, WorkloadKey { node: 1, ..want.key }).await;
    World { hub, agent, key: want.key, _dir: dir }
}

#[tokio::test]
async fn a_request_carries_the_clusters_token_and_no_other() {
    let World { hub, agent, key, .. } = &world().await;
    let sent = [("authorization", "Bearer mine"), ("cookie", "session=1"), ("host", "example.org"), ("x-y", "z"), ("connection", "x-y")];
    let (status, body) = hub.request(&agent.device_id, *key, "GET", "/headers", &sent, true).answer().await;
    let body = String::from_utf8(body).unwrap();
    assert_eq!(status, 200);
    assert!(body.contains("\"x-y\": \"z\"") && body.contains("127.0.0.1"), "{body}");
    assert!(!body.contains("mine") && !body.contains("cookie") && !body.contains("example.org"), "{body}");
    assert!(body.contains("Sensitive") || body.contains(TOKEN), "{body}");
    assert_eq!(hub.fetch(&agent.device_id, *key, "DELETE", "/a/b?c=d%20e", "").await, (200, "DELETE /a/b?c=d%20e".to_owned()));
}

#[tokio::test]
async fn only_a_head_that_runs_here_is_reached_and_only_by_path() {
    let World { hub, agent, key, .. } = &world().await;
    for (other, status) in [
        (WorkloadKey { node: 1, ..*key }, 404),
        (WorkloadKey { node: 2, ..*key }, 404),
        (WorkloadKey { cluster_id: Uuid::nil(), node: 0 }, 404),
    ] {
        assert_eq!(hub.fetch(&agent.device_id, other, "GET", "/headers", "").await.0, status);
    }
    for path in ["", "headers", "http://example.org/", "//example.org/", "*", "example.org:80", "/a b", "/\r\nx: y"] {
        assert_eq!(hub.fetch(&agent.device_id, *key, "GET", path, "").await.0, 400, "{path:?}");
    }
    for method in ["", "CONNECT", "A B", "GET\r\n"] {
        assert_eq!(hub.fetch(&agent.device_id, *key, method, "/", "").await.0, 400, "{method:?}");
    }
    for header in [("a b", "c"), ("a", "b\r\nc: d")] {
        assert_eq!(hub.request(&agent.device_id, *key, "GET", "/", &[header], true).answer().await.0, 400, "{header:?}");
    }
}

#[tokio::test]
async fn large_bodies_go_both_ways_within_the_window() {
    let World { hub, agent, key, .. } = &world().await;
    // Up: as much as the window allows, then one chunk for each credit.
    let mut upload = hub.request(&agent.device_id, *key, "POST", "/length", &[], false);
    let (chunk, count) = (vec![1u8; 60_000], 100u32);
    let mut room = WINDOW_CHUNKS;
    for index in 0..count {
        while room == 0 {
            let AgentMessage::HttpCredit(credit) = upload.next().await else { panic!("not a credit") };
            room += credit.chunks;
        }
        room -= 1;
        upload.send(&chunk, index + 1 == count);
    }
    let (status, body) = upload.answer().await;
    assert_eq!((status, String::from_utf8(body).unwrap()), (200, "6000000 6000000".to_owned()));

    // Down: no more than the window without credit.
    let mut download = hub.request(&agent.device_id, *key, "GET", "/big", &[], true);
    assert!(matches!(download.next().await, AgentMessage::HttpResponse(response) if response.status == 200));
    let mut received = 0;
    for _ in 0..WINDOW_CHUNKS {
        let AgentMessage::HttpBody(body) = download.next().await else { panic!("not a body") };
        received += body.chunk.as_ref().len();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(download.answers.is_empty(), "more than the window was sent");
    // Others are not held back by it.
    assert_eq!(hub.fetch(&agent.device_id, *key, "POST", "/length", "abc").await, (200, "3 294".to_owned()));
    download.allow(WINDOW_CHUNKS);
    received += download.answer().await.1.len();
    assert_eq!(received, 5 << 20);
}

#[tokio::test]
async fn who_sends_more_than_the_window_is_refused() {
    let World { hub, agent, key, .. } = &world().await;
    let mut flood = hub.request(&agent.device_id, *key, "POST", "/slow", &[], false);
    for _ in 0..2000 {
        flood.send(&vec![0; 60_000], false);
    }
    assert_eq!(flood.answer().await.0, 413);
    assert_eq!(hub.fetch(&agent.device_id, *key, "GET", "/x", "").await.0, 200, "the connection survives");
}

#[tokio::test]
async fn many_at_once_and_cancelled_ones() {
    let World { hub, agent, key, .. } = &world().await;
    let slow: Vec<_> = (0..100).map(|_| hub.request(&agent.device_id, *key, "GET", "/slow", &[], true)).collect();
    let quick = futures::future::join_all((0..100).map(|_| hub.fetch(&agent.device_id, *key, "GET", "/x", ""))).await;
    assert!(quick.iter().all(|(status, _)| *status == 200));
    let more: Vec<_> = (0..157).map(|_| hub.request(&agent.device_id, *key, "GET", "/slow", &[], true)).collect();
    let mut last = more.into_iter().last().unwrap();
    assert_eq!(last.answer().await.0, 429);
    for exchange in &slow {
        exchange.say(HubMessage::HttpCancel(HttpCancel { request_id: exchange.id }));
    }
    assert_eq!(hub.fetch(&agent.device_id, *key, "GET", "/x", "").await.0, 200, "cancelled requests make room");
}

#[tokio::test]
async fn websockets_pass() {
    let World { hub, agent, key, .. } = &world().await;
    let headers = [
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let mut socket = hub.request(&agent.device_id, *key, "GET", "/socket", &headers, false);
    let AgentMessage::HttpResponse(response) = socket.next().await else { panic!("not a response") };
    assert_eq!(response.status, 101);
    assert!(
        response.headers.contains(&("sec-websocket-accept".to_owned(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned())),
        "{:?}",
        response.headers
    );
    assert!(response.headers.iter().any(|(name, _)| name == "upgrade"));
    // A masked text frame with "hello", mask 0.
    socket.send(&[0x81, 0x85, 0, 0, 0, 0, b'h', b'e', b'l', b'l', b'o'], false);
    let mut echoed = Vec::new();
    while echoed.len() < 7 {
        match socket.next().await {
            AgentMessage::HttpBody(body) => echoed.extend(body.chunk.into_bytes()),
            AgentMessage::HttpCredit(_) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(echoed, [0x81, 5, b'h', b'e', b'l', b'l', b'o']);
    // A masked close frame ends it from the other side.
    socket.send(&[0x88, 0x80, 0, 0, 0, 0], false);
    while !matches!(socket.next().await, AgentMessage::HttpBody(body) if body.end) {}
}
