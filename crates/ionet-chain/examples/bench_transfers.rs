//! SPL token transfers per second through the durable chain, against the bare virtual machine in the same run.
//!
//! Both execute the same transactions, signed beforehand, with their signatures checked. The chain answers each
//! only when it is on disk. Prints one JSON object. Usage: `bench_transfers [TRANSACTIONS] [SUBMITTERS] [DIRECTORY]`;
//! the directory should be on the disk that matters (the default is the system's temporary folder).

use anyhow::{Context, Result, ensure};
use base64::{Engine, prelude::BASE64_STANDARD};
use ionet_chain::{Chain, ChainClock, ChainOptions};
use litesvm::LiteSVM;
use serde_json::json;
use solana_address::Address;
use solana_hash::Hash;
use solana_keypair::Keypair;
use solana_message::{Instruction, Message, VersionedMessage};
use solana_program_pack::Pack;
use solana_signer::Signer;
use solana_system_interface::instruction::create_account;
use solana_transaction::versioned::VersionedTransaction;
use spl_associated_token_account_interface::{address::get_associated_token_address, instruction::create_associated_token_account};
use spl_token_interface::{ID as TOKEN, instruction as token, state::Mint};
use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

/// Wallets that send to each other. Each bench transaction is signed by one of them.
const WALLETS: usize = 64;
/// A blockhash lives 150 slots of 64 transactions each; each round stays well below.
const ROUND: usize = 4_000;

struct World {
    payer: Keypair,
    wallets: Vec<Keypair>,
    mint: Keypair,
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let transactions: usize = args.next().map_or(Ok(24_000), |text| text.parse())?;
    let submitters: usize = args.next().map_or(Ok(512), |text| text.parse())?;
    let parent = args.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let dir = tempfile::tempdir_in(parent)?;
    let world = World { payer: Keypair::new(), wallets: (0..WALLETS).map(|_| Keypair::new()).collect(), mint: Keypair::new() };
    let rounds = transactions.div_ceil(ROUND).max(1);
    // Alternating, so that whatever else the machine does meets both.
    let mut bare = Bare::new(&world)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let chain =
        Chain::open(ChainOptions { clock: ChainClock::Stepped { start_unix_secs: 1_750_000_000 }, ..ChainOptions::new(dir.path()) })?;
    runtime.block_on(prepare(&chain, &world))?;
    let (mut bare_secs, mut chain_secs) = (0.0, 0.0);
    for round in 0..rounds {
        bare_secs += bare.round(&world, round)?;
        chain_secs += runtime.block_on(chain_round(&chain, &world, round, submitters))?;
    }
    runtime.block_on(chain.close());
    let total = rounds * ROUND;
    #[expect(clippy::cast_precision_loss, reason = "counts of transactions are far below 2^52")]
    let per_sec = |secs: f64| total as f64 / secs;
    let (bare_tps, chain_tps) = (per_sec(bare_secs), per_sec(chain_secs));
    println!(
        "{}",
        json!({
            "bench": "ledger",
            "transaction": "SPL token transfer",
            "transactions": total,
            "submitters": submitters,
            "bare_litesvm_per_sec": bare_tps.round(),
            "durable_chain_per_sec": chain_tps.round(),
            "ratio": (chain_tps / bare_tps * 1000.0).round() / 1000.0,
            "wanted_ratio": 0.5,
        })
    );
    Ok(())
}

fn sign(instructions: &[Instruction], payer: &Keypair, others: &[&Keypair], blockhash: Hash) -> Result<VersionedTransaction> {
    let message = Message::new_with_blockhash(instructions, Some(&payer.pubkey()), &blockhash);
    let mut signers = vec![payer];
    signers.extend(others);
    Ok(VersionedTransaction::try_new(VersionedMessage::Legacy(message), signers.as_slice())?)
}

/// Transactions that make the mint and fund everybody, each on the blockhash that `blockhash` gives.
fn preparation(world: &World, rent: u64, blockhash: Hash) -> Result<Vec<VersionedTransaction>> {
    let (payer, mint) = (world.payer.pubkey(), world.mint.pubkey());
    let make_mint =
        [create_account(&payer, &mint, rent, Mint::LEN as u64, &TOKEN), token::initialize_mint2(&TOKEN, &mint, &payer, None, 6)?];
    let mut all = vec![sign(&make_mint, &world.payer, &[&world.mint], blockhash)?];
    for wallet in &world.wallets {
        let account = get_associated_token_address(&wallet.pubkey(), &mint);
        let fund = [
            solana_system_interface::instruction::transfer(&payer, &wallet.pubkey(), 100_000_000_000),
            create_associated_token_account(&payer, &wallet.pubkey(), &mint, &TOKEN),
            token::mint_to(&TOKEN, &mint, &account, &payer, &[], 1_000_000_000_000)?,
        ];
        all.push(sign(&fund, &world.payer, &[], blockhash)?);
    }
    Ok(all)
}

/// One round of transfers. The amount tells equal ones apart.
fn transfers(world: &World, round: usize, blockhash: Hash) -> Result<Vec<VersionedTransaction>> {
    let mint = world.mint.pubkey();
    let account = |wallet: &Keypair| -> Address { get_associated_token_address(&wallet.pubkey(), &mint) };
    let accounts: Vec<Address> = world.wallets.iter().map(account).collect();
    (0..ROUND)
        .map(|n| {
            let (from, to) = (n % WALLETS, (n * 7 + 1) % WALLETS);
            let amount = (round * ROUND + n + 1) as u64;
            let owner = &world.wallets[from];
            let instruction = token::transfer(&TOKEN, &accounts[from], &accounts[to], &owner.pubkey(), &[], amount)?;
            sign(&[instruction], owner, &[], blockhash)
        })
        .collect()
}

struct Bare {
    svm: LiteSVM,
}

impl Bare {
    fn new(world: &World) -> Result<Self> {
        // Its history must hold every signature, or it would not look for duplicates as the chain does.
        let mut svm = LiteSVM::new().with_transaction_history(10_000_000);
        svm.airdrop(&world.payer.pubkey(), 100_000_000_000_000).map_err(|err| anyhow::anyhow!("{err:?}"))?;
        let rent = svm.minimum_balance_for_rent_exemption(Mint::LEN);
        for transaction in preparation(world, rent, svm.latest_blockhash())? {
            svm.send_transaction(transaction).map_err(|err| anyhow::anyhow!("{err:?}"))?;
        }
        Ok(Self { svm })
    }

    /// Returns seconds.
    fn round(&mut self, world: &World, round: usize) -> Result<f64> {
        let transactions = transfers(world, round, self.svm.latest_blockhash())?;
        let start = Instant::now();
        for transaction in transactions {
            self.svm.send_transaction(transaction).map_err(|err| anyhow::anyhow!("{err:?}"))?;
        }
        Ok(start.elapsed().as_secs_f64())
    }
}

async fn prepare(chain: &Chain, world: &World) -> Result<()> {
    let client = chain.client();
    for _ in 0..100 {
        client.request_airdrop(&world.payer.pubkey(), 1_000_000_000_000).await?;
    }
    let rent = client.get_minimum_balance_for_rent_exemption(Mint::LEN).await?;
    for transaction in preparation(world, rent, client.get_latest_blockhash().await?)? {
        client.send_transaction(&transaction).await?;
    }
    Ok(())
}

/// Returns seconds.
async fn chain_round(chain: &Chain, world: &World, round: usize, submitters: usize) -> Result<f64> {
    let blockhash = chain.client().get_latest_blockhash().await?;
    let requests: Arc<Vec<_>> = Arc::new(
        transfers(world, round, blockhash)?
            .iter()
            .map(|transaction| {
                let wire = wincode::serialize(transaction).context("a transaction")?;
                Ok(json!([BASE64_STANDARD.encode(wire), { "encoding": "base64" }]))
            })
            .collect::<Result<_>>()?,
    );
    let next = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let tasks: Vec<_> = (0..submitters)
        .map(|_| {
            let (chain, requests, next) = (chain.clone(), requests.clone(), next.clone());
            tokio::spawn(async move {
                let mut sent = 0;
                while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
                    chain.request("sendTransaction", request.clone()).await?;
                    sent += 1;
                }
                Ok::<usize, anyhow::Error>(sent)
            })
        })
        .collect();
    let mut sent = 0;
    for task in tasks {
        sent += task.await??;
    }
    let secs = start.elapsed().as_secs_f64();
    ensure!(sent == ROUND, "{sent} of {ROUND} were acknowledged");
    Ok(secs)
}
