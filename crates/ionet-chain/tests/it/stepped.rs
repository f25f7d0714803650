//! Stepped time, and blockhashes under it.

use crate::support::{SOL, START_SECS, open, pay, wallet};
use ionet_chain::{Chain, ChainOptions};
use solana_clock::Clock;
use solana_keypair::Keypair;
use solana_signer::Signer;

#[tokio::test(flavor = "multi_thread")]
async fn time_stands_still_until_it_is_stepped() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    assert_eq!(chain.now_unix_secs(), START_SECS);
    let slot = client.get_slot().await.unwrap();
    let blockhash = client.get_latest_blockhash().await.unwrap();

    chain.advance_secs(86_400).await.unwrap();

    assert_eq!(chain.now_unix_secs(), START_SECS + 86_400);
    assert_eq!(client.get_slot().await.unwrap(), slot + 1);
    let clock = client.get_account(&solana_sdk_ids::sysvar::clock::ID).await.unwrap();
    let clock: Clock = wincode::deserialize(&clock.data).unwrap();
    assert_eq!((clock.slot, clock.unix_timestamp), (slot + 1, START_SECS + 86_400));
    assert_eq!(client.get_block_time(slot).await.unwrap(), START_SECS);
    assert_eq!(client.get_block_time(slot + 1).await.unwrap(), START_SECS + 86_400);
    assert!(client.get_block_time(slot + 2).await.is_err(), "the future");
    assert!(client.is_blockhash_valid(&blockhash, client.commitment()).await.unwrap());
    assert!(chain.advance_secs(u64::MAX).await.is_err());

    chain.close().await;
    let chain = open(dir.path());
    assert_eq!(chain.now_unix_secs(), START_SECS + 86_400);
    let client = chain.client();
    assert_eq!(client.get_slot().await.unwrap(), slot + 1);
    assert_eq!(client.get_block_time(slot).await.unwrap(), START_SECS);
    assert!(client.is_blockhash_valid(&blockhash, client.commitment()).await.unwrap());
    for _ in 0..149 {
        chain.advance_secs(1).await.unwrap();
    }
    assert!(client.is_blockhash_valid(&blockhash, client.commitment()).await.unwrap());
    chain.advance_secs(0).await.unwrap();
    assert!(!client.is_blockhash_valid(&blockhash, client.commitment()).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_transfers_one_after_the_other_are_different_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();
    for _ in 0..200 {
        pay(&client, &alice, &bob, 1_000_000).await;
    }
    assert_eq!(client.get_balance(&bob).await.unwrap(), 200_000_000);
    let slot = client.get_slot().await.unwrap();
    assert!((3..=5).contains(&slot), "64 transactions fill a slot: {slot}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_keeps_its_kind_of_clock() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).close().await;
    let err = Chain::open(ChainOptions::new(dir.path())).unwrap_err();
    assert_eq!(err.code(), "chain_clock_mismatch");
}
