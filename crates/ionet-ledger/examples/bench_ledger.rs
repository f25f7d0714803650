//! How fast the durable local chain is against bare `LiteSVM`: the same lifecycle transactions, in the same run.
//!
//! `cargo run --release -p ionet-ledger --example bench_ledger` prints one JSON object.
#![expect(clippy::cast_precision_loss, reason = "counts of transactions are far below 2^53")]

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use clap::Parser;
use futures::future::try_join_all;
use ionet_chain::{Chain, ChainClock, ChainOptions};
use ionet_ledger::{Addresses, BookingFilter, ClusterId, Genesis, Grant, Ledger, LedgerError, Operator, instructions};
use ionet_rules::booking::{Booking, End, HardwareKind, Offer, WorkLog};
use ionet_rules::money::{Currency, IO_UNIT, Io, MicroUsd, USDC_UNIT, Units, Usdc};
use ionet_rules::worklog::EndReason;
use litesvm::LiteSVM;
use solana_address::Address;
use solana_hash::Hash;
use solana_keypair::Keypair;
use solana_message::Message;
use solana_rpc_client_api::config::RpcSendTransactionConfig;
use solana_signer::Signer;
use solana_transaction::Transaction;
use solana_transaction::versioned::VersionedTransaction;

const METHOD: &str = "lifecycle transactions (book, pay, start, worked, refund, repurchase, earn; paid in USDC) of many clusters. \
    chain: local chain in process, many submitters at once, each waiting for every answer, journal synced before an answer, no preflight. \
    litesvm: the same transactions one after the other into LiteSVM in memory, with signature and blockhash checks. \
    Signing is not timed. Rounds alternate; medians.";
const START_UNIX_SECS: i64 = 1_800_000_000;
const RATE: MicroUsd = MicroUsd(115_000);
/// Transactions of one cluster's life.
const STEPS: usize = 7;

/// Measures the local chain.
#[derive(Parser)]
struct Options {
    /// Clusters per round.
    #[arg(long, default_value_t = 600)]
    clusters: usize,
    /// Submitters at once.
    #[arg(long, default_value_t = 128)]
    submitters: usize,
    /// Rounds of each kind.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

struct Bench {
    chain: Chain,
    ledger: Ledger,
    keys: Operator,
    customer: Keypair,
    at: Addresses,
}

/// Several threads only for those who wait: the chain has threads of its own.
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let dir = tempfile::tempdir()?;
    let bench = Bench::open(dir.path()).await?;
    let (mut chain_tps, mut litesvm_tps) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        let clusters: Vec<_> = (0..options.clusters).map(|number| id(round, number)).collect();
        litesvm_tps.push(bench.litesvm_round(&clusters).await?);
        chain_tps.push(bench.chain_round(&clusters, options.submitters).await?);
    }
    bench.chain.close().await;
    let (chain, litesvm) = (median(&mut chain_tps), median(&mut litesvm_tps));
    let result = serde_json::json!({
        "bench": "ledger",
        "method": METHOD,
        "transactions_per_round": options.clusters * STEPS,
        "submitters": options.submitters,
        "rounds": options.rounds,
        "chain_tps": chain.round(),
        "litesvm_tps": litesvm.round(),
        "ratio": (chain / litesvm * 100.0).round() / 100.0,
        "wanted_ratio": 0.5,
    });
    println!("{result:#}");
    Ok(())
}

fn id(round: usize, number: usize) -> ClusterId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&(round as u64).to_le_bytes());
    id[8..].copy_from_slice(&(number as u64).to_le_bytes());
    id
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

impl Bench {
    async fn open(dir: &std::path::Path) -> anyhow::Result<Self> {
        let keys = Operator::open(&dir.join("keys"))?;
        let mut options = ChainOptions::new(dir.join("chain"));
        options.clock = ChainClock::Stepped { start_unix_secs: START_UNIX_SECS };
        options.programs = vec![(keys.program_id(), ionet_program::ELF.to_vec())];
        let chain = Chain::open(options)?;
        let ledger = Genesis::LOCAL.create(Arc::new(chain.client()), &keys).await?;
        let customer = Keypair::new();
        let grant = Grant { usdc: Usdc(1_000_000 * USDC_UNIT), io: Io(IO_UNIT), lamports: 0 };
        ledger.faucet(&keys, &customer.pubkey(), &grant).await?;
        let at = *ledger.addresses().await?;
        Ok(Self { chain, ledger, keys, customer, at })
    }

    /// The signed transactions of one cluster's life: one device for two hours, ended at once.
    fn life(&self, cluster_id: ClusterId, blockhash: Hash) -> anyhow::Result<Vec<VersionedTransaction>> {
        let Self { keys, at, customer, .. } = self;
        let usdc = Currency::Usdc;
        let (payer, who) = (keys.payer.pubkey(), customer.pubkey());
        let offer = Offer {
            currency: usdc,
            hardware: HardwareKind::Cpu,
            quantity: 1,
            minutes: 120,
            rate: Units(RATE.0),
            rate_micro_usd: RATE,
            valid_until_unix_secs: START_UNIX_SECS + 3600,
        };
        let booked = Booking::book(&offer, &Genesis::LOCAL.params, START_UNIX_SECS);
        let total = booked.and_then(|booking| booking.total()).map_err(LedgerError::from)?;
        let end = End { reason: EndReason::CustomerEnded, at_unix_secs: START_UNIX_SECS };
        let log = WorkLog { sequence: 0, device_minutes: 60, end: Some(end) };
        let steps: [(_, &[&Keypair]); STEPS] = [
            (instructions::book_product(at, payer, who, keys.quote.pubkey(), cluster_id, &offer), &[customer, &keys.quote]),
            (instructions::pay(at, who, &cluster_id, usdc, total, 0), &[customer]),
            (instructions::start(at, keys.verifier.pubkey(), &cluster_id, usdc), &[&keys.verifier]),
            (instructions::worked(at, keys.verifier.pubkey(), &cluster_id, usdc, &log), &[&keys.verifier]),
            (instructions::refund(at, &who, &cluster_id, usdc), &[]),
            (instructions::repurchase(at, &cluster_id, 0), &[]),
            (instructions::earn(at, &cluster_id, 0), &[]),
        ];
        let mut transactions = Vec::with_capacity(STEPS);
        for (instruction, co_signers) in steps {
            let mut signers = vec![&keys.payer];
            signers.extend(co_signers);
            let mut transaction = Transaction::new_unsigned(Message::new(&[instruction], Some(&payer)));
            transaction.try_sign(&signers, blockhash)?;
            transactions.push(transaction.into());
        }
        Ok(transactions)
    }

    fn lives(&self, clusters: &[ClusterId], blockhash: Hash) -> anyhow::Result<Vec<Vec<VersionedTransaction>>> {
        clusters.iter().map(|cluster_id| self.life(*cluster_id, blockhash)).collect()
    }

    /// Transactions per second of the durable chain.
    async fn chain_round(&self, clusters: &[ClusterId], submitters: usize) -> anyhow::Result<f64> {
        let before = self.settled().await?;
        let lives = self.lives(clusters, self.ledger.rpc.get_latest_blockhash().await?)?;
        let count = lives.iter().map(Vec::len).sum::<usize>();
        let mut shares: Vec<Vec<Vec<VersionedTransaction>>> = (0..submitters.max(1)).map(|_| Vec::new()).collect();
        for (index, life) in lives.into_iter().enumerate() {
            let share = index % shares.len();
            shares[share].push(life);
        }
        let config = RpcSendTransactionConfig { skip_preflight: true, ..RpcSendTransactionConfig::default() };
        let began = Instant::now();
        let tasks = shares.into_iter().map(|share| {
            let rpc = self.ledger.rpc.clone();
            tokio::spawn(async move {
                for transaction in share.iter().flatten() {
                    rpc.send_transaction_with_config(transaction, config).await?;
                }
                anyhow::Ok(())
            })
        });
        for done in try_join_all(tasks).await? {
            done?;
        }
        let secs = began.elapsed().as_secs_f64();
        ensure!(self.settled().await? == before + clusters.len(), "not every cluster was settled");
        Ok(count as f64 / secs)
    }

    async fn settled(&self) -> anyhow::Result<usize> {
        let bookings = self.ledger.bookings(&BookingFilter::default()).await?;
        Ok(bookings.iter().filter(|booking| booking.book.is_settled()).count())
    }

    /// Transactions per second of `LiteSVM` alone, beginning with the accounts as they are on the chain now.
    async fn litesvm_round(&self, clusters: &[ClusterId]) -> anyhow::Result<f64> {
        let mut svm = LiteSVM::new();
        svm.add_program(self.at.program_id, ionet_program::ELF).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        let mut clock: solana_clock::Clock = svm.get_sysvar();
        clock.unix_timestamp = START_UNIX_SECS;
        svm.set_sysvar(&clock);
        let mut copied: Vec<Address> = vec![self.keys.payer.pubkey(), self.at.network, self.at.oracle, self.at.usdc_mint, self.at.io_mint];
        copied.extend(self.at.vaults);
        copied.push(self.at.token_account(&self.customer.pubkey(), Currency::Usdc));
        let accounts = self.ledger.rpc.get_multiple_accounts(&copied).await?;
        for (address, account) in copied.iter().zip(accounts) {
            let account = account.with_context(|| format!("account {address}"))?;
            svm.set_account(*address, account).map_err(|error| anyhow::anyhow!("{error:?}"))?;
        }
        let transactions: Vec<_> = self.lives(clusters, svm.latest_blockhash())?.into_iter().flatten().collect();
        let count = transactions.len();
        let began = Instant::now();
        for transaction in transactions {
            svm.send_transaction(transaction).map_err(|failed| anyhow::anyhow!("{failed:?}"))?;
        }
        Ok(count as f64 / began.elapsed().as_secs_f64())
    }
}
