//! Where devices connect.

use ed25519_dalek::SigningKey;
use futures::{SinkExt as _, StreamExt as _};
use ionet_types::agent::{AgentMessage, Heartbeat, Hello, HubMessage, Introduction, Load, MAX_FRAME_BYTES, Session};
use tokio_tungstenite::tungstenite::Message;

use crate::agent::{connect, hardware, introduce, next, say};
use crate::world::{World, generous, wait_for};

fn key() -> SigningKey {
    SigningKey::from_bytes(&rand::random())
}

#[tokio::test]
async fn a_device_without_proof_is_refused_and_changes_nothing() {
    let world = World::open().await;
    let before = world.everything().await;
    let refused = |message: Option<HubMessage>| match message {
        Some(HubMessage::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    };

    // Another key's signature.
    let mut socket = connect(&world.base).await;
    let Some(HubMessage::Challenge { nonce, network }) = next(&mut socket).await else { panic!("a challenge comes first") };
    let mut hello = Hello::sign(&key(), &network, &nonce, Introduction::new("test", hardware()));
    hello.signature = Hello::sign(&key(), &network, &nonce, Introduction::new("test", hardware())).signature;
    say(&mut socket, &AgentMessage::Hello(Box::new(hello))).await;
    assert_eq!(refused(next(&mut socket).await), "device_signature_invalid");
    assert!(next(&mut socket).await.is_none(), "the hub closes after a refusal");

    // A hello that was signed for another connection.
    let mut socket = connect(&world.base).await;
    next(&mut socket).await.unwrap();
    say(&mut socket, &AgentMessage::Hello(Box::new(Hello::sign(&key(), &network, &nonce, Introduction::new("test", hardware()))))).await;
    assert_eq!(refused(next(&mut socket).await), "device_signature_invalid");

    // No hello.
    let mut socket = connect(&world.base).await;
    next(&mut socket).await.unwrap();
    say(&mut socket, &AgentMessage::Heartbeat(Heartbeat::sign(&key(), &Session([0; 32]), 1, 0, 0, Load::default()))).await;
    assert_eq!(refused(next(&mut socket).await), "hello_missing");

    // No message at all.
    for text in ["", "{", "[]", "null", "{\"type\":7}", "\u{0}"] {
        let mut socket = connect(&world.base).await;
        next(&mut socket).await.unwrap();
        socket.send(Message::text(text)).await.unwrap();
        assert_eq!(refused(next(&mut socket).await), "frame_malformed", "{text}");
    }
    let mut socket = connect(&world.base).await;
    next(&mut socket).await.unwrap();
    socket.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert!(next(&mut socket).await.is_none());

    // More than any message.
    let mut socket = connect(&world.base).await;
    next(&mut socket).await.unwrap();
    // The hub may close before it has read all of it.
    drop(socket.send(Message::text("x".repeat(MAX_FRAME_BYTES + 1))).await);
    assert!(!matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    assert_eq!(world.hub.agents().connected(), 0);
    assert_eq!(world.everything().await, before);
}

#[tokio::test]
async fn a_device_that_connects_anew_ends_its_older_connection() {
    let world = World::open().await;
    let key = key();
    let mut first = connect(&world.base).await;
    introduce(&mut first, &key).await;
    let mut second = connect(&world.base).await;
    introduce(&mut second, &key).await;
    while next(&mut first).await.is_some() {}
    assert_eq!(world.hub.agents().connected(), 1);
    drop(second);
    wait_for("the device to be away", async || (world.hub.agents().connected() == 0).then_some(())).await;
}

#[tokio::test]
async fn one_address_holds_only_so_many_connections() {
    let world = World::with(ionet_api::ApiOptions { max_agents_per_address: 2, ..generous() }).await;
    let first = connect(&world.base).await;
    let _second = connect(&world.base).await;
    let url = format!("{}/v1/agents/connect", world.base.replace("http", "ws"));
    assert!(tokio_tungstenite::connect_async(&url).await.is_err(), "a third is one too many");
    drop(first);
    wait_for("a free place", async || tokio_tungstenite::connect_async(&url).await.ok().map(drop)).await;
}
