//! A network of its own for each test, with time that stands still until it is advanced.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use ionet_chain::{Chain, ChainClock, ChainOptions};
use ionet_ledger::instructions::{self, Extension};
use ionet_ledger::{BookingView, ClusterId, Genesis, Grant, Ledger, LedgerError, Operator, Receipt};
use ionet_rules::booking::{End, HardwareKind, Offer, WorkLog};
use ionet_rules::money::{Currency, IO_UNIT, Io, MicroUsd, USDC_UNIT, Units, Usdc, io_for_value_up};
use ionet_rules::worklog::EndReason;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signature::Signature;
use solana_signer::Signer;
use tempfile::TempDir;

/// Unix second at which every test's chain begins.
pub(crate) const START_UNIX_SECS: i64 = 1_800_000_000;
/// The rate of the worked example, micro-USD per device-hour.
pub(crate) const RATE: MicroUsd = MicroUsd(115_000);

pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) ledger: Ledger,
    pub(crate) keys: Arc<Operator>,
    clusters: AtomicU8,
    _dir: TempDir,
}

/// A chain with the program deployed and nothing else.
pub(crate) fn bare() -> (Chain, Operator, TempDir) {
    let dir = TempDir::new().unwrap();
    let keys = Operator::open(&dir.path().join("keys")).unwrap();
    let mut options = ChainOptions::new(dir.path().join("chain"));
    options.clock = ChainClock::Stepped { start_unix_secs: START_UNIX_SECS };
    options.programs = vec![(keys.program_id(), ionet_program::ELF.to_vec())];
    (Chain::open(options).unwrap(), keys, dir)
}

impl World {
    pub(crate) async fn open() -> Self {
        let (chain, keys, dir) = bare();
        let rpc = Arc::new(chain.client());
        Self::found(chain, rpc, keys, dir).await
    }

    pub(crate) async fn found(chain: Chain, rpc: Arc<RpcClient>, keys: Operator, dir: TempDir) -> Self {
        let ledger = Genesis::LOCAL.create(rpc, &keys).await.unwrap();
        Self { chain, ledger, keys: Arc::new(keys), clusters: AtomicU8::new(0), _dir: dir }
    }

    pub(crate) async fn customer(&self) -> Keypair {
        let customer = Keypair::new();
        let grant = Grant { usdc: Usdc(1_000_000 * USDC_UNIT), io: Io(1_000_000 * IO_UNIT), lamports: 0 };
        self.ledger.faucet(&self.keys, &customer.pubkey(), &grant).await.unwrap();
        customer
    }

    /// Prepares a transaction as the hub does, signs it as the customer does, submits it.
    pub(crate) async fn sign_and_send(&self, customer: &Keypair, list: &[Instruction]) -> Result<Signature, LedgerError> {
        let prepared = self.ledger.prepare(list, &self.keys.payer, &self.co_signers(list), &customer.pubkey()).await?;
        self.ledger.submit(&prepared.sign(customer)?).await
    }

    fn co_signers(&self, list: &[Instruction]) -> Vec<&Keypair> {
        let quote = self.keys.quote.pubkey();
        let wanted = list.iter().flat_map(|one| &one.accounts).any(|account| account.pubkey == quote);
        if wanted { vec![&self.keys.quote] } else { vec![] }
    }

    pub(crate) async fn offer(&self, currency: Currency, quantity: u32, minutes: u32) -> Offer {
        let now = self.ledger.chain_now_unix_secs().await.unwrap();
        let rate = match currency {
            Currency::Usdc => Units(RATE.0),
            Currency::Io => Units(io_for_value_up(RATE, self.ledger.oracle_price(now).await.unwrap()).unwrap().0),
        };
        Offer { currency, hardware: HardwareKind::Cpu, quantity, minutes, rate, rate_micro_usd: RATE, valid_until_unix_secs: now + 60 }
    }

    pub(crate) async fn book(&self, customer: &Keypair, currency: Currency, quantity: u32, minutes: u32) -> ClusterId {
        let cluster_id = [self.clusters.fetch_add(1, Ordering::Relaxed) + 1; 16];
        let offer = self.offer(currency, quantity, minutes).await;
        let at = self.ledger.addresses().await.unwrap();
        let (payer, quote) = (self.keys.payer.pubkey(), self.keys.quote.pubkey());
        let book = instructions::book_product(at, payer, customer.pubkey(), quote, cluster_id, &offer);
        self.sign_and_send(customer, &[book]).await.unwrap();
        cluster_id
    }

    pub(crate) async fn booking(&self, cluster_id: &ClusterId) -> BookingView {
        self.ledger.expect_booking(cluster_id).await.unwrap()
    }

    pub(crate) async fn pay(&self, customer: &Keypair, cluster_id: &ClusterId, amount: Units) -> Result<Signature, LedgerError> {
        let booking = self.booking(cluster_id).await;
        let at = self.ledger.addresses().await?;
        let pay = instructions::pay(at, customer.pubkey(), cluster_id, booking.currency, amount, booking.book.payments);
        self.sign_and_send(customer, &[pay]).await
    }

    pub(crate) async fn pay_all(&self, customer: &Keypair, cluster_id: &ClusterId) {
        let due = self.booking(cluster_id).await.book.due().unwrap();
        self.pay(customer, cluster_id, due).await.unwrap();
    }

    pub(crate) async fn extend(&self, customer: &Keypair, cluster_id: &ClusterId, minutes: u32) -> Result<Signature, LedgerError> {
        let booking = self.booking(cluster_id).await;
        let params = self.ledger.network().await?.params;
        let amount = booking.book.extension_price(minutes, &params)?.total;
        let extension = Extension { minutes, amount, sequence: booking.book.extensions };
        let at = self.ledger.addresses().await?;
        let quote = self.keys.quote.pubkey();
        let extend = instructions::extend(at, customer.pubkey(), quote, cluster_id, booking.currency, &extension);
        self.sign_and_send(customer, &[extend]).await
    }

    /// The next log with all that it may claim.
    pub(crate) async fn next_log(&self, cluster_id: &ClusterId, end: Option<EndReason>) -> WorkLog {
        let book = self.booking(cluster_id).await.book;
        let now = self.ledger.chain_now_unix_secs().await.unwrap();
        let end = end.map(|reason| End { reason, at_unix_secs: now });
        WorkLog { sequence: book.logs, device_minutes: book.log_limit(end, now).unwrap(), end }
    }

    pub(crate) async fn work(&self, cluster_id: &ClusterId, end: Option<EndReason>) {
        let log = self.next_log(cluster_id, end).await;
        assert!(self.ledger.worked(&self.keys, cluster_id, &log).await.unwrap().signature().is_some());
    }

    /// A fresh price, then everything that is due after the last log.
    pub(crate) async fn settle(&self, cluster_id: &ClusterId) {
        self.ledger.submit_price(&self.keys, Genesis::LOCAL.price.unwrap()).await.unwrap();
        if self.booking(cluster_id).await.refund_due() {
            self.ledger.refund(&self.keys, cluster_id).await.unwrap().signature().unwrap();
        }
        self.ledger.repurchase(&self.keys, cluster_id).await.unwrap();
        self.ledger.earn(&self.keys, cluster_id).await.unwrap();
        assert!(self.booking(cluster_id).await.book.is_settled());
    }

    /// The receipt, which must balance.
    pub(crate) async fn receipt(&self, cluster_id: &ClusterId) -> Receipt {
        let receipt = self.ledger.receipt(cluster_id).await.unwrap();
        assert_eq!(receipt.balance.mismatches, [], "{receipt:#?}");
        receipt
    }
}
