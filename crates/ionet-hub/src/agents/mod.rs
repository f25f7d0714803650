//! The agents' sessions: what each connected device is to run, what it says it runs, and the requests that travel through it.
//!
//! Sessions live in memory. A device that is not connected is *unknown*, not gone: it holds its lease and most likely runs on.

mod directory;
mod session;
mod tunnel;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ionet_market::PriceList;
use ionet_store::{Reported, Store};
use ionet_types::DeviceId;
use ionet_types::agent::{Hello, HubMessage};

use crate::clock::Clock;
use crate::options::HubOptions;
use crate::signals::Signals;

pub(crate) use directory::Directory;
pub use directory::Seen;
pub use session::{AgentInbox, AgentOutbox};
pub use tunnel::{RayRequest, RayResponse};

/// All agents. Cheap to clone.
#[derive(Clone)]
pub struct Agents(pub(crate) Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) network: String,
    pub(crate) store: Store,
    pub(crate) clock: Clock,
    pub(crate) prices: PriceList,
    pub(crate) signals: Arc<Signals>,
    pub(crate) heartbeat_secs: u32,
    pub(crate) directory: Directory,
    generations: AtomicU64,
}

impl Agents {
    pub(crate) fn new(options: &HubOptions, store: Store, signals: Arc<Signals>) -> Self {
        Self(Arc::new(Shared {
            network: options.ledger.program_id.to_string(),
            store,
            clock: options.clock.clone(),
            prices: options.prices.clone(),
            signals,
            heartbeat_secs: options.timing.heartbeat_secs.max(1),
            directory: Directory::new(options.clock.now_unix_secs()),
            generations: AtomicU64::new(1),
        }))
    }

    /// A connection was made: send its challenge, then hand the agent's answer to [`PendingAgent::accept`].
    pub fn open(&self) -> PendingAgent {
        PendingAgent { agents: self.clone(), nonce: bs58::encode(rand::random::<[u8; 32]>()).into_string() }
    }

    /// How many devices are connected.
    pub fn connected(&self) -> usize {
        self.0.directory.connected()
    }
}

impl Shared {
    /// After this long in silence a connection counts as dead.
    pub(crate) fn silence(&self) -> Duration {
        Duration::from_secs(u64::from(self.heartbeat_secs) * 3)
    }
}

/// A connection that has not proved whose it is.
pub struct PendingAgent {
    agents: Agents,
    nonce: String,
}

impl PendingAgent {
    /// The first message to the agent.
    pub fn challenge(&self) -> HubMessage {
        HubMessage::Challenge { nonce: self.nonce.clone(), network: self.agents.0.network.clone() }
    }

    /// Checks the agent's answer and opens its session; an older session of the same device ends. A refusal comes as the message to send
    /// before closing.
    pub async fn accept(self, hello: Hello) -> Result<(AgentInbox, AgentOutbox), HubMessage> {
        let shared = &self.agents.0;
        let public_key = hello.verify(&shared.network, &self.nonce).map_err(|error| refused(error.code(), &error.to_string()))?;
        let device = DeviceId(public_key);
        let now_unix_secs = shared.clock.now_unix_secs();
        let reported = Reported {
            label: hello.label.as_deref(),
            hardware: &hello.hardware,
            agent_version: &hello.agent_version,
            declared: hello.declared,
        };
        let registered = async {
            shared.store.device_connected(device, &reported, now_unix_secs).await?;
            shared.store.presence_begin(device, now_unix_secs, hello.declared.running_since_unix_secs).await
        };
        let presence = match registered.await {
            Ok(presence) => presence,
            Err(error) => {
                tracing::error!(%device, error = &error as &dyn std::error::Error, "a device could not be registered");
                return Err(refused("hub_unavailable", "the hub cannot take up devices at the moment: try again"));
            }
        };
        let generation = shared.generations.fetch_add(1, Ordering::Relaxed);
        let model = shared.prices.classify(&hello.hardware).map(|model| model.hardware.clone());
        tracing::info!(%device, model = model.as_ref().map(tracing::field::display), "a device connected");
        let channels = shared.directory.connect(device, (generation, presence), hello.hardware, model);
        shared.signals.deployments.notify_one();
        let welcome = HubMessage::Welcome { device_id: hello.device_id, heartbeat_secs: shared.heartbeat_secs };
        let inbox = AgentInbox::new(self.agents.clone(), device, generation);
        let outbox = AgentOutbox::new(self.agents.clone(), device, generation, welcome, channels);
        Ok((inbox, outbox))
    }
}

fn refused(code: &str, message: &str) -> HubMessage {
    HubMessage::Refused { code: code.to_owned(), message: message.to_owned() }
}
