//! Challenges count once, secrets are hashes, keys end.

use ionet_store::{Claim, NewApiKey};
use ionet_types::keys::{ApiKey, Scope};
use ionet_types::{Address, KeyId};

use crate::store;

#[tokio::test]
async fn a_challenge_opens_one_session() {
    let test = store().await;
    let wallet = Address([1; 32]);
    test.store.challenge_insert("sign me", wallet, 100, 50).await.unwrap();
    assert_eq!(test.store.challenge("sign me", 101).await.unwrap(), None);
    assert_eq!(test.store.challenge("sign you", 60).await.unwrap(), None);
    assert_eq!(test.store.challenge("sign me", 60).await.unwrap(), Some(wallet));
    assert!(test.store.session_open("sign me", &[1; 32], wallet, 1_000, 60).await.unwrap());
    assert!(!test.store.session_open("sign me", &[2; 32], wallet, 1_000, 60).await.unwrap());
    assert_eq!(test.store.session(&[1; 32], 999).await.unwrap(), Some(wallet));
    assert_eq!(test.store.session(&[1; 32], 1_000).await.unwrap(), None);
    assert_eq!(test.store.session(&[2; 32], 999).await.unwrap(), None);
}

fn key(wallet: Address, secret: u8, expires_at_unix_secs: i64) -> NewApiKey {
    let key = ApiKey {
        id: KeyId::new(),
        name: "ci".to_owned(),
        prefix: "ionet_abc".to_owned(),
        scope: Scope::Write,
        created_at_unix_secs: 100,
        expires_at_unix_secs,
    };
    NewApiKey { key, wallet, secret_hash: [secret; 32] }
}

#[tokio::test]
async fn keys_belong_to_a_wallet_and_end() {
    let test = store().await;
    let (wallet, other) = (Address([1; 32]), Address([2; 32]));
    let first = key(wallet, 1, 200);
    assert!(test.store.api_key_insert(&first).await.unwrap());
    assert_eq!(test.store.api_key_by_secret(&[1; 32], 199).await.unwrap(), Some((first.key.clone(), wallet)));
    assert_eq!(test.store.api_key_by_secret(&[1; 32], 200).await.unwrap(), None);
    assert!(!test.store.api_key_revoke(other, first.key.id).await.unwrap());
    assert_eq!(test.store.api_keys(wallet, 150).await.unwrap().len(), 1);
    assert_eq!(test.store.api_keys(other, 150).await.unwrap().len(), 0);
    assert!(test.store.api_key_revoke(wallet, first.key.id).await.unwrap());
    assert_eq!(test.store.api_key_by_secret(&[1; 32], 150).await.unwrap(), None);
    for number in 0..100 {
        assert!(test.store.api_key_insert(&key(wallet, 100 + number, 200)).await.unwrap());
    }
    assert!(!test.store.api_key_insert(&key(wallet, 99, 200)).await.unwrap());
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_answer() {
    let test = store().await;
    let (wallet, other) = (Address([1; 32]), Address([2; 32]));
    let claim = async |wallet, hash: u8, now| test.store.idempotency_claim(wallet, "key", &[hash; 32], now).await.unwrap();
    assert_eq!(claim(wallet, 1, 0).await, Claim::New);
    assert_eq!(claim(wallet, 1, 1).await, Claim::InUse);
    assert_eq!(claim(wallet, 2, 1).await, Claim::Other);
    assert_eq!(claim(other, 2, 1).await, Claim::New);
    test.store.idempotency_release(wallet, "key").await.unwrap();
    assert_eq!(claim(wallet, 2, 2).await, Claim::New);
    test.store.idempotency_answer(wallet, "key", "{}").await.unwrap();
    test.store.idempotency_release(wallet, "key").await.unwrap();
    assert_eq!(claim(wallet, 2, 3).await, Claim::Answered("{}".to_owned()));
    assert_eq!(claim(other, 2, 62).await, Claim::New, "its first request died");
    assert_eq!(claim(wallet, 2, 100_000).await, Claim::New, "kept for a day");
}
