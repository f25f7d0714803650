//! A whole network in this process: the chain, the network's program and coins on it, the control plane, its API, and agents.
//!
//! Parts start in this order and stop in the reverse one. Each is durable on its own, so that the process may be killed at any moment and
//! the next start goes on where this one was.

use std::net::Ipv4Addr;
use std::process;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use ionet_agent::AgentOptions;
use ionet_api::ApiOptions;
use ionet_chain::{Chain, ChainOptions};
use ionet_hub::{Admission, Clock, Hub, HubOptions, Limits, Measuring, Pricing, Timing};
use ionet_ledger::{Genesis, Operator};
use ionet_market::PriceList;
use ionet_rules::supply::SupplyParams;
use ionet_types::Address;
use ionet_types::devices::{DeviceConnection, DeviceUse};
use ionet_types::joins::CreateJoinTokenRequest;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::client::{Client, ListQuery};
use crate::exit::{Exit, Failure};
use crate::home::{Home, NetworkLock, Running};
use crate::progress::Progress;

/// How long a part may take to stop before it is left to the end of the process.
const STOP_TIMEOUT: Duration = Duration::from_secs(20);

/// How long the join token of this process's own agents holds, seconds.
const LOCAL_TOKEN_SECS: u32 = 3_600;

/// How a local network is to be.
#[derive(Debug, Clone)]
pub struct NetworkOptions {
    /// Agents in this process.
    pub agents: usize,
    /// CPUs that each of them offers; the machine's, shared out, if absent.
    pub cpus_per_agent: Option<u32>,
    /// The wallet that owns the agents' devices.
    pub owner: Option<Address>,
    /// Port of the API; 0 is any free one.
    pub port: u16,
    /// Port of the chain's JSON-RPC; 0 is any free one.
    pub rpc_port: u16,
    /// What the network rents out, and for how much.
    pub prices: PriceList,
    /// What moves prices.
    pub pricing: Pricing,
    /// Length of an epoch in seconds, when the network is founded; an hour if absent.
    pub epoch_secs: Option<u32>,
}

impl Default for NetworkOptions {
    /// No agents, the built-in price list and nothing that moves its prices.
    fn default() -> Self {
        Self {
            agents: 0,
            cpus_per_agent: None,
            owner: None,
            port: 0,
            rpc_port: 0,
            prices: PriceList::default(),
            pricing: Pricing::List,
            epoch_secs: None,
        }
    }
}

/// A running local network.
#[derive(Debug)]
pub struct LocalNetwork {
    running: Running,
    failed: CancellationToken,
    /// In the order in which they were started.
    parts: Vec<Part>,
    chain: Chain,
    lock: NetworkLock,
}

/// One part that runs beside the others until it is told to stop.
#[derive(Debug)]
struct Part {
    name: String,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl LocalNetwork {
    /// Starts the network of a data directory, or starts it again.
    pub async fn start(home: &Home, options: &NetworkOptions, progress: &Progress) -> Result<Self> {
        let lock = home.lock_network()?;
        progress.doing("starting the chain");
        let operator = Arc::new(Operator::open(&home.keys()).context(Failure::new("cannot use the network's keys"))?);
        let mut chain_options = ChainOptions::new(home.chain());
        chain_options.programs = vec![(operator.program_id(), ionet_program::ELF.to_vec())];
        let chain =
            tokio::task::spawn_blocking(move || Chain::open(chain_options)).await?.context(Failure::new("cannot open the chain"))?;
        let rpc_listeners = ionet_chain::bind_pair(options.rpc_port)
            .await
            .with_context(|| cannot_listen(&format!("ports {} and the next", options.rpc_port), "--rpc-port"))?;
        let api_listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .await
            .with_context(|| cannot_listen(&format!("port {}", options.port), "--port"))?;
        let url = |listener: &TcpListener| anyhow::Ok(format!("http://{}", listener.local_addr()?));
        let running = Running { url: url(&api_listener)?, rpc_url: url(&rpc_listeners.0)?, pid: process::id() };
        let mut network = Self { running, failed: CancellationToken::new(), parts: Vec::new(), chain, lock };
        let started = network.start_parts(home, options, progress, operator, rpc_listeners, api_listener).await;
        match started {
            Ok(()) => Ok(network),
            Err(error) => {
                network.stop().await;
                Err(error)
            }
        }
    }

    async fn start_parts(
        &mut self,
        home: &Home,
        options: &NetworkOptions,
        progress: &Progress,
        operator: Arc<Operator>,
        rpc_listeners: (TcpListener, TcpListener),
        api_listener: TcpListener,
    ) -> Result<()> {
        // Solana's clients look for the websocket one port above.
        for (name, listener) in [("chain's interface", rpc_listeners.0), ("chain's websocket", rpc_listeners.1)] {
            let chain = self.chain.clone();
            self.part(name, |stop| async move {
                tokio::select! {
                    () = stop.cancelled() => Ok(()),
                    served = chain.serve(listener) => Ok(served?),
                }
            });
        }

        progress.doing("founding the network");
        let genesis = Genesis { supply: options.epoch_secs.map_or(SupplyParams::DEFAULT, SupplyParams::with_epoch_secs), ..Genesis::LOCAL };
        let ledger = genesis
            .create(Arc::new(self.chain.client()), &operator)
            .await
            .context(Failure::new("cannot found the network on its chain"))?;

        let founded_with = ledger.supply().await?.params.epoch_secs;
        if let Some(wanted) = options.epoch_secs.filter(|wanted| *wanted != founded_with) {
            return Err(Failure::new(format!(
                "this network was founded with epochs of {founded_with} s, not {wanted} s, and they do not change"
            ))
            .hint("leave out --epoch-secs, or found another network with --dir")
            .exit(Exit::Usage)
            .into());
        }

        progress.doing("starting the control plane");
        std::fs::create_dir_all(home.store()).with_context(|| format!("cannot create {}", home.store().display()))?;
        let hub = Hub::open(HubOptions {
            store: home.store().join("hub.sqlite"),
            epochs: home.epochs(),
            unmeasured: None,
            measuring: Some(Measuring::LOCAL),
            ledger,
            operator,
            prices: options.prices.clone(),
            pricing: options.pricing,
            // Whoever founds a network on this machine operates it.
            operators: options.owner.into_iter().collect(),
            local: true,
            oracle_price: genesis.price,
            public_url: self.running.url.clone(),
            rpc_url: Some(self.running.rpc_url.clone()),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            clock: Clock::Real,
            timing: Timing::default(),
            admission: Admission::Approved,
            limits: Limits::LOCAL,
        })
        .await
        .context(Failure::new("cannot open the control plane's store"))?;
        let reconcilers = hub.clone();
        self.part("control plane", |stop| async move {
            reconcilers.run(stop.cancelled()).await;
            Ok(())
        });
        // This machine's own devices join as any others do.
        let strangers = (0..options.agents).filter(|index| !ionet_agent::has_joined(&home.agent(*index))).count();
        let join_token = match options.owner.filter(|_| strangers > 0) {
            Some(owner) => Some(local_token(&hub, owner, strangers).await?),
            None => None,
        };
        let router = ionet_api::router(hub, ApiOptions::default());
        self.part("API", |stop| async move { Ok(ionet_api::serve(api_listener, router, stop.cancelled_owned()).await?) });

        progress.doing("starting the agents");
        for index in 0..options.agents {
            let agent = AgentOptions {
                label: Some(format!("local-{index}")),
                owner: options.owner,
                join_token: join_token.clone(),
                cpus: Some(options.cpus_per_agent.unwrap_or_else(|| fair_share(options.agents))),
                ..AgentOptions::new(home.agent(index), self.running.url.clone())
            };
            self.part(&format!("agent {index}"), |stop| async move { Ok(ionet_agent::run(agent, stop).await?) });
        }
        self.lock.announce(&self.running)
    }

    /// Runs a part until it is told to stop. One that ends by itself fails the network.
    fn part<F: Future<Output = Result<()>> + Send + 'static>(&mut self, name: &str, run: impl FnOnce(CancellationToken) -> F) {
        let stop = CancellationToken::new();
        let running = run(stop.clone());
        let (told, failed, title) = (stop.clone(), self.failed.clone(), name.to_owned());
        let task = tokio::spawn(async move {
            let ended = running.await;
            if !told.is_cancelled() {
                let error = ended.err().unwrap_or_else(|| anyhow!("it ended by itself"));
                tracing::error!(part = title, error = format!("{error:#}"), "a part of the network failed");
                failed.cancel();
            }
        });
        self.parts.push(Part { name: name.to_owned(), stop, task });
    }

    /// Where it is reached.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// URL of its API.
    pub fn url(&self) -> &str {
        &self.running.url
    }

    /// Returns when a part of it has failed, which it should not.
    pub async fn failed(&self) -> anyhow::Error {
        self.failed.cancelled().await;
        Failure::new("a part of the network failed; see the log above").hint("start it again: it goes on where it was").into()
    }

    /// Stops it, the last part first. Paid nodes of agents run on until their lease ends; what is being cleared away is cleared first.
    pub async fn stop(mut self) {
        drop(timeout(STOP_TIMEOUT, self.cleared()).await);
        while let Some(part) = self.parts.pop() {
            part.stop.cancel();
            match timeout(STOP_TIMEOUT, part.task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(part = part.name, %error, "a part of the network broke"),
                Err(_) => tracing::warn!(part = part.name, "a part of the network did not stop in time"),
            }
        }
        self.chain.close().await;
    }
}

impl LocalNetwork {
    /// Returns when no device is being cleared any more, or when that cannot be told.
    async fn cleared(&self) {
        let Ok(client) = Client::new(&self.running.url) else { return };
        let every = ListQuery { limit: Some(200), ..ListQuery::default() };
        while let Ok(devices) = client.devices(&every).await
            && devices.items.iter().any(|device| device.usage == DeviceUse::Releasing && device.connection == DeviceConnection::Connected)
        {
            sleep(Duration::from_millis(100)).await;
        }
    }
}

/// A join token for so many agents of this process, which use it at once if they are new.
async fn local_token(hub: &Hub, owner: Address, agents: usize) -> Result<String> {
    let max_devices = u32::try_from(agents)?;
    let request = CreateJoinTokenRequest { name: "this machine".to_owned(), max_devices, expires_in_secs: Some(LOCAL_TOKEN_SECS) };
    Ok(hub.join_token_issue(owner, &request).await?.secret)
}

fn cannot_listen(what: &str, option: &str) -> Failure {
    Failure::new(format!("cannot listen on {what} of this machine"))
        .hint(format!("choose another with {option}, or 0 for any that is free"))
}

/// CPUs of the machine for each of so many agents, at least one.
fn fair_share(agents: usize) -> u32 {
    let all = available_parallelism().map_or(1, usize::from);
    u32::try_from(all / agents.max(1)).unwrap_or(u32::MAX).max(1)
}
