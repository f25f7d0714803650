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
mod error;
mod options;
mod reconcilers;
mod signals;
mod translate;
mod view;

use std::sync::Arc;

pub use agents::{AgentInbox, AgentOutbox, Agents, PendingAgent, RayRequest, RayResponse};
pub use app::StakeStep;
pub use caller::{Caller, Via};
pub use clock::Clock;
pub use error::{ErrorKind, HubError, HubResult};
pub use options::{HubOptions, Timing};

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
}

impl Hub {
    /// Opens the store and takes up the network where it was left. Nothing moves until [`Hub::run`].
    pub async fn open(options: HubOptions) -> HubResult<Self> {
        let store = Store::open(&options.store).await?;
        let signals = Arc::new(Signals::new());
        let agents = Agents::new(&options, store.clone(), signals.clone());
        Ok(Self(Arc::new(Inner { options, store, signals, agents })))
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
}
