//! What the tests share: chains in temporary folders, wallets, tokens.

use ionet_chain::{Chain, ChainClock, ChainOptions};
use serde_json::{Value, json};
use solana_address::Address;
use solana_hash::Hash;
use solana_keypair::Keypair;
use solana_message::{Instruction, Message, VersionedMessage};
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use solana_transaction::versioned::VersionedTransaction;
use std::{path::Path, time::Duration};

pub(crate) const SOL: u64 = 1_000_000_000;
pub(crate) const START_SECS: i64 = 1_750_000_000;

pub(crate) fn stepped(dir: &Path) -> ChainOptions {
    ChainOptions { clock: ChainClock::Stepped { start_unix_secs: START_SECS }, ..ChainOptions::new(dir) }
}

pub(crate) fn open(dir: &Path) -> Chain {
    Chain::open(stepped(dir)).expect("the chain opens")
}

/// A wallet with some SOL.
pub(crate) async fn wallet(client: &RpcClient, lamports: u64) -> Keypair {
    let wallet = Keypair::new();
    client.request_airdrop(&wallet.pubkey(), lamports).await.expect("an airdrop");
    wallet
}

pub(crate) fn sign(instructions: &[Instruction], signers: &[&Keypair], blockhash: Hash) -> VersionedTransaction {
    let message = Message::new_with_blockhash(instructions, Some(&signers[0].pubkey()), &blockhash);
    VersionedTransaction::try_new(VersionedMessage::Legacy(message), signers).expect("all signers are given")
}

pub(crate) async fn send(
    client: &RpcClient,
    instructions: &[Instruction],
    signers: &[&Keypair],
) -> solana_rpc_client_api::client_error::Result<Signature> {
    let blockhash = client.get_latest_blockhash().await?;
    client.send_and_confirm_transaction(&sign(instructions, signers, blockhash)).await
}

pub(crate) async fn pay(client: &RpcClient, from: &Keypair, to: &Address, lamports: u64) -> Signature {
    send(client, &[transfer(&from.pubkey(), to, lamports)], &[from]).await.expect("a transfer")
}

/// Every account of the programs that tests touch, as one comparable value.
pub(crate) async fn all_accounts(chain: &Chain) -> Value {
    let mut all = Vec::new();
    for program in [
        "11111111111111111111111111111111",
        "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA",
        "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb",
        "Sysvar1111111111111111111111111111111111111",
        "BPFLoaderUpgradeab1e11111111111111111111111",
        "BPFLoader2111111111111111111111111111111111",
        "NativeLoader1111111111111111111111111111111",
        "Feature111111111111111111111111111111111111",
        "AddressLookupTab1e1111111111111111111111111",
    ] {
        all.push(chain.request("getProgramAccounts", json!([program, { "encoding": "base64" }])).await.expect("the accounts of a program"));
    }
    Value::Array(all)
}

/// Polls until `check` gives something. Generous, because test machines are slow at times.
pub(crate) async fn eventually<T, F: AsyncFnMut() -> Option<T>>(what: &str, mut check: F) -> T {
    for _ in 0..600 {
        if let Some(found) = check().await {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{what} did not happen within a minute");
}
