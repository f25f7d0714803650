//! The control plane: use cases that the API calls (`app`, one noun per file), reconcilers that bring about what was asked for, and the
//! agents' sessions.
//!
//! Three truths meet here. The chain is the truth about money, the store about what is wanted, an agent about what runs on its device.
//! A use case writes down what is wanted or prepares a transaction for the customer to sign; everything that follows is done by
//! reconcilers, each of which looks at the three truths, does what is due and may be killed between any two lines.

mod agents;
mod alarms;
mod app;
mod caller;
mod clock;
pub mod decisions;
mod devices;
mod epochs;
mod error;
mod market;
mod options;
mod pace;
mod proofs;
mod reconcilers;
mod signals;
mod translate;
mod view;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use agents::{AgentInbox, AgentOutbox, Agents, PendingAgent, RayRequest, RayResponse};
pub use alarms::Writer;
pub use app::StakeStep;
pub use caller::{Caller, Via};
pub use clock::Clock;
pub use epochs::inputs::Unmeasured;
pub use error::{ErrorKind, HubError, HubResult};
pub use options::{Admission, HubOptions, Limits, Pricing, Timing};
pub use proofs::Measuring;
pub use proofs::transfers::Transfer;

use app::CODE_INTERVAL_SECS;
use devices::Lives;
use epochs::archive::Archive;
use epochs::watch::Watching;
use ionet_epochs::Closed;
use ionet_store::Store;
use ionet_types::Address;
use market::{Market, Marks};
use pace::Paced;
use proofs::Proving;
use proofs::trial::Trials;
use signals::Signals;

/// The control plane of one network. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    options: HubOptions,
    store: Store,
    signals: Arc<Signals>,
    agents: Agents,
    market: Market,
    watching: Watching,
    proving: Proving,
    trials: Trials,
    archive: Archive,
    /// Up to when the chain's records were read, unix seconds on the chain's clock.
    records_read_unix_secs: AtomicI64,
    /// The epoch whose tree was asked for last.
    tree: Mutex<Option<Arc<Closed>>>,
    /// How often each device asks whether its code was approved.
    questions: Paced<[u8; 32]>,
    /// How often each wallet tries a device's code.
    code_tries: Paced<Address>,
}

/// How far back the hub looks for times in which it was away, seconds.
const WATCHES_READ_SECS: i64 = 30 * 86_400;

impl Hub {
    /// Opens the store and takes up the network where it was left. Nothing moves until [`Hub::run`].
    pub async fn open(options: HubOptions) -> HubResult<Self> {
        let store = Store::open(&options.store).await?;
        let signals = Arc::new(Signals::new());
        let now_unix_secs = options.clock.now_unix_secs();
        let watching = Watching::begin(&store, now_unix_secs).await?;
        let watches = store.watches(now_unix_secs.saturating_sub(WATCHES_READ_SECS)).await?;
        let marks = Arc::new(Marks::new());
        let lives = Lives::load(&store, &watches, options.timing.device_grace(), marks.clone(), now_unix_secs).await?;
        let proving = Proving::load(&store, options.measuring).await?;
        let market = Market::load(&store, &options, marks.clone()).await?;
        let agents = Agents::new(&options, store.clone(), signals.clone(), lives, marks);
        let archive = Archive::new(options.epochs.clone());
        let (records_read_unix_secs, tree) = (AtomicI64::new(i64::MIN), Mutex::default());
        let questions = Paced::new(Duration::from_secs(CODE_INTERVAL_SECS.into()), 1);
        let code_tries = Paced::per_hour(options.limits.code_tries_per_hour);
        let inner = Inner {
            options,
            store,
            signals,
            agents,
            market,
            watching,
            proving,
            trials: Trials::default(),
            archive,
            records_read_unix_secs,
            tree,
            questions,
            code_tries,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Runs the reconcilers until `shutdown` is ready. What is under way then is taken up by the next run.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        tokio::select! {
            biased;
            () = shutdown => {}
            () = reconcilers::run(self) => {}
        }
    }

    /// The hub's own clock.
    pub fn clock(&self) -> &Clock {
        &self.0.options.clock
    }

    /// Wakes every reconciler, as its timer would: for whoever knows that the world has changed.
    pub fn wake(&self) {
        self.0.signals.wake_all();
    }

    /// The agents' sessions.
    pub fn agents(&self) -> &Agents {
        &self.0.agents
    }

    /// Where clients reach the hub.
    pub fn public_url(&self) -> &str {
        &self.0.options.public_url
    }

    pub(crate) fn options(&self) -> &HubOptions {
        &self.0.options
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn ledger(&self) -> &ionet_ledger::Ledger {
        &self.0.options.ledger
    }

    pub(crate) fn signals(&self) -> &Signals {
        &self.0.signals
    }

    pub(crate) fn questions(&self) -> &Paced<[u8; 32]> {
        &self.0.questions
    }

    pub(crate) fn code_tries(&self) -> &Paced<Address> {
        &self.0.code_tries
    }

    pub(crate) fn archive(&self) -> &Archive {
        &self.0.archive
    }

    /// Up to when the chain's records were read, unix seconds on the chain's clock.
    pub(crate) fn records_read_unix_secs(&self) -> i64 {
        self.0.records_read_unix_secs.load(Ordering::SeqCst)
    }

    /// All records up to this moment were read.
    pub(crate) fn records_were_read(&self, until_unix_secs: i64) {
        self.0.records_read_unix_secs.fetch_max(until_unix_secs, Ordering::SeqCst);
    }
}
