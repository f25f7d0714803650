//! What survives a restart, and what damage is noticed.

use crate::{
    support::{SOL, all_accounts, open, pay, send, sign, stepped, wallet},
    tokens,
};
use ionet_chain::{Chain, ChainError, ChainOptions};
use serde_json::{Value, json};
use solana_keypair::Keypair;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction_error::TransactionError;
use std::{
    fs,
    path::{Path, PathBuf},
};

fn segment(dir: &Path, index: u32) -> PathBuf {
    dir.join(format!("journal-{index:010}.log"))
}

fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Some of everything: transfers, tokens, closed accounts, failures, steps.
async fn live(chain: &Chain) -> Keypair {
    let client = chain.client();
    let alice = wallet(&client, 10 * SOL).await;
    let mint = tokens::mint(&client, &alice).await;
    for amount in 0..4 {
        let wallet = Keypair::new().pubkey();
        send(&client, &tokens::fund(&alice, &mint, &wallet, amount), &[&alice]).await.unwrap();
        pay(&client, &alice, &Keypair::new().pubkey(), 1_000_000).await;
        chain.advance_secs(3_600).await.unwrap();
    }
    // An account that comes and goes.
    let carol = wallet(&client, 1_005_000).await;
    pay(&client, &carol, &alice.pubkey(), 1_000_000).await;
    alice
}

async fn history(chain: &Chain, wallet: &Keypair) -> Value {
    let listed = chain.request("getSignaturesForAddress", json!([wallet.pubkey().to_string()])).await.unwrap();
    let mut all = vec![listed.clone()];
    for found in listed.as_array().unwrap() {
        let config = json!({ "encoding": "json", "maxSupportedTransactionVersion": 0 });
        all.push(chain.request("getTransaction", json!([found["signature"], config])).await.unwrap());
    }
    Value::Array(all)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_changes_nothing() {
    for snapshot_every_bytes in [u64::MAX, 4_000, 1] {
        let dir = tempfile::tempdir().unwrap();
        let options = || ChainOptions { snapshot_every_bytes, ..stepped(dir.path()) };
        let chain = Chain::open(options()).unwrap();
        let alice = live(&chain).await;
        let before = (all_accounts(&chain).await, history(&chain, &alice).await, chain.now_unix_secs());
        let slot = chain.client().get_slot().await.unwrap();
        let count = chain.client().get_transaction_count().await.unwrap();
        chain.close().await;

        for _ in 0..2 {
            let chain = Chain::open(options()).unwrap();
            assert_eq!(chain.client().get_slot().await.unwrap(), slot);
            assert_eq!(chain.client().get_transaction_count().await.unwrap(), count);
            let after = (all_accounts(&chain).await, history(&chain, &alice).await, chain.now_unix_secs());
            assert!(before == after, "accounts or history differ with snapshots every {snapshot_every_bytes} bytes");
            chain.close().await;
        }
        let snapshots = fs::read_dir(dir.path())
            .unwrap()
            .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("snapshot-"))
            .count();
        assert_eq!(snapshots, usize::from(snapshot_every_bytes != u64::MAX), "only the newest is kept");
        if snapshots == 1 {
            // A snapshot holds nothing that the journal does not.
            for entry in fs::read_dir(dir.path()).unwrap() {
                let path = entry.unwrap().path();
                if path.file_name().unwrap().to_string_lossy().starts_with("snapshot-") {
                    fs::remove_file(path).unwrap();
                }
            }
            let chain = Chain::open(options()).unwrap();
            let after = (all_accounts(&chain).await, history(&chain, &alice).await, chain.now_unix_secs());
            assert!(before == after, "the journal alone gives another state");
            chain.close().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_processed_once_also_across_restarts() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let transaction = sign(&[transfer(&alice.pubkey(), &bob, SOL / 10)], &[&alice], blockhash);
    let unsent = sign(&[transfer(&alice.pubkey(), &bob, SOL / 20)], &[&alice], blockhash);
    client.send_transaction(&transaction).await.unwrap();
    chain.close().await;

    let chain = open(dir.path());
    let client = chain.client();
    let err = client.send_transaction(&transaction).await.unwrap_err();
    assert_eq!(err.get_transaction_error(), Some(TransactionError::AlreadyProcessed));
    assert_eq!(client.get_balance(&bob).await.unwrap(), SOL / 10);
    client.send_transaction(&unsent).await.expect("a blockhash outlives a restart");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_whose_tail_was_cut_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();
    pay(&client, &alice, &bob, 1_000_000).await;
    let whole = segment(dir.path(), 0);
    let before = usize::try_from(fs::metadata(&whole).unwrap().len()).unwrap();
    pay(&client, &alice, &bob, 2_000_000).await;
    chain.close().await;
    let bytes = fs::read(&whole).unwrap();
    assert!(bytes.len() > before + 200);

    // Opening takes a while: a test beside the code that reads the journal tries every byte, this one some.
    let copy = tempfile::tempdir().unwrap();
    for len in (before..bytes.len()).filter(|len| len - before < 20 || bytes.len() - len < 4 || len % 32 == 0) {
        copy_dir(dir.path(), copy.path());
        fs::write(segment(copy.path(), 0), &bytes[..len]).unwrap();
        let chain = open(copy.path());
        let client = chain.client();
        assert_eq!(client.get_balance(&bob).await.unwrap(), 1_000_000, "cut to {len}");
        if len % 32 == 0 {
            // It goes on from there.
            pay(&client, &alice, &bob, 4_000_000).await;
            chain.close().await;
            let again = open(copy.path());
            assert_eq!(again.client().get_balance(&bob).await.unwrap(), 5_000_000, "cut to {len}");
            again.close().await;
        }
        chain.close().await;
    }
    // A file that grew before its bytes came.
    let mut zeros = bytes[..before].to_vec();
    zeros.resize(bytes.len(), 0);
    copy_dir(dir.path(), copy.path());
    fs::write(segment(copy.path(), 0), zeros).unwrap();
    assert_eq!(open(copy.path()).client().get_balance(&bob).await.unwrap(), 1_000_000);
}

fn damage(opened: Result<Chain, ChainError>, expected: &Path) -> String {
    let err = opened.map(|_| ()).expect_err("damage is noticed");
    let ChainError::Damaged { path, .. } = &err else {
        panic!("{err}");
    };
    assert_eq!(path, expected);
    assert_eq!(err.code(), "chain_damaged");
    err.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_byte_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let options = || ChainOptions { snapshot_every_bytes: 4_000, ..stepped(dir.path()) };
    let chain = Chain::open(options()).unwrap();
    live(&chain).await;
    chain.close().await;
    let mut tried = 0;
    for entry in fs::read_dir(dir.path()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !(name.starts_with("journal-") || name.starts_with("snapshot-")) {
            continue;
        }
        let bytes = fs::read(&path).unwrap();
        let step = (bytes.len() / 40).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            fs::write(&path, &flipped).unwrap();
            let message = damage(Chain::open(options()), &path);
            assert!(message.contains(&name) && message.contains("byte"), "{message}");
            tried += 1;
        }
        fs::write(&path, &bytes).unwrap();
    }
    assert!(tried > 100);
    Chain::open(options()).expect("healed").close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_and_foreign_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let options = || ChainOptions { snapshot_every_bytes: 1, ..stepped(dir.path()) };
    let chain = Chain::open(options()).unwrap();
    wallet(&chain.client(), SOL).await;
    wallet(&chain.client(), SOL).await;
    chain.close().await;
    let aside = dir.path().join("aside");

    for index in [0, 1] {
        fs::rename(segment(dir.path(), index), &aside).unwrap();
        assert_eq!(Chain::open(options()).unwrap_err().code(), "chain_file_missing");
        fs::rename(&aside, segment(dir.path(), index)).unwrap();
    }
    let genesis = dir.path().join("genesis.json");
    fs::rename(&genesis, &aside).unwrap();
    assert_eq!(Chain::open(options()).unwrap_err().code(), "chain_file_missing");
    // Another chain's genesis does not fit this journal.
    let other = tempfile::tempdir().unwrap();
    open(other.path()).close().await;
    fs::copy(other.path().join("genesis.json"), &genesis).unwrap();
    assert_eq!(Chain::open(options()).unwrap_err().code(), "chain_damaged");
    fs::write(&genesis, "{}").unwrap();
    assert_eq!(Chain::open(options()).unwrap_err().code(), "chain_damaged");
    fs::rename(&aside, &genesis).unwrap();
    Chain::open(options()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let err = Chain::open(stepped(dir.path())).unwrap_err();
    assert_eq!(err.code(), "chain_locked");
    chain.close().await;
    open(dir.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_chain_answers_with_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    chain.close().await;
    assert_eq!(chain.request("getLatestBlockhash", json!([])).await.unwrap_err().code, -32603);
    assert_eq!(chain.request("getHealth", json!([])).await.unwrap_err().code, -32005);
    assert_eq!(chain.advance_secs(1).await.unwrap_err().code(), "chain_stopped");
    chain.close().await;
}
