//! `kill -9` while transfers are under way: whatever was acknowledged is there afterwards.

use crate::support::{SOL, open, sign, wallet};
use futures::future::join_all;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_system_interface::instruction::transfer;
use std::{
    collections::HashSet,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

const DIR: &str = "IONET_CHAIN_TEST_DIR";
const WALLET: &str = "IONET_CHAIN_TEST_WALLET";
const ROUNDS: u64 = 6;
const LAMPORTS: u64 = 1_000;

/// Not a test by itself: the process that is killed.
#[test]
fn child() {
    let (Ok(dir), Ok(secret)) = (std::env::var(DIR), std::env::var(WALLET)) else {
        return;
    };
    let alice = Keypair::from_base58_string(&secret);
    let bob = receiver();
    tokio::runtime::Runtime::new().unwrap().block_on(async move {
        let chain = open(Path::new(&dir));
        let client = chain.client();
        loop {
            let blockhash = client.get_latest_blockhash().await.unwrap();
            // Different amounts make different transactions on one blockhash.
            let sent = (0..32).map(|n| {
                let transaction = sign(&[transfer(&alice.pubkey(), &bob, LAMPORTS + n)], &[&alice], blockhash);
                let client = &client;
                async move {
                    let line = match client.send_transaction(&transaction).await {
                        Ok(signature) => format!("sent {signature}"),
                        Err(err) => format!("stopped: {err}"),
                    };
                    let mut out = std::io::stdout().lock();
                    writeln!(out, "{line}").unwrap();
                    out.flush().unwrap();
                }
            });
            join_all(sent).await;
            if client.get_health().await.is_err() {
                break;
            }
        }
    });
}

fn receiver() -> solana_address::Address {
    solana_address::Address::new_from_array([9; 32])
}

#[test]
fn whatever_was_acknowledged_survives_kill_9() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let alice = runtime.block_on(prepare(dir.path()));
    let mut acknowledged: HashSet<Signature> = HashSet::new();
    for round in 0..ROUNDS {
        let before = acknowledged.len();
        acknowledged.extend(run_and_kill(dir.path(), &alice, round));
        assert!(acknowledged.len() > before, "round {round} sent nothing");
        runtime.block_on(check(dir.path(), &alice, &acknowledged));
    }
}

/// Lets the child send for a while after its first acknowledgement, kills it, and returns what it was told.
fn run_and_kill(dir: &Path, alice: &Keypair, round: u64) -> Vec<Signature> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["kill::child", "--exact", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env(WALLET, alice.to_base58_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut signatures = Vec::new();
    for line in lines.by_ref() {
        signatures.extend(acknowledgement(&line.unwrap()));
        if !signatures.is_empty() {
            break;
        }
    }
    let killer = std::thread::spawn({
        let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
        move || {
            std::thread::sleep(Duration::from_millis(20 + 61 * round));
            nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
        }
    });
    // A last line that was cut short does not count: nobody was told.
    for line in lines {
        signatures.extend(line.ok().as_deref().and_then(acknowledgement));
    }
    killer.join().unwrap();
    child.wait().unwrap();
    signatures
}

/// A file size limit stands in for a full disk: the write that does not fit stops the chain, and nothing that was
/// acknowledged before is lost.
#[test]
fn a_full_disk_stops_the_chain_and_loses_nothing() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let alice = runtime.block_on(prepare(dir.path()));
    let script = "trap '' XFSZ; ulimit -f 256; exec \"$0\" kill::child --exact --nocapture --test-threads=1";
    let output = Command::new("bash")
        .args(["-c", script])
        .arg(std::env::current_exe().unwrap())
        .env(DIR, dir.path())
        .env(WALLET, alice.to_base58_string())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let acknowledged: HashSet<Signature> = text.lines().filter_map(acknowledgement).collect();
    assert!(!acknowledged.is_empty());
    assert!(text.contains("the chain has stopped: the journal in"), "{text}");
    runtime.block_on(check(dir.path(), &alice, &acknowledged));
}

fn acknowledgement(line: &str) -> Option<Signature> {
    line.split_once("sent ").and_then(|(_, text)| text.parse().ok())
}

async fn prepare(dir: &Path) -> Keypair {
    let chain = open(dir);
    let alice = wallet(&chain.client(), 900 * SOL).await;
    // The receiver must stay above the rent minimum from its first lamport.
    chain.client().request_airdrop(&receiver(), SOL).await.unwrap();
    chain.close().await;
    alice
}

async fn check(dir: &Path, alice: &Keypair, acknowledged: &HashSet<Signature>) {
    let chain = open(dir);
    let client = chain.client();
    let signatures: Vec<_> = acknowledged.iter().copied().collect();
    for some in signatures.chunks(256) {
        for (signature, status) in some.iter().zip(client.get_signature_statuses(some).await.unwrap().value) {
            let status = status.unwrap_or_else(|| panic!("{signature} was acknowledged and is gone"));
            assert_eq!(status.err, None);
        }
    }
    // The books: two airdrops, and transfers that each cost their fee.
    let transfers = client.get_transaction_count().await.unwrap() - 2;
    assert!(transfers >= acknowledged.len() as u64);
    let received = client.get_balance(&receiver()).await.unwrap() - SOL;
    let left = client.get_balance(&alice.pubkey()).await.unwrap();
    assert_eq!(900 * SOL - left, received + transfers * 5_000);
    chain.close().await;
}
