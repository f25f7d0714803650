//! A network of its own for each test: chain, hub, agents, customers, and time that stands still until it is advanced.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ionet_chain::{Chain, ChainClock, ChainOptions};
use ionet_hub::{Admission, Caller, Clock, Hub, HubError, HubOptions, Limits, Measuring, Pricing, Timing, Unmeasured};
use ionet_ledger::{Genesis, Grant, Ledger, Operator, decode_transaction, encode_transaction};
use ionet_market::PriceList;
use ionet_rules::money::{IO_UNIT, Io, USDC_UNIT, Usdc};
use ionet_types::clusters::{BookRequest, Booked, Cluster, ClusterStatus};
use ionet_types::hardware::HardwareModel;
use ionet_types::keys::{ChallengeRequest, SessionRequest};
use ionet_types::payments::PaymentRequest;
use ionet_types::quotes::QuoteRequest;
use ionet_types::transactions::{PreparedTransaction, Receipt, SubmitRequest, Submitted};
use ionet_types::{Address, BaseUnits, ClusterId, Currency};
use solana_keypair::Keypair;
use solana_signer::Signer;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::agent::TestAgent;

/// Unix second at which every test begins: a midnight.
pub(crate) const START_UNIX_SECS: i64 = 1_800_057_600;
/// How long a test waits for what must happen, on a machine under any load. Longer than the ledger looks for a transaction that a jump in
/// time has put out of sight.
pub(crate) const PATIENCE: Duration = Duration::from_mins(4);

/// The chain and the hub advance together, to within this, seconds.
const CHAIN_STEP_SECS: u64 = 300;

pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) ledger: Ledger,
    pub(crate) operator: Arc<Operator>,
    pub(crate) clock: Clock,
    pub(crate) hub: Hub,
    pub(crate) timing: Timing,
    measuring: Option<Measuring>,
    pricing: Pricing,
    /// The wallet that acts for the operator.
    pub(crate) operates: Keypair,
    runner: JoinHandle<()>,
    pub(crate) dir: TempDir,
}

impl World {
    pub(crate) async fn open() -> Self {
        Self::with(Timing { reconcile_every: Duration::from_millis(200), ..Timing::default() }).await
    }

    pub(crate) async fn with(timing: Timing) -> Self {
        Self::measuring(timing, None).await
    }

    pub(crate) async fn measuring(timing: Timing, measuring: Option<Measuring>) -> Self {
        Self::priced(timing, measuring, Pricing::List).await
    }

    /// A network whose prices follow the market.
    pub(crate) async fn market() -> Self {
        Self::priced(Timing { reconcile_every: Duration::from_millis(200), ..Timing::default() }, None, Pricing::Market).await
    }

    async fn priced(timing: Timing, measuring: Option<Measuring>, pricing: Pricing) -> Self {
        let dir = TempDir::new().unwrap();
        let operator = Arc::new(Operator::open(&dir.path().join("keys")).unwrap());
        let mut options = ChainOptions::new(dir.path().join("chain"));
        options.clock = ChainClock::Stepped { start_unix_secs: START_UNIX_SECS };
        options.programs = vec![(operator.program_id(), ionet_program::ELF.to_vec())];
        let chain = Chain::open(options).unwrap();
        let ledger = Genesis::LOCAL.create(Arc::new(chain.client()), &operator).await.unwrap();
        let clock = Clock::stepped(chain.now_unix_secs());
        let operates = Keypair::new();
        let opened = start(&dir, &ledger, &operator, &clock, (timing, measuring, pricing), address(&operates));
        let (hub, runner) = opened.await;
        Self { chain, ledger, operator, clock, hub, timing, measuring, pricing, operates, runner, dir }
    }

    async fn start(&self) -> (Hub, JoinHandle<()>) {
        let how = (self.timing, self.measuring, self.pricing);
        start(&self.dir, &self.ledger, &self.operator, &self.clock, how, address(&self.operates)).await
    }

    /// Ends the hub as a power cut would, wherever it is, and opens it again.
    pub(crate) async fn restart_hub(&mut self) {
        self.runner.abort();
        let _ = (&mut self.runner).await;
        (self.hub, self.runner) = self.start().await;
    }

    /// The hub is gone for so long, as after a power cut.
    pub(crate) async fn away_secs(&mut self, secs: u64) {
        self.runner.abort();
        let _ = (&mut self.runner).await;
        self.chain.advance_secs(secs).await.unwrap();
        self.clock.advance_secs(i64::try_from(secs).unwrap());
        (self.hub, self.runner) = self.start().await;
    }

    /// Time passes while everybody is there: the hub looks at every heartbeat, so that no part of it is an absence of its own.
    pub(crate) async fn advance_secs(&self, secs: u64) {
        // What was sent a moment ago is confirmed first: no real clock jumps between the two.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut left = secs;
        while left > 0 {
            let step = left.min(CHAIN_STEP_SECS);
            self.chain.advance_secs(step).await.unwrap();
            let mut hub_left = i64::try_from(step).unwrap();
            while hub_left > 0 {
                let hub_step = hub_left.min(i64::from(self.timing.heartbeat_secs));
                self.clock.advance_secs(hub_step);
                self.hub.look().await.unwrap();
                hub_left -= hub_step;
            }
            left -= step;
        }
        self.hub.wake();
    }

    /// Advances at once, in the midst of whatever is under way: for the hub it is as if it had stood still.
    pub(crate) async fn jump_secs(&self, secs: u64) {
        self.chain.advance_secs(secs).await.unwrap();
        self.clock.advance_secs(i64::try_from(secs).unwrap());
        self.hub.wake();
    }

    /// Connected devices, each with an agent that does what it is told at once.
    pub(crate) async fn agents(&self, count: usize) -> Vec<TestAgent> {
        let agents: Vec<_> = (0..count).map(|_| TestAgent::start(&self.hub)).collect();
        wait_for("the agents to connect", async || (self.hub.agents().connected() >= count).then_some(())).await;
        agents
    }

    /// A customer with money who has signed in.
    pub(crate) async fn customer(&self) -> Customer {
        let wallet = Keypair::new();
        let grant = Grant { usdc: Usdc(100_000 * USDC_UNIT), io: Io(100_000 * IO_UNIT), lamports: 0 };
        self.ledger.faucet(&self.operator, &wallet.pubkey(), &grant).await.unwrap();
        let caller = sign_in(&self.hub, &wallet).await;
        Customer { hub: self.hub.clone(), wallet, caller }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.runner.abort();
    }
}

async fn start(
    dir: &TempDir,
    ledger: &Ledger,
    operator: &Arc<Operator>,
    clock: &Clock,
    (timing, measuring, pricing): (Timing, Option<Measuring>, Pricing),
    operates: Address,
) -> (Hub, JoinHandle<()>) {
    let options = HubOptions {
        store: dir.path().join("hub.db"),
        epochs: dir.path().join("epochs"),
        unmeasured: Some(Unmeasured { tier: 1 }),
        measuring,
        ledger: ledger.clone(),
        operator: operator.clone(),
        prices: PriceList::default(),
        pricing,
        operators: BTreeSet::from([operates]),
        local: true,
        oracle_price: Genesis::LOCAL.price,
        public_url: "http://127.0.0.1:8080".to_owned(),
        rpc_url: None,
        version: "test".to_owned(),
        clock: clock.clone(),
        timing,
        admission: Admission::Open,
        limits: Limits::LOCAL,
    };
    let hub = Hub::open(options).await.unwrap();
    let running = hub.clone();
    let runner = tokio::spawn(async move { running.run(std::future::pending()).await });
    (hub, runner)
}

pub(crate) async fn sign_in(hub: &Hub, wallet: &Keypair) -> Caller {
    let challenge = hub.challenge_create(&ChallengeRequest { wallet: address(wallet) }).await.unwrap();
    let signature = wallet.sign_message(challenge.message.as_bytes()).to_string();
    let session = hub.session_create(&SessionRequest { message: challenge.message, signature }).await.unwrap();
    hub.authenticate(&session.token).await.unwrap()
}

pub(crate) fn address(wallet: &Keypair) -> Address {
    Address(wallet.pubkey().to_bytes())
}

/// Waits until `look` finds what it looks for.
pub(crate) async fn wait_for<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub(crate) struct Customer {
    pub(crate) hub: Hub,
    pub(crate) wallet: Keypair,
    pub(crate) caller: Caller,
}

impl Customer {
    pub(crate) fn terms(quantity: u32, minutes: u32, currency: Currency) -> BookRequest {
        BookRequest::new(QuoteRequest::new(HardwareModel::cpu(), quantity, minutes, currency))
    }

    pub(crate) async fn book(&self, quantity: u32, minutes: u32, currency: Currency) -> ClusterId {
        let Booked { cluster, transaction } =
            self.hub.cluster_book(&self.caller, &Self::terms(quantity, minutes, currency), None).await.unwrap();
        assert_eq!(cluster.status, ClusterStatus::Prepared);
        self.submit(&transaction).await.unwrap();
        cluster.id
    }

    /// Signs a prepared transaction.
    pub(crate) fn sign(&self, prepared: &PreparedTransaction) -> SubmitRequest {
        let mut transaction = decode_transaction(&prepared.base64).unwrap();
        let keys = transaction.message.static_account_keys();
        let place = keys.iter().position(|key| *key == self.wallet.pubkey()).unwrap();
        transaction.signatures[place] = self.wallet.sign_message(&transaction.message.serialize());
        SubmitRequest { transaction: encode_transaction(&transaction).unwrap() }
    }

    pub(crate) async fn submit(&self, prepared: &PreparedTransaction) -> Result<Submitted, HubError> {
        self.hub.transaction_submit(&self.sign(prepared)).await
    }

    /// Pays this much, or all that is due.
    pub(crate) async fn pay(&self, id: ClusterId, amount: Option<u64>) -> Result<Submitted, HubError> {
        let request = PaymentRequest { amount: amount.map(BaseUnits) };
        let prepared = self.hub.payment_prepare(&self.caller, id, &request, None).await?;
        self.submit(&prepared.transaction).await
    }

    pub(crate) async fn show(&self, id: ClusterId) -> Cluster {
        self.hub.cluster_show(&self.caller, id).await.unwrap()
    }

    pub(crate) async fn receipt(&self, id: ClusterId) -> Receipt {
        self.hub.cluster_receipt(&self.caller, id).await.unwrap()
    }

    /// The cluster once it is in this state.
    pub(crate) async fn reaches(&self, id: ClusterId, status: ClusterStatus) -> Cluster {
        wait_for(&format!("cluster {id} to be {}", status.name()), async || {
            Some(self.show(id).await).filter(|cluster| cluster.status == status)
        })
        .await
    }

    /// The cluster once all its money has come to rest.
    pub(crate) async fn settles(&self, id: ClusterId) -> Cluster {
        wait_for(&format!("cluster {id} to be settled"), async || Some(self.show(id).await).filter(|cluster| cluster.settled)).await
    }

    /// A cluster that runs.
    pub(crate) async fn running(&self, quantity: u32, minutes: u32, currency: Currency) -> Cluster {
        let id = self.book(quantity, minutes, currency).await;
        self.pay(id, None).await.unwrap();
        self.reaches(id, ClusterStatus::Running).await
    }

    pub(crate) async fn balance(&self, ledger: &Ledger, currency: Currency) -> u64 {
        ledger.token_balance(&self.wallet.pubkey(), currency.rules()).await.unwrap()
    }
}

/// Names of a receipt's records, in order.
pub(crate) fn kinds(receipt: &Receipt) -> Vec<&'static str> {
    receipt.records.iter().map(|record| record.body.kind().name()).collect()
}
