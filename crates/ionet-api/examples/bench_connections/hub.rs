//! A hub as a network has it, with rates that the benchmark does not reach.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use ionet_api::{ApiOptions, Rate};
use ionet_chain::{Chain, ChainOptions};
use ionet_hub::{Admission, Clock, Hub, HubOptions, Limits, Pricing, Timing};
use ionet_ledger::{Genesis, Operator};
use ionet_market::PriceList;
use tokio::net::TcpListener;

/// A running hub. Everything ends with the process.
pub(crate) struct Running {
    pub(crate) base: String,
    hub: Hub,
    _dir: tempfile::TempDir,
}

impl Running {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let dir = tempfile::TempDir::new()?;
        let operator = Arc::new(Operator::open(&dir.path().join("keys"))?);
        let mut options = ChainOptions::new(dir.path().join("chain"));
        options.programs = vec![(operator.program_id(), ionet_program::ELF.to_vec())];
        let chain = Chain::open(options)?;
        let ledger = Genesis::LOCAL.create(Arc::new(chain.client()), &operator).await?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let base = format!("http://{}", listener.local_addr()?);
        let everything = u32::MAX;
        let hub = Hub::open(HubOptions {
            store: dir.path().join("hub.db"),
            epochs: dir.path().join("epochs"),
            unmeasured: None,
            measuring: None,
            ledger,
            operator,
            prices: PriceList::default(),
            pricing: Pricing::List,
            operators: BTreeSet::new(),
            local: true,
            oracle_price: Genesis::LOCAL.price,
            public_url: base.clone(),
            rpc_url: None,
            version: "bench".to_owned(),
            clock: Clock::Real,
            timing: Timing { heartbeat_secs: 30, ..Timing::default() },
            admission: Admission::Open,
            limits: Limits {
                new_devices_per_address_per_hour: everything,
                new_devices_per_owner_per_hour: everything,
                writes_per_minute: everything,
                ..Limits::LOCAL
            },
        })
        .await?;
        let running = hub.clone();
        tokio::spawn(async move { running.run(std::future::pending()).await });
        let rate = Rate { per_second: 1_000_000, burst: 1_000_000 };
        let api = ApiOptions { max_agents_per_address: everything, address_rate: rate, sign_in_rate: rate, ..ApiOptions::default() };
        tokio::spawn(ionet_api::serve(listener, ionet_api::router(hub.clone(), api), std::future::pending()));
        Ok(Self { base, hub, _dir: dir })
    }

    pub(crate) fn connected(&self) -> usize {
        self.hub.agents().connected()
    }

    pub(crate) async fn wait_for(&self, connected: usize, patience: Duration) -> anyhow::Result<()> {
        let begun = Instant::now();
        while self.connected() != connected {
            if begun.elapsed() > patience {
                bail!("{} agents are connected, not {connected}", self.connected());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}
