//! A cluster's life as its customer leads it: book, pay in stages, wait for it to run, run a job on it, end it, see it settled.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use ionet_types::ClusterId;
use ionet_types::clusters::{BookRequest, Cluster, ClusterStatus};
use ionet_types::network::Network;
use ionet_types::payments::PaymentRequest;
use ionet_types::quotes::Quote;
use ionet_types::transactions::{PreparedTransaction, Receipt, Submitted};
use ionet_types::{BaseUnits, Money};
use serde::{Deserialize, Serialize};
use solana_address::Address;
use tokio::time::{Instant, sleep, timeout};

use crate::client::Client;
use crate::context::Context;
use crate::exit::{Exit, Failure, exit_of};
use crate::package::Package;
use crate::progress::Progress;
use crate::ray::{Job, JobStatus, RayJobs};
use crate::signing::{self, Wish};
use crate::views;
use crate::wallet::Wallet;

/// How long devices may take to be free.
const DEVICES_TIMEOUT: Duration = Duration::from_secs(90);
/// How long the next device may take to connect while there are fewer than wanted.
const NEXT_DEVICE_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the money may take to come to rest after the end.
const SETTLE_TIMEOUT: Duration = Duration::from_mins(3);
/// How long the nodes may take to be gone after the end.
const GONE_TIMEOUT: Duration = Duration::from_secs(30);

/// Somebody who can book: a session and the key that signs what spends.
#[derive(Debug, Clone)]
pub struct Customer {
    /// The network, signed in.
    pub client: Client,
    /// The key.
    pub wallet: Arc<Wallet>,
    /// What the network says of itself.
    pub network: Network,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobResult {
    /// Its name in Ray.
    pub submission_id: String,
    /// How it ended.
    pub status: JobStatus,
    /// Exit code of the script, if it got so far.
    pub exit_code: Option<i32>,
    /// What Ray says of it.
    pub message: Option<String>,
}

impl Customer {
    /// The context's wallet and network.
    pub async fn sign_in(context: &Context) -> Result<Self> {
        let client = context.network().await?;
        Self::with(context, client, context.wallet()?).await
    }

    /// This wallet at this network; an API key, if set, takes the place of the session.
    pub async fn with(context: &Context, client: Client, wallet: Wallet) -> Result<Self> {
        let wallet = Arc::new(wallet);
        let client = match &context.api_key {
            Some(key) => client.with_token(key),
            None => client.sign_in(wallet.clone()).await?,
        };
        let network = client.network().await?;
        Ok(Self { client, wallet, network })
    }

    /// Reads, signs and submits what the network prepared.
    pub async fn sign_and_submit(&self, prepared: &PreparedTransaction, wish: &Wish<'_>) -> Result<Submitted> {
        let program = Address::new_from_array(self.network.program_id.0);
        let signed = signing::sign(&self.wallet, program, prepared, wish)?;
        self.client.submit(signed).await
    }

    /// Waits until so many devices are free. A network that has just started gets to know its agents one by one; once it has stopped
    /// doing so, no more are waited for.
    pub async fn await_devices(&self, request: &BookRequest, progress: &Progress) -> Result<()> {
        let begun = Instant::now();
        let (mut connected, mut connected_since) = (0, begun);
        loop {
            let offers = self.client.hardware().await?;
            let offer = offers.items.iter().find(|offer| offer.hardware == request.hardware);
            let (free, now_connected) = offer.map_or((0, 0), |offer| (offer.free_devices, offer.connected_devices));
            if free >= request.quantity {
                return Ok(());
            }
            if now_connected != connected {
                (connected, connected_since) = (now_connected, Instant::now());
            }
            let nobody_comes = connected < request.quantity && connected_since.elapsed() > NEXT_DEVICE_TIMEOUT;
            if nobody_comes || begun.elapsed() > DEVICES_TIMEOUT {
                return Err(Failure::new(format!("only {free} of {} devices ({}) are free", request.quantity, request.hardware))
                    .code("capacity_insufficient")
                    .hint("ask for fewer --nodes, or add agents: `ionet up --agents N`, `ionet agent`")
                    .exit(Exit::Refused)
                    .into());
            }
            progress.doing(&format!("waiting for devices: {free} of {} free", request.quantity));
            sleep(Duration::from_millis(150)).await;
        }
    }

    /// Books at the quoted price.
    pub async fn book(&self, request: &BookRequest, quote: &Quote) -> Result<ClusterId> {
        let request = &BookRequest { quote: Some(quote.signed.clone()), ..request.clone() };
        let booked = self.client.book(request).await?;
        let id = booked.cluster.id;
        self.sign_and_submit(&booked.transaction, &Wish::Book { cluster: id, request, quote: Some(quote) }).await?;
        Ok(id)
    }

    /// Pays one stage: so much, or all that is due. Returns what was paid and what is still due.
    pub async fn pay(&self, id: ClusterId, amount: Option<BaseUnits>) -> Result<(Money, Money)> {
        let prepared = self.client.prepare_payment(id, &PaymentRequest { amount }).await?;
        let asked = amount.unwrap_or(prepared.amount.base_units);
        self.sign_and_submit(&prepared.transaction, &Wish::Pay { amount: asked }).await?;
        Ok((prepared.amount, prepared.due_after))
    }

    /// Waits until the cluster runs, telling how its nodes start.
    pub async fn await_running(&self, id: ClusterId, progress: &Progress) -> Result<Cluster> {
        let settled = |cluster: &Cluster| matches!(cluster.status, ClusterStatus::Running | ClusterStatus::Ended | ClusterStatus::Expired);
        let cluster = self
            .client
            .follow_cluster(id, |cluster| {
                progress.doing(&views::nodes(cluster));
                settled(cluster)
            })
            .await?;
        if cluster.status == ClusterStatus::Running {
            return Ok(cluster);
        }
        Err(Failure::new(format!("the cluster did not come up: {}", views::status(&cluster)))
            .hint("what was not delivered is refunded; see the nodes with `ionet clusters show`")
            .into())
    }

    /// Runs a job on a running cluster; its output goes to `output` as it comes.
    pub async fn run_job(
        &self,
        cluster: &Cluster,
        package: &Package,
        entrypoint: String,
        progress: &Progress,
        output: impl FnMut(&str),
    ) -> Result<JobResult> {
        let ray = RayJobs::new(self.client.clone(), cluster.ray_path.clone());
        progress.doing("uploading the script");
        ray.upload(package).await?;
        let submission_id = format!("ionet-{}", uuid::Uuid::now_v7().simple());
        let env_vars = BTreeMap::from([
            ("IONET_CLUSTER".to_owned(), cluster.id.to_string()),
            ("IONET_NODES".to_owned(), cluster.quantity.to_string()),
            // Output arrives when it is printed, not when a buffer is full.
            ("PYTHONUNBUFFERED".to_owned(), "1".to_owned()),
        ]);
        ray.submit(&Job { submission_id: submission_id.clone(), entrypoint, working_dir_uri: package.uri(), env_vars }).await?;
        progress.done(&format!("job {submission_id} submitted"));
        progress.doing("the job starts");
        let info = ray.follow(&submission_id, output).await?;
        Ok(JobResult { submission_id, status: info.status, exit_code: info.driver_exit_code, message: info.message })
    }

    /// Ends a cluster whatever state it is in. `false`: it waits for payment, which only time ends.
    pub async fn end(&self, id: ClusterId) -> Result<bool> {
        loop {
            let cluster = self.client.cluster(id).await?;
            match cluster.status {
                ClusterStatus::Prepared | ClusterStatus::Booked | ClusterStatus::PartiallyPaid => return Ok(false),
                ClusterStatus::Ended | ClusterStatus::Expired => return Ok(true),
                ClusterStatus::Paid | ClusterStatus::Running if cluster.terminating => return Ok(true),
                ClusterStatus::Paid | ClusterStatus::Running => match self.client.end_cluster(id).await {
                    Ok(_) => return Ok(true),
                    // It changed between the two calls: look again.
                    Err(error) if exit_of(&error) == Exit::Refused => sleep(Duration::from_millis(300)).await,
                    Err(error) => return Err(error),
                },
            }
        }
    }

    /// Waits until all the cluster's money has come to rest; returns its receipt.
    pub async fn await_settled(&self, id: ClusterId, progress: &Progress) -> Result<(Cluster, Receipt)> {
        let settled = self.client.follow_cluster(id, |cluster| {
            progress.doing(&format!("settling: {}", views::status(cluster)));
            cluster.settled
        });
        let cluster = match timeout(SETTLE_TIMEOUT, settled).await {
            Ok(cluster) => cluster?,
            Err(_) => {
                return Err(Failure::new(format!("cluster {id} did not settle within {} s", SETTLE_TIMEOUT.as_secs()))
                    .hint(format!("settlement goes on; look at it with `ionet clusters receipt {id}`"))
                    .exit(Exit::BalanceWrong)
                    .into());
            }
        };
        Ok((cluster, self.client.receipt(id).await?))
    }

    /// Waits, not for ever, until every device of the network is free again: nothing of a cluster runs any more.
    pub async fn await_all_free(&self, progress: &Progress) {
        progress.doing("clearing the nodes away");
        let free = async {
            loop {
                if let Ok(offers) = self.client.hardware().await
                    && offers.items.iter().all(|offer| offer.free_devices == offer.connected_devices)
                {
                    return;
                }
                sleep(Duration::from_millis(100)).await;
            }
        };
        // Whoever runs the nodes ends them in any case; this only gives them the time.
        drop(timeout(GONE_TIMEOUT, free).await);
    }
}
