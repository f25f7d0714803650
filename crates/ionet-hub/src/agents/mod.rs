//! The agents' sessions: what each connected device is to run, what it says it runs, and the requests that travel through it.
//!
//! Sessions live in memory. A device that is not connected is *unknown*, not gone: it holds its lease and most likely runs on.

mod admission;
mod directory;
mod session;
mod tunnel;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ionet_devices::{Duty, Event};
use ionet_market::PriceList;
use ionet_store::Store;
use ionet_types::DeviceId;
use ionet_types::agent::{Hello, HubMessage, Session};

use crate::alarms::WriteWatch;
use crate::clock::Clock;
use crate::devices::Lives;
use crate::error::HubResult;
use crate::market::Marks;
use crate::options::{Admission, HubOptions};
use crate::proofs::transfers::Transfers;
use crate::signals::Signals;

use admission::{Entered, JoinLimiters};
pub(crate) use directory::Directory;
pub use directory::{Seen, away_since, on_our_clock};
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
    pub(crate) admission: Admission,
    pub(crate) joins: JoinLimiters,
    /// How often each device and each caller writes.
    pub(crate) writes: WriteWatch,
    /// How many refusals of each are noted, and of all together.
    pub(crate) refusals: WriteWatch,
    pub(crate) all_refusals: WriteWatch,
    pub(crate) lives: Lives,
    /// Devices that the market is to look at again.
    pub(crate) marks: Arc<Marks>,
    pub(crate) transfers: Transfers,
    /// Whether the operator vouches for devices that have proved nothing yet.
    vouched: bool,
    /// Whether foreign load blocks a device.
    time_lock: bool,
    generations: AtomicU64,
}

impl Agents {
    pub(crate) fn new(options: &HubOptions, store: Store, signals: Arc<Signals>, lives: Lives, marks: Arc<Marks>) -> Self {
        Self(Arc::new(Shared {
            network: options.ledger.program_id.to_string(),
            store,
            clock: options.clock.clone(),
            prices: options.prices.clone(),
            signals,
            heartbeat_secs: options.timing.heartbeat_secs.max(1),
            directory: Directory::new(options.clock.now_unix_secs()),
            admission: options.admission,
            joins: JoinLimiters::new(&options.limits),
            writes: WriteWatch::new(options.limits.writes_per_minute),
            refusals: WriteWatch::new(options.limits.refusals_noted_per_minute),
            all_refusals: WriteWatch::new(options.limits.all_refusals_noted_per_minute),
            lives,
            marks,
            transfers: Transfers::default(),
            vouched: options.measuring.is_none_or(|measuring| measuring.vouched),
            time_lock: options.measuring.is_some_and(|measuring| measuring.time_lock),
            generations: AtomicU64::new(1),
        }))
    }

    /// A connection was made: send its challenge, then hand the agent's answer to [`PendingAgent::accept`].
    pub fn open(&self) -> PendingAgent {
        let nonce = bs58::encode(rand::random::<[u8; 32]>()).into_string();
        PendingAgent { agents: self.clone(), address: None, nonce, challenged_unix_secs: self.0.clock.now_unix_secs() }
    }

    /// How many devices are connected.
    pub fn connected(&self) -> usize {
        self.0.directory.connected()
    }
}

impl Shared {
    /// Tells a device's life what happened. What cannot happen to it now is no error here.
    pub(crate) async fn tell(&self, device: DeviceId, event: Event, now_unix_secs: i64) -> HubResult<()> {
        if let Err(refused) = self.lives.apply(&self.store, device, event, now_unix_secs).await? {
            tracing::debug!(%device, ?event, code = refused.code(), "a device's life refuses");
        }
        Ok(())
    }

    /// Since when a device is away, unix seconds on the hub's clock; the hub's own absences do not count. `None` while it is connected.
    pub(crate) fn away_since_unix_secs(&self, device: DeviceId) -> Option<i64> {
        self.directory.away_since_unix_secs(device, self.lives.watching_since_unix_secs())
    }

    /// After this long in silence a connection counts as dead.
    pub(crate) fn silence(&self) -> Duration {
        Duration::from_secs(u64::from(self.heartbeat_secs) * 3)
    }
}

/// A connection that has not proved whose it is.
pub struct PendingAgent {
    agents: Agents,
    nonce: String,
    address: Option<IpAddr>,
    challenged_unix_secs: i64,
}

impl PendingAgent {
    /// The connection comes from this network address, which counts when new devices join.
    #[must_use]
    pub fn from_address(self, address: IpAddr) -> Self {
        Self { address: Some(address), ..self }
    }

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
        let session = Session::new(&shared.network, &self.nonce, &public_key);
        let now_unix_secs = shared.clock.now_unix_secs();
        let said = hello.introduction.into_said();
        // Counted back from the challenge: what comes late must not make an agent look younger than it is.
        let running_since_unix_secs = said.declared.running_since_unix_secs(self.challenged_unix_secs);
        if shared.lives.life(device).is_some_and(|life| life.duty() == Duty::Terminated) {
            return Err(refused("device_terminated", "this device was given up; a device that comes back is a new one, with a new key"));
        }
        let hardware = said.hardware.fingerprint();
        let Entered { admitted, credential } = shared.admit(device, &said, self.address, now_unix_secs).await?;
        let registered = async {
            shared.tell(device, Event::Connected { hardware }, now_unix_secs).await?;
            if shared.vouched {
                shared.tell(device, Event::Vouched { hardware }, now_unix_secs).await?;
                shared.store.device_verified_set(device, &said.hardware).await?;
            }
            HubResult::Ok(shared.store.presence_begin(device, now_unix_secs, running_since_unix_secs).await?)
        };
        let presence = match registered.await {
            Ok(presence) => presence,
            Err(error) => {
                tracing::error!(%device, error = &error as &dyn std::error::Error, "a device could not be registered");
                return Err(admission::unavailable());
            }
        };
        let generation = shared.generations.fetch_add(1, Ordering::Relaxed);
        let model = shared.prices.classify(&said.hardware).map(|model| model.hardware.clone());
        tracing::info!(%device, is_new = admitted.is_new, model = model.as_ref().map(tracing::field::display), "a device connected");
        let _changing = shared.marks.changing(device);
        let place = shared.lives.joined(device, session, &said.hardware, running_since_unix_secs, now_unix_secs);
        let channels = shared.directory.connect(device, (generation, presence), (said.hardware, said.location, said.shared), model, place);
        shared.signals.proofs.notify_one();
        shared.signals.deployments.notify_one();
        let welcome = HubMessage::Welcome { device_id: hello.device_id, heartbeat_secs: shared.heartbeat_secs };
        let greeting = vec![welcome, HubMessage::Credential { credential }];
        let inbox = AgentInbox::new(self.agents.clone(), device, generation);
        let outbox = AgentOutbox::new(self.agents.clone(), device, generation, greeting, channels);
        Ok((inbox, outbox))
    }
}

fn refused(code: &str, message: &str) -> HubMessage {
    HubMessage::Refused { code: code.to_owned(), message: message.to_owned() }
}
