//! The chain over HTTP: Solana's client, batches, health.

use crate::support::{SOL, open, pay, wallet};
use ionet_chain::Chain;
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;
use tokio::{net::TcpListener, task::JoinHandle};

/// Serves on a free port; returns the URL.
pub(crate) async fn serve(chain: &Chain) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let chain = chain.clone();
    let server = tokio::spawn(async move { chain.serve(listener).await.unwrap() });
    (url, server)
}

pub(crate) async fn post(url: &str, body: impl Into<reqwest::Body>) -> (u16, String) {
    let response = reqwest::Client::new().post(url).header("content-type", "application/json").body(body).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn solanas_client_works_over_http() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let (url, server) = serve(&chain).await;
    let client = RpcClient::new(url.clone());
    client.get_health().await.unwrap();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();
    pay(&client, &alice, &bob, 1_000_000).await;
    assert_eq!(client.get_balance(&bob).await.unwrap(), 1_000_000);
    assert_eq!(chain.client().get_balance(&bob).await.unwrap(), 1_000_000);
    let health = reqwest::get(format!("{url}/health")).await.unwrap();
    assert_eq!((health.status().as_u16(), health.text().await.unwrap().as_str()), (200, "ok"));

    chain.close().await;
    server.await.expect("the server ends with the chain");
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_and_notifications_follow_json_rpc() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let (url, _server) = serve(&chain).await;
    let batch = json!([
        { "jsonrpc": "2.0", "id": 1, "method": "getHealth" },
        { "jsonrpc": "2.0", "method": "getHealth" },
        { "jsonrpc": "2.0", "id": "two", "method": "getSlot", "params": [{ "commitment": "processed" }] },
        { "jsonrpc": "2.0", "id": null, "method": "getNothing" },
        7,
    ]);
    let (status, text) = post(&url, batch.to_string()).await;
    assert_eq!(status, 200);
    let answers: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answers[0], json!({ "jsonrpc": "2.0", "id": 1, "result": "ok" }));
    assert_eq!(answers[1], json!({ "jsonrpc": "2.0", "id": "two", "result": 1 }));
    assert_eq!(answers[2]["error"]["code"], -32601);
    assert_eq!(answers[3]["error"]["code"], -32600);
    assert_eq!(answers.as_array().unwrap().len(), 4);
    let (status, text) = post(&url, r#"{"jsonrpc":"2.0","method":"getHealth"}"#).await;
    assert_eq!((status, text.as_str()), (200, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_of_ports_is_neighbouring() {
    let (rpc, websocket) = ionet_chain::bind_pair(0).await.unwrap();
    assert_eq!(rpc.local_addr().unwrap().port() + 1, websocket.local_addr().unwrap().port());
}
