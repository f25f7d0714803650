//! The control plane: use cases that the API calls (`app`, one noun per file), reconcilers that bring about what was asked for, and the
//! agents' sessions.
//!
//! Three truths meet here. The chain is the truth about money, the store about what is wanted, an agent about what runs on its device.
//! A use case writes down what is wanted or prepares a transaction for the customer to sign; everything that follows is done by
//! reconcilers, each of which looks at the three truths, does what is due and may be killed between any two lines.

mod agents;
mod app;
mod caller;
mod clock;
pub mod decisions;
mod epochs;
mod error;
mod options;
mod reconcilers;
mod signals;
mod translate;
mod view;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

pub use agents::{AgentInbox, AgentOutbox, Agents, PendingAgent, RayRequest, RayResponse};
pub use app::StakeStep;
pub use caller::{Caller, Via};
pub use clock::Clock;
pub use epochs::inputs::Unmeasured;
pub use error::{ErrorKind, HubError, HubResult};
pub use options::{HubOptions, Timing};

use epochs::archive::Archive;
use epochs::watch::Watching;
use ionet_epochs::Closed;
use ionet_store::Store;
use signals::Signals;

/// The control plane of one network. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Inner>);

struct Inner {
    options: HubOptions,
    store: Store,
    signals: Arc<Signals>,
    agents: Agents,
    watching: Watching,
    archive: Archive,
    /// Up to when the chain's records were read, unix seconds on the chain's clock.
    records_read_unix_secs: AtomicI64,
    /// The epoch whose tree was asked for last.
    tree: Mutex<Option<Arc<Closed>>>,
}

impl Hub {
    /// Opens the store and takes up the network where it was left. Nothing moves until [`Hub::run`].
    pub async fn open(options: HubOptions) -> HubResult<Self> {
        let store = Store::open(&options.store).await?;
        let signals = Arc::new(Signals::new());
        let watching = Watching::begin(&store, options.clock.now_unix_secs()).await?;
        let agents = Agents::new(&options, store.clone(), signals.clone());
        let archive = Archive::new(options.epochs.clone());
        let (records_read_unix_secs, tree) = (AtomicI64::new(i64::MIN), Mutex::default());
        Ok(Self(Arc::new(Inner { options, store, signals, agents, watching, archive, records_read_unix_secs, tree })))
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
