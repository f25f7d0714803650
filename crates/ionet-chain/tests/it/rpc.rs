//! Solana's own client in process: time, transactions, their history.

use crate::support::{SOL, open, pay, send, sign, wallet};
use ionet_chain::{Chain, ChainOptions};
use serde_json::json;
use solana_keypair::Keypair;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::config::{RpcSendTransactionConfig, RpcSimulateTransactionConfig, RpcTransactionConfig};
use solana_signature::Signature;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction_error::TransactionError;
use solana_transaction_status::UiTransactionEncoding;

#[tokio::test(flavor = "multi_thread")]
async fn a_transfer_moves_lamports_and_its_fee() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();

    let signature = pay(&client, &alice, &bob, 1_000_000).await;

    assert_eq!(client.get_balance(&bob).await.unwrap(), 1_000_000);
    assert_eq!(client.get_balance(&alice.pubkey()).await.unwrap(), SOL - 1_000_000 - 5_000);
    let status = client.get_signature_statuses(&[signature]).await.unwrap().value[0].clone().unwrap();
    assert_eq!(status.err, None);
    assert!(status.confirmations.is_none(), "every block is final at once");

    for encoding in [UiTransactionEncoding::Json, UiTransactionEncoding::JsonParsed, UiTransactionEncoding::Base64] {
        let config = RpcTransactionConfig { encoding: Some(encoding), commitment: None, max_supported_transaction_version: Some(0) };
        let found = client.get_transaction_with_config(&signature, config).await.unwrap();
        assert_eq!(found.slot, status.slot);
        let meta = found.transaction.meta.unwrap();
        assert_eq!(meta.fee, 5_000);
        assert_eq!(meta.pre_balances[..2], [SOL, 0]);
        assert_eq!(meta.post_balances[..2], [SOL - 1_005_000, 1_000_000]);
        let block_time = client.get_block_time(found.slot).await.unwrap();
        assert_eq!(found.block_time, Some(block_time));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_that_must_fail_is_refused_with_logs_and_costs_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let transaction = sign(&[transfer(&alice.pubkey(), &Keypair::new().pubkey(), 2 * SOL)], &[&alice], blockhash);

    let err = client.send_transaction(&transaction).await.unwrap_err();

    assert!(matches!(err.get_transaction_error(), Some(TransactionError::InstructionError(0, _))));
    assert!(err.to_string().contains("insufficient lamports"), "{err}");
    assert_eq!(client.get_balance(&alice.pubkey()).await.unwrap(), SOL);
    assert_eq!(client.get_signature_statuses(&[transaction.signatures[0]]).await.unwrap().value, [None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_preflight_a_failed_transaction_is_kept_and_pays_its_fee() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let transaction = sign(&[transfer(&alice.pubkey(), &Keypair::new().pubkey(), 2 * SOL)], &[&alice], blockhash);
    let config = RpcSendTransactionConfig { skip_preflight: true, ..RpcSendTransactionConfig::default() };

    let signature = client.send_transaction_with_config(&transaction, config).await.unwrap();

    assert_eq!(client.get_balance(&alice.pubkey()).await.unwrap(), SOL - 5_000);
    let status = client.get_signature_statuses(&[signature]).await.unwrap().value[0].clone().unwrap();
    assert!(matches!(status.err, Some(TransactionError::InstructionError(0, _))));
    let found = client.get_transaction(&signature, UiTransactionEncoding::Json).await.unwrap();
    let meta = found.transaction.meta.unwrap();
    assert!(meta.err.is_some());
    assert_eq!(meta.post_balances[0], SOL - 5_000);
    // Sent again, as impatient clients do, it is the same transaction.
    assert_eq!(client.send_transaction_with_config(&transaction, config).await.unwrap(), signature);
    assert_eq!(client.get_balance(&alice.pubkey()).await.unwrap(), SOL - 5_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_processed_once() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let transaction = sign(&[transfer(&alice.pubkey(), &bob, SOL / 10)], &[&alice], blockhash);

    client.send_transaction(&transaction).await.unwrap();
    let err = client.send_transaction(&transaction).await.unwrap_err();

    assert_eq!(err.get_transaction_error(), Some(TransactionError::AlreadyProcessed));
    assert_eq!(client.get_balance(&bob).await.unwrap(), SOL / 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blockhash_of_nobody_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let transaction = sign(&[transfer(&alice.pubkey(), &alice.pubkey(), 1)], &[&alice], solana_hash::Hash::new_from_array([7; 32]));

    for skip_preflight in [false, true] {
        let config = RpcSendTransactionConfig { skip_preflight, ..RpcSendTransactionConfig::default() };
        let err = client.send_transaction_with_config(&transaction, config).await.unwrap_err();
        assert_eq!(err.get_transaction_error(), Some(TransactionError::BlockhashNotFound));
    }
    assert_eq!(client.get_balance(&alice.pubkey()).await.unwrap(), SOL);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_signature_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let mut transaction = sign(&[transfer(&alice.pubkey(), &alice.pubkey(), 1)], &[&alice], blockhash);
    transaction.signatures[0] = Keypair::new().sign_message(b"something else");

    for skip_preflight in [false, true] {
        let config = RpcSendTransactionConfig { skip_preflight, ..RpcSendTransactionConfig::default() };
        let err = client.send_transaction_with_config(&transaction, config).await.unwrap_err();
        assert!(err.to_string().contains("-32003"), "{err}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn simulation_tells_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();
    let transaction = sign(&[transfer(&alice.pubkey(), &bob, SOL / 2)], &[&alice], solana_hash::Hash::default());
    let config = RpcSimulateTransactionConfig {
        replace_recent_blockhash: true,
        accounts: Some(solana_rpc_client_api::config::RpcSimulateTransactionAccountsConfig {
            encoding: None,
            addresses: vec![bob.to_string()],
        }),
        inner_instructions: true,
        ..RpcSimulateTransactionConfig::default()
    };

    let seen = client.simulate_transaction_with_config(&transaction, config).await.unwrap().value;

    assert_eq!(seen.err, None);
    assert_eq!(seen.units_consumed, Some(150));
    assert_eq!(seen.fee, Some(5_000));
    assert!(seen.replacement_blockhash.is_some());
    assert_eq!(seen.accounts.unwrap()[0].as_ref().unwrap().lamports, SOL / 2);
    assert_eq!(seen.post_balances.unwrap()[1], SOL / 2);
    assert_eq!(client.get_balance(&bob).await.unwrap(), 0);

    let plain = client.simulate_transaction(&transaction).await.unwrap().value;
    assert_eq!(plain.err.map(TransactionError::from), Some(TransactionError::BlockhashNotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn signatures_of_an_address_come_newest_first() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let bob = Keypair::new().pubkey();
    let mut sent = Vec::new();
    for _ in 0..5 {
        sent.push(pay(&client, &alice, &bob, 1_000_000).await);
    }
    sent.reverse();
    let listed = async |before, until, limit| -> Vec<Signature> {
        let config = GetConfirmedSignaturesForAddress2Config { before, until, limit, commitment: None };
        let found = client.get_signatures_for_address_with_config(&bob, config).await.unwrap();
        found.into_iter().map(|found| found.signature.parse().unwrap()).collect()
    };

    assert_eq!(listed(None, None, None).await, sent);
    assert_eq!(listed(None, None, Some(2)).await, sent[..2]);
    assert_eq!(listed(Some(sent[1]), None, None).await, sent[2..]);
    assert_eq!(listed(None, Some(sent[3]), None).await, sent[..3]);
    assert_eq!(listed(Some(sent[0]), Some(sent[4]), Some(2)).await, sent[1..3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_airdrops_are_different_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    let alice = Keypair::new().pubkey();

    let answers = futures::future::join_all((0..100).map(|_| client.request_airdrop(&alice, SOL))).await;

    let mut signatures: Vec<_> = answers.into_iter().map(|answer| answer.unwrap()).collect();
    signatures.sort_unstable();
    signatures.dedup();
    assert_eq!(signatures.len(), 100);
    assert_eq!(client.get_balance(&alice).await.unwrap(), 100 * SOL);
    assert!(client.request_airdrop(&alice, 1_001 * SOL).await.is_err(), "over the cap");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chain_tells_about_itself() {
    let dir = tempfile::tempdir().unwrap();
    let chain = open(dir.path());
    let client = chain.client();
    client.get_health().await.unwrap();
    assert_eq!(client.get_version().await.unwrap().solana_core, "4.2.2");
    let identity = client.get_identity().await.unwrap();
    assert_eq!(client.get_slot_leaders(0, 0).await.ok(), None, "not offered");
    assert_eq!(chain.request("getSlotLeader", json!([])).await.unwrap(), json!(identity.to_string()));
    let slot = client.get_slot().await.unwrap();
    assert_eq!(client.get_block_height().await.unwrap(), slot);
    let epoch = client.get_epoch_info().await.unwrap();
    assert_eq!(epoch.absolute_slot, slot);
    assert_eq!(client.get_first_available_block().await.unwrap(), 1);
    assert_eq!(client.minimum_ledger_slot().await.unwrap(), 1);
    assert_eq!(client.get_minimum_balance_for_rent_exemption(165).await.unwrap(), 2_039_280);
    let (blockhash, last_valid) = client.get_latest_blockhash_with_commitment(client.commitment()).await.unwrap();
    assert_eq!(last_valid, slot + 150);
    assert!(client.is_blockhash_valid(&blockhash, client.commitment()).await.unwrap());
    let message = solana_message::Message::new_with_blockhash(&[transfer(&identity, &identity, 1)], Some(&identity), &blockhash);
    assert_eq!(client.get_fee_for_message(&message).await.unwrap(), 5_000);
    assert!(!client.get_recent_prioritization_fees(&[]).await.unwrap().is_empty());
    let genesis = client.get_genesis_hash().await.unwrap();
    chain.close().await;
    let again = open(dir.path());
    assert_eq!(again.client().get_genesis_hash().await.unwrap(), genesis);
}

#[tokio::test(flavor = "multi_thread")]
async fn real_time_passes_and_never_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let chain = Chain::open(ChainOptions::new(dir.path())).unwrap();
    let client = chain.client();
    let alice = wallet(&client, SOL).await;
    let before = client.get_slot().await.unwrap();
    crate::support::eventually("a slot", async || (client.get_slot().await.unwrap() > before).then_some(())).await;
    pay(&client, &alice, &Keypair::new().pubkey(), 1_000_000).await;
    let (slot, secs) = (client.get_slot().await.unwrap(), chain.now_unix_secs());
    // Handed out after the last write, in a slot that the journal knows nothing of.
    crate::support::eventually("a slot", async || (client.get_slot().await.unwrap() > slot).then_some(())).await;
    let blockhash = client.get_latest_blockhash().await.unwrap();
    let machine = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!(secs.abs_diff(i64::try_from(machine).unwrap()) <= 2);
    assert!(chain.advance_secs(1).await.is_err(), "real time cannot be stepped");
    chain.close().await;

    let again = Chain::open(ChainOptions::new(dir.path())).unwrap();
    assert!(again.client().get_slot().await.unwrap() >= slot);
    assert!(again.now_unix_secs() >= secs);
    let old = sign(&[transfer(&alice.pubkey(), &alice.pubkey(), 2)], &[&alice], blockhash);
    again.client().send_transaction(&old).await.expect("a blockhash outlives a short restart");
    send(&again.client(), &[transfer(&alice.pubkey(), &alice.pubkey(), 1)], &[&alice]).await.unwrap();
}
