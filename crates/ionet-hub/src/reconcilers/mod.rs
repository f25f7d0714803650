//! What closes the gap between what is wanted and what is.
//!
//! Each reconciler takes no input: it looks at the store, the chain and the agents, does what is due, and comes to the same end however
//! often it runs and wherever it is interrupted. It runs when it is woken and on a timer; signals carry no data, so a lost one costs a
//! moment and nothing else. Steps on chain are keyed there (`ionet_ledger::Ledger`), so none can happen twice.

mod bookings;
pub(crate) mod deployments;
pub(crate) mod epochs;
mod expiry;
pub(crate) mod metering;
mod prices;
mod proofs;
mod records;
mod settlement;

use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt as _};
use ionet_ledger::{BookingView, StepOutcome};
use ionet_store::ClusterRow;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::Hub;
use crate::error::HubResult;

/// Clusters that one reconciler works on at once.
const CONCURRENCY: usize = 16;
/// Shortest and longest wait after a failure.
const RETRY: std::ops::RangeInclusive<Duration> = Duration::from_millis(200)..=Duration::from_secs(10);

/// One look and what follows from it.
type Act = for<'a> fn(&'a Hub) -> BoxFuture<'a, HubResult<()>>;

/// Runs all reconcilers for ever.
pub(crate) async fn run(hub: &Hub) {
    let signals = hub.signals();
    let tasks: [(&str, &Notify, Act); 10] = [
        ("watching", &signals.watching, |hub| hub.look().boxed()),
        ("bookings", &signals.bookings, |hub| bookings::reconcile(hub).boxed()),
        ("deployments", &signals.deployments, |hub| deployments::reconcile(hub).boxed()),
        ("metering", &signals.metering, |hub| metering::reconcile(hub).boxed()),
        ("settlement", &signals.settlement, |hub| settlement::reconcile(hub).boxed()),
        ("expiry", &signals.expiry, |hub| expiry::reconcile(hub).boxed()),
        ("prices", &signals.prices, |hub| prices::reconcile(hub).boxed()),
        ("records", &signals.records, |hub| records::reconcile(hub).boxed()),
        ("epochs", &signals.epochs, |hub| epochs::reconcile(hub).boxed()),
        ("proofs", &signals.proofs, |hub| proofs::reconcile(hub).boxed()),
    ];
    futures::future::join_all(tasks.map(|(name, signal, act)| forever(hub, name, signal, act))).await;
}

async fn forever(hub: &Hub, name: &'static str, signal: &Notify, act: Act) {
    let every = hub.options().timing.reconcile_every;
    let mut retry = *RETRY.start();
    loop {
        if let Err(error) = act(hub).await {
            tracing::warn!(
                reconciler = name,
                code = error.code(),
                error = &error as &dyn std::error::Error,
                "reconciling failed; it is retried"
            );
            sleep(retry).await;
            retry = (retry * 2).min(*RETRY.end());
            continue;
        }
        retry = *RETRY.start();
        tokio::select! {
            () = signal.notified() => {}
            () = sleep(every) => {}
        }
    }
}

/// A cluster for which something may be left to do, with its booking.
struct Open {
    row: ClusterRow,
    booking: BookingView,
}

impl Open {
    /// Whether this node holds the state of a Ray cluster: the first one, unless its cluster is part of another one.
    fn is_head(&self, node: u16) -> bool {
        node == 0 && self.row.offer.part_of.is_none()
    }
}

impl Hub {
    /// All clusters that are booked and not settled.
    async fn open_clusters(&self) -> HubResult<Vec<Open>> {
        let rows = self.store().clusters_open().await?;
        let bookings = self.bookings(rows.iter().map(|row| row.offer.id)).await?;
        Ok(rows.into_iter().zip(bookings).filter_map(|(row, booking)| Some(Open { row, booking: booking? })).collect())
    }

    /// A step was taken on chain, or had been: whoever waits for it is woken.
    fn stepped(&self, cluster: &Open, step: &'static str, outcome: StepOutcome) {
        let id = cluster.row.offer.id;
        if let StepOutcome::Done(signature) = outcome {
            tracing::info!(cluster = %id, step, %signature, "a step was taken on chain");
            self.signals().wake_all();
        }
        self.signals().changed(id);
    }
}

/// Does all of these. One cluster's trouble does not keep the others waiting; the first trouble is returned at the end.
async fn all(works: impl Iterator<Item = impl Future<Output = HubResult<()>>>) -> HubResult<()> {
    let works: Vec<_> = works.collect();
    let results: Vec<HubResult<()>> = stream::iter(works).buffer_unordered(CONCURRENCY).collect().await;
    results.into_iter().collect()
}
