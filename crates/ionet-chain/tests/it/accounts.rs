//! Reading accounts: encodings, slices, filters.

use crate::{
    support::{SOL, open, send, wallet},
    tokens,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer;
use spl_associated_token_account_interface::address::get_associated_token_address;

const TOKEN: &str = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";

#[tokio::test(flavor = "multi_thread")]
async fn accounts_come_in_every_encoding() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let mint = tokens::mint(&client, &alice).await;
    let get = async |config: Value| chain.request("getAccountInfo", json!([mint.to_string(), config])).await.unwrap()["value"].clone();

    let raw = client.get_account(&mint).await.unwrap();
    assert_eq!(raw.data.len(), 82);
    let account = get(json!({ "encoding": "base64" })).await;
    assert_eq!(account["owner"], TOKEN);
    assert_eq!(account["executable"], false);
    assert_eq!(account["space"], 82);
    assert_eq!(account["data"], json!([BASE64_STANDARD.encode(&raw.data), "base64"]));
    let base58 = bs58::encode(&raw.data).into_string();
    assert_eq!(get(json!({ "encoding": "base58" })).await["data"], json!([base58, "base58"]));
    assert_eq!(get(Value::Null).await["data"], json!(base58), "the oldest form is still the default");
    assert_eq!(get(json!({ "encoding": "base64+zstd" })).await["data"][1], "base64+zstd");
    let slice = get(json!({ "encoding": "base64", "dataSlice": { "offset": 44, "length": 1 } })).await;
    assert_eq!(slice["data"][0], BASE64_STANDARD.encode([6]));
    assert_eq!(slice["space"], 82);
    let far = json!({ "encoding": "base64", "dataSlice": { "offset": 1_000_000, "length": 10 } });
    assert_eq!(get(far).await["data"][0], "");

    let nobody = Keypair::new().pubkey();
    assert_eq!(client.get_account_with_commitment(&nobody, client.commitment()).await.unwrap().value, None);
    let several = client.get_multiple_accounts(&[mint, nobody, alice.pubkey()]).await.unwrap();
    assert_eq!(several[0].as_ref(), Some(&raw));
    assert_eq!(several[1], None);
    assert!(several[2].is_some());
    // The programs' code is far too large for base58.
    let err = chain.request("getAccountInfo", json!([TOKEN, { "encoding": "base58" }])).await;
    assert!(err.is_ok() || err.unwrap_err().code == -32600);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_of_a_program_are_filtered() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, 10 * SOL).await;
    let mint = tokens::mint(&client, &alice).await;
    let mut wallets = vec![alice.pubkey()];
    wallets.extend((0..5).map(|_| Keypair::new().pubkey()));
    for (amount, wallet) in wallets.iter().enumerate() {
        let instructions = tokens::fund(&alice, &mint, wallet, amount as u64);
        send(&client, &instructions, &[&alice]).await.unwrap();
    }
    let get = async |config: Value| chain.request("getProgramAccounts", json!([TOKEN, config])).await;

    let all = get(json!({ "encoding": "base64" })).await.unwrap();
    let holdings = get(json!({ "encoding": "base64", "filters": [{ "dataSize": 165 }] })).await.unwrap();
    assert_eq!(holdings.as_array().unwrap().len(), wallets.len());
    assert!(all.as_array().unwrap().len() > wallets.len(), "mints are there too");
    let of_alice = json!({
        "encoding": "jsonParsed",
        "withContext": true,
        "filters": [{ "dataSize": 165 }, { "memcmp": { "offset": 32, "bytes": alice.pubkey().to_string() } }],
    });
    let found = get(of_alice).await.unwrap();
    assert!(found["context"]["slot"].is_u64());
    assert_eq!(found["value"].as_array().unwrap().len(), 1);
    let account = get_associated_token_address(&alice.pubkey(), &mint);
    assert_eq!(found["value"][0]["pubkey"], account.to_string());
    assert_eq!(found["value"][0]["account"]["data"]["parsed"]["info"]["mint"], mint.to_string());

    let five = json!({ "filters": vec![json!({ "dataSize": 1 }); 5] });
    assert_eq!(get(five).await.unwrap_err().code, -32602);
    let bad = json!({ "filters": [{ "memcmp": { "offset": 0, "bytes": "0OIl" } }] });
    assert_eq!(get(bad).await.unwrap_err().code, -32602);
    let far = json!({ "filters": [{ "memcmp": { "offset": u64::MAX, "bytes": "2" } }] });
    assert_eq!(get(far).await.unwrap(), json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_account_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let mint = tokens::mint(&client, &alice).await;
    send(&client, &tokens::fund(&alice, &mint, &alice.pubkey(), 0), &[&alice]).await.unwrap();
    let account = get_associated_token_address(&alice.pubkey(), &mint);
    let close =
        spl_token_interface::instruction::close_account(&spl_token_interface::ID, &account, &alice.pubkey(), &alice.pubkey(), &[]).unwrap();
    send(&client, &[close], &[&alice]).await.unwrap();
    for _ in 0..2 {
        // Before and after a restart.
        let chain = if client.get_health().await.is_ok() { chain.clone() } else { open(dir.path()) };
        let read = json!([account.to_string(), { "encoding": "base64" }]);
        assert_eq!(chain.request("getAccountInfo", read).await.unwrap()["value"], Value::Null);
        let listed = json!([alice.pubkey().to_string(), { "programId": TOKEN }]);
        assert_eq!(chain.request("getTokenAccountsByOwner", listed).await.unwrap()["value"], json!([]));
        chain.close().await;
    }
}
