//! `@solana/kit`, the library that wallets use, against the chain's own ports.

#[path = "../kit/runner.rs"]
mod runner;

use crate::{
    support::{SOL, open, send, wallet},
    tokens,
};
use solana_keypair::Keypair;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address;
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn kit_reads_an_account_and_sends_tokens() {
    let Some(folder) = runner::install() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let (rpc, websocket) = ionet_chain::bind_pair(0).await.unwrap();
    let rpc_url = format!("http://{}", rpc.local_addr().unwrap());
    let ws_url = format!("ws://{}", websocket.local_addr().unwrap());
    for listener in [rpc, websocket] {
        let chain = chain.clone();
        tokio::spawn(async move { chain.serve(listener).await });
    }
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();
    let mint = tokens::mint(&client, &alice).await;
    send(&client, &tokens::fund(&alice, &mint, &alice.pubkey(), 5_000_000), &[&alice]).await.unwrap();
    let key_file = dir.path().join("alice.json");
    fs::write(&key_file, serde_json::to_vec(&alice.to_bytes().to_vec()).unwrap()).unwrap();

    let read = runner::node(&folder, &["account", &rpc_url, &mint.to_string()]).await;
    let expected = client.get_account(&mint).await.unwrap();
    assert_eq!(read["exists"], true);
    assert_eq!(read["lamports"], expected.lamports.to_string());
    assert_eq!(read["dataHex"], hex::encode(&expected.data));

    let key_file = key_file.to_str().unwrap();
    let (mint_text, bob_text) = (mint.to_string(), bob.to_string());
    let args = ["transfer", &rpc_url, &ws_url, key_file, &mint_text, &bob_text, "1250000"];
    let sent = runner::node(&folder, &args).await;

    let account = get_associated_token_address(&bob, &mint);
    assert_eq!(client.get_token_account_balance(&account).await.unwrap().amount, "1250000");
    assert_eq!(sent["destination"], account.to_string());
    assert_eq!(sent["destinationAmount"], "1250000");
    let signature = sent["signature"].as_str().unwrap().parse().unwrap();
    assert!(client.get_signature_statuses(&[signature]).await.unwrap().value[0].is_some());
}
