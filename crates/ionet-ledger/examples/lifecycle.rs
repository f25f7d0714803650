//! One cluster's life against any Solana RPC endpoint that has the program deployed and an airdrop: books, pays in two stages, extends,
//! starts, ends early, refunds, converts, earns; prints each step with its compute units and signature, and the receipt.
//!
//! `cargo run --release -p ionet-ledger --example lifecycle -- http://127.0.0.1:8899 KEY_DIRECTORY [usdc|io]`
//! The directory holds the operator's keys; `program.json` in it is the key of the deployed program.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::{Parser, ValueEnum};
use ionet_ledger::instructions::{self, Extension};
use ionet_ledger::{COMMITMENT, ClusterId, Genesis, Grant, Ledger, LedgerError, Operator, Receipt, StepOutcome};
use ionet_rules::booking::{End, HardwareKind, Offer, WorkLog};
use ionet_rules::money::{Currency, IO_UNIT, Io, MicroUsd, USDC_UNIT, Units, Usdc, io_for_value_up};
use ionet_rules::worklog::EndReason;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction_status::UiTransactionEncoding;
use tokio::time::sleep;

/// How far a chain's history may lag behind its state.
const HISTORY_TIMEOUT: Duration = Duration::from_mins(1);

/// Runs one cluster's life on a chain.
#[derive(Parser)]
struct Options {
    /// RPC endpoint, such as `http://127.0.0.1:8899`.
    url: String,
    /// Directory of the operator's keys; made when missing.
    keys: PathBuf,
    /// What to pay in.
    #[arg(value_enum, default_value = "usdc")]
    currency: Coin,
}

#[derive(Clone, Copy, ValueEnum)]
enum Coin {
    Usdc,
    Io,
}

struct Life {
    ledger: Ledger,
    keys: Operator,
    customer: Keypair,
    currency: Currency,
    cluster_id: ClusterId,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let currency = match options.currency {
        Coin::Usdc => Currency::Usdc,
        Coin::Io => Currency::Io,
    };
    let keys = Operator::open(&options.keys)?;
    let rpc = Arc::new(RpcClient::new_with_commitment(options.url, COMMITMENT));
    let ledger = Genesis::LOCAL.create(rpc, &keys).await.context("genesis")?;
    println!("network of program {}", ledger.program_id);
    let customer = Keypair::new();
    let grant = Grant { usdc: Usdc(1000 * USDC_UNIT), io: Io(1000 * IO_UNIT), lamports: 0 };
    let granted = ledger.faucet(&keys, &customer.pubkey(), &grant).await?;
    let mut cluster_id = [0; 16];
    cluster_id.copy_from_slice(&Keypair::new().pubkey().to_bytes()[..16]);
    let life = Life { ledger, keys, customer, currency, cluster_id };
    life.print("faucet", granted).await?;
    life.run().await
}

impl Life {
    async fn run(&self) -> anyhow::Result<()> {
        let (ledger, keys, id) = (&self.ledger, &self.keys, &self.cluster_id);
        self.step("submit_price", ledger.submit_price(keys, MicroUsd(2_000_000)).await?).await?;
        self.book().await?;
        let due = self.due().await?;
        self.pay("pay (first stage)", Units(due.0 / 3)).await?;
        self.pay("pay (rest)", self.due().await?).await?;
        self.extend().await?;
        self.step("start", ledger.start(keys, id).await?).await?;
        let now = ledger.chain_now_unix_secs().await?;
        let end = Some(End { reason: EndReason::CustomerEnded, at_unix_secs: now });
        let book = ledger.expect_booking(id).await?.book;
        let log = WorkLog { sequence: book.logs, device_minutes: book.log_limit(end, now).map_err(LedgerError::from)?, end };
        self.step("worked (ended by the customer)", ledger.worked(keys, id, &log).await?).await?;
        self.step("refund", ledger.refund(keys, id).await?).await?;
        self.step("repurchase", ledger.repurchase(keys, id).await?).await?;
        self.step("earn", ledger.earn(keys, id).await?).await?;
        let again = [ledger.start(keys, id).await?, ledger.worked(keys, id, &log).await?, ledger.refund(keys, id).await?];
        ensure!(again == [StepOutcome::AlreadyDone; 3], "a step was taken twice");

        let receipt = self.receipt().await?;
        for record in &receipt.records {
            println!("record {:>2}  {:<12} {}", record.number, record.kind().name(), record.signature);
        }
        let balance = &receipt.balance;
        println!(
            "paid {} = worked {} + refunded {} + fees {} + escrow {} (base units of {})",
            balance.paid,
            balance.worked,
            balance.refunded,
            balance.fees,
            balance.escrow,
            self.currency.name()
        );
        ensure!(balance.is_ok() && receipt.booking.book.is_settled(), "the books do not balance: {:?}", balance.mismatches);
        println!("the books balance");
        Ok(())
    }

    /// The receipt, once the endpoint's history has caught up with its state.
    async fn receipt(&self) -> anyhow::Result<Receipt> {
        let began = Instant::now();
        loop {
            match self.ledger.receipt(&self.cluster_id).await {
                Ok(receipt) => {
                    println!("all records are in the history {} ms after the last step", began.elapsed().as_millis());
                    return Ok(receipt);
                }
                Err(error) if error.is_retryable() && began.elapsed() < HISTORY_TIMEOUT => sleep(Duration::from_millis(100)).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    async fn book(&self) -> anyhow::Result<()> {
        let rate_micro_usd = MicroUsd(115_000);
        let now = self.ledger.chain_now_unix_secs().await?;
        let rate = match self.currency {
            Currency::Usdc => Units(rate_micro_usd.0),
            Currency::Io => Units(io_for_value_up(rate_micro_usd, self.ledger.oracle_price(now).await?).map_err(LedgerError::from)?.0),
        };
        let offer = Offer {
            currency: self.currency,
            hardware: HardwareKind::Cpu,
            quantity: 4,
            minutes: 120,
            rate,
            rate_micro_usd,
            valid_until_unix_secs: now + 60,
        };
        let (payer, quote) = (self.keys.payer.pubkey(), self.keys.quote.pubkey());
        let at = self.ledger.addresses().await?;
        let book = instructions::book_product(at, payer, self.customer.pubkey(), quote, self.cluster_id, &offer);
        println!("booking account {}", ionet_ledger::address::booking(&self.ledger.program_id, &self.cluster_id));
        self.send("book_product", book, true).await
    }

    async fn due(&self) -> anyhow::Result<Units> {
        Ok(self.ledger.expect_booking(&self.cluster_id).await?.book.due().map_err(LedgerError::from)?)
    }

    async fn pay(&self, what: &str, amount: Units) -> anyhow::Result<()> {
        let sequence = self.ledger.expect_booking(&self.cluster_id).await?.book.payments;
        let at = self.ledger.addresses().await?;
        let pay = instructions::pay(at, self.customer.pubkey(), &self.cluster_id, self.currency, amount, sequence);
        self.send(what, pay, false).await
    }

    async fn extend(&self) -> anyhow::Result<()> {
        let book = self.ledger.expect_booking(&self.cluster_id).await?.book;
        let amount = book.extension_price(60, &self.ledger.network().await?.params).map_err(LedgerError::from)?.total;
        let extension = Extension { minutes: 60, amount, sequence: book.extensions };
        let (customer, quote) = (self.customer.pubkey(), self.keys.quote.pubkey());
        let at = self.ledger.addresses().await?;
        let extend = instructions::extend(at, customer, quote, &self.cluster_id, self.currency, &extension);
        self.send("extend", extend, true).await
    }

    async fn send(&self, what: &str, instruction: Instruction, quoted: bool) -> anyhow::Result<()> {
        let co_signers: &[_] = if quoted { &[&self.keys.quote] } else { &[] };
        let prepared = self.ledger.prepare(&[instruction], &self.keys.payer, co_signers, &self.customer.pubkey()).await?;
        let signature = self.ledger.submit(&prepared.sign(&self.customer)?).await.with_context(|| what.to_owned())?;
        self.print(what, signature).await
    }

    async fn step(&self, what: &str, outcome: StepOutcome) -> anyhow::Result<()> {
        match outcome {
            StepOutcome::Done(signature) => self.print(what, signature).await,
            StepOutcome::AlreadyDone => {
                println!("{what:<32} nothing to do");
                Ok(())
            }
        }
    }

    async fn print(&self, what: &str, signature: Signature) -> anyhow::Result<()> {
        let config = RpcTransactionConfig {
            encoding: Some(UiTransactionEncoding::Base64),
            commitment: Some(COMMITMENT),
            max_supported_transaction_version: Some(0),
        };
        let found = self.ledger.rpc.get_transaction_with_config(&signature, config).await?;
        let units: Option<u64> = found.transaction.meta.and_then(|meta| meta.compute_units_consumed.into());
        println!("{what:<32} {:>6} CU  {signature}", units.unwrap_or(0));
        Ok(())
    }
}
