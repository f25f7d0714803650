//! Subscriptions.

use crate::{
    http::serve,
    support::{SOL, open, pay, sign, stepped, wallet},
};
use futures::{SinkExt, StreamExt};
use ionet_chain::{Chain, ChainClock, ChainOptions};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use std::{collections::VecDeque, time::Duration};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

pub(crate) struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    notifications: VecDeque<Value>,
    next_id: u64,
}

impl Socket {
    pub(crate) async fn connect(url: &str) -> Self {
        let (stream, _) = connect_async(url.replace("http://", "ws://")).await.unwrap();
        Self { stream, notifications: VecDeque::new(), next_id: 0 }
    }

    pub(crate) async fn send_text(&mut self, text: String) {
        self.stream.send(Message::text(text)).await.unwrap();
    }

    /// The next message; `None` once the connection is closed.
    pub(crate) async fn receive(&mut self) -> Option<Value> {
        loop {
            let next = tokio::time::timeout(Duration::from_mins(1), self.stream.next());
            match next.await.expect("a message within a minute") {
                Some(Ok(Message::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                _ => return None,
            }
        }
    }

    /// Calls a method; returns `result` or `error`.
    pub(crate) async fn call(&mut self, method: &str, params: Value) -> Result<Value, Value> {
        self.next_id += 1;
        let id = self.next_id;
        self.send_text(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()).await;
        loop {
            let mut message = self.receive().await.expect("an answer");
            if message["id"] == id {
                return match message.get_mut("error") {
                    Some(error) => Err(error.take()),
                    None => Ok(message["result"].take()),
                };
            }
            self.notifications.push_back(message);
        }
    }

    pub(crate) async fn notification(&mut self) -> Value {
        match self.notifications.pop_front() {
            Some(notification) => notification,
            None => self.receive().await.expect("a notification"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_are_told_once_whether_before_or_after() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let (url, _server) = serve(&chain).await;
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let transaction = sign(&[transfer(&alice.pubkey(), &alice.pubkey(), 1)], &[&alice], blockhash);
    let signature = transaction.signatures[0].to_string();
    let mut socket = Socket::connect(&url).await;

    let early = socket.call("signatureSubscribe", json!([signature, { "commitment": "confirmed" }])).await.unwrap();
    client.send_transaction(&transaction).await.unwrap();
    let told = socket.notification().await;
    assert_eq!(told["method"], "signatureNotification");
    assert_eq!(told["params"]["subscription"], early);
    assert_eq!(told["params"]["result"]["value"], json!({ "err": null }));
    assert!(told["params"]["result"]["context"]["slot"].is_u64());

    let late = socket.call("signatureSubscribe", json!([signature])).await.unwrap();
    assert_eq!(socket.notification().await["params"]["subscription"], late);
    // Both are over.
    for id in [early, late] {
        assert_eq!(socket.call("signatureUnsubscribe", json!([id])).await.unwrap_err()["code"], -32602);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_programs_and_logs_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let (url, _server) = serve(&chain).await;
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();
    let system = "11111111111111111111111111111111";
    let mut accounts = Socket::connect(&url).await;
    let account = accounts.call("accountSubscribe", json!([bob.to_string(), { "encoding": "base64" }])).await.unwrap();
    let mut programs = Socket::connect(&url).await;
    let filters = json!({ "encoding": "base64", "filters": [{ "dataSize": 0 }] });
    programs.call("programSubscribe", json!([system, filters])).await.unwrap();
    let mut logs = Socket::connect(&url).await;
    logs.call("logsSubscribe", json!([{ "mentions": [bob.to_string()] }])).await.unwrap();
    logs.call("logsSubscribe", json!(["all"])).await.unwrap();

    let signature = pay(&client, &alice, &bob, 1_000_000).await;

    let told = accounts.notification().await;
    assert_eq!(told["method"], "accountNotification");
    assert_eq!(told["params"]["subscription"], account);
    assert_eq!(told["params"]["result"]["value"]["lamports"], 1_000_000);
    for _ in 0..2 {
        let told = programs.notification().await;
        assert_eq!(told["method"], "programNotification");
        assert!(told["params"]["result"]["value"]["pubkey"].is_string());
    }
    for _ in 0..2 {
        let told = logs.notification().await;
        assert_eq!(told["params"]["result"]["value"]["signature"], signature.to_string());
        assert!(told["params"]["result"]["value"]["logs"].as_array().unwrap().len() >= 2);
    }
    assert_eq!(accounts.call("accountUnsubscribe", json!([account])).await.unwrap(), true);
    pay(&client, &alice, &bob, 1_000_000).await;
    pay(&client, &alice, &alice.pubkey(), 1).await;
    assert_eq!(logs.notification().await["params"]["result"]["value"]["logs"][0], format!("Program {system} invoke [1]"));
    assert!(accounts.call("slotUnsubscribe", json!([99])).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_are_told_as_real_time_passes() {
    let dir = tempfile::tempdir().unwrap();
    let options = ChainOptions { clock: ChainClock::Real, ..stepped(dir.path()) };
    let chain = Chain::open(options).unwrap();
    let (url, _server) = serve(&chain).await;
    let mut socket = Socket::connect(&url).await;
    socket.call("slotSubscribe", json!([])).await.unwrap();
    let first = socket.notification().await["params"]["result"]["slot"].as_u64().unwrap();
    let second = socket.notification().await["params"]["result"]["slot"].as_u64().unwrap();
    assert!(second > first);
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_limited_and_bad_ones_refused() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let (url, _server) = serve(&chain).await;
    let mut socket = Socket::connect(&url).await;
    for (method, params, code) in [
        ("accountSubscribe", json!(["nonsense"]), -32602),
        ("accountSubscribe", json!([]), -32602),
        ("logsSubscribe", json!([{ "mentions": [] }]), -32602),
        ("logsSubscribe", json!(["some"]), -32602),
        ("signatureSubscribe", json!([1]), -32602),
        ("voteSubscribe", json!([]), -32601),
        ("getSlot", json!([]), -32601),
        ("slotSubscribe", json!({}), -32602),
    ] {
        assert_eq!(socket.call(method, params).await.unwrap_err()["code"], code, "{method}");
    }
    socket.send_text("{".into()).await;
    assert_eq!(socket.receive().await.unwrap()["error"]["code"], -32700);
    for _ in 0..256 {
        socket.call("slotSubscribe", json!([])).await.unwrap();
    }
    assert_eq!(socket.call("slotSubscribe", json!([])).await.unwrap_err()["code"], -32600);
    // A message beyond the limit ends the connection, and only this one.
    socket.send_text(" ".repeat(100_000)).await;
    assert_eq!(socket.receive().await, None);
    let mut other = Socket::connect(&url).await;
    other.call("slotSubscribe", json!([])).await.unwrap();
    chain.close().await;
    assert_eq!(other.receive().await, None, "connections end with the chain");
}
