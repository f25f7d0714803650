//! Clusters: book, list, show, watch, end.

use futures::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use ionet_ledger::{BookingView, Network, address, instructions};
use ionet_market::oracle::node_rate;
use ionet_market::request::Request;
use ionet_market::shape::GpuDemand;
use ionet_rules::RuleError;
use ionet_rules::booking::Status;
use ionet_store::{ClusterRow, NewCluster, Reserved};
use ionet_types::ClusterId;
use ionet_types::clusters::{BookRequest, Booked, Cluster, ClusterNode, MAX_NAME_BYTES};
use ionet_types::page::{Page, PageRequest};
use ionet_types::problem::Code;
use ionet_types::quotes::QuoteTerms;
use ionet_types::transactions::PreparedTransaction;
use solana_signer::Signer as _;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::time::{Instant, timeout_at};

use super::{page, page_cursor, page_limit};
use crate::Hub;
use crate::caller::Caller;
use crate::error::{HubError, HubResult};
use crate::{translate, view};

/// Bookings of one wallet that may wait for its signature: each holds devices.
const MAX_PREPARED: u32 = 8;
/// How often devices are chosen anew when somebody else was faster.
const PLACE_ATTEMPTS: usize = 8;
/// Bookings read at once.
const READ_CONCURRENCY: usize = 16;
/// How often a watcher looks although nobody told it of a change.
const WATCH_EVERY: Duration = Duration::from_secs(1);
/// For how long after it was prepared a transaction can be sent, seconds: as long as a blockhash lives on Solana, less some room.
pub(super) const TRANSACTION_VALID_SECS: i64 = 60;

impl Hub {
    /// Books a cluster: chooses and reserves devices and prepares the transaction that the customer is to sign. What is not signed until the
    /// offer ends is forgotten.
    pub async fn cluster_book(&self, caller: &Caller, request: &BookRequest, idempotency_key: Option<&str>) -> HubResult<Booked> {
        caller.may_write()?;
        self.idempotent(caller, idempotency_key, "cluster_book", request, self.book(caller, request)).await
    }

    /// A new id whose booking account is cheap to create.
    fn new_cluster_id(&self) -> ClusterId {
        let program_id = &self.ledger().program_id;
        loop {
            let id = ClusterId::new();
            if address::books_at_first_try(program_id, &id.bytes()) {
                return id;
            }
        }
    }

    async fn book(&self, caller: &Caller, request: &BookRequest) -> HubResult<Booked> {
        check_name(request.name.as_deref())?;
        if self.store().clusters_prepared(caller.wallet).await? >= MAX_PREPARED {
            return Err(Code::PendingBookingLimit.into());
        }
        if let Some(whole) = request.part_of {
            self.check_whole(caller, whole, request.minutes).await?;
        }
        let terms = request.terms();
        let mut checked = self.checked(&terms)?;
        let (network, now_unix_secs) = futures::try_join!(self.ledger().network(), self.ledger().chain_now_unix_secs())?;
        let promised = request.quote.as_ref().map(|quote| self.promised(quote, &terms, now_unix_secs)).transpose()?;
        if let Some(promised) = &promised {
            self.only(&mut checked, &promised.hardware);
        }
        self.market().lock().arrived(&checked);
        let new = self.reserve(caller, request, &checked, promised.as_ref(), &network, now_unix_secs).await?;
        let booked = self.booking_prepared(&new, &network.params, now_unix_secs).await;
        if booked.is_err() {
            // Best effort: what stays is forgotten when the offer ends.
            self.store().cluster_forget(new.id).await?;
            self.market().mark_all();
        }
        booked
    }

    /// Chooses devices and reserves them, again when somebody else was faster.
    async fn reserve(
        &self,
        caller: &Caller,
        request: &BookRequest,
        checked: &Request,
        promised: Option<&QuoteTerms>,
        network: &Network,
        now_unix_secs: i64,
    ) -> HubResult<NewCluster> {
        for _ in 0..PLACE_ATTEMPTS {
            let Some(chosen) = self.choose(checked).await? else {
                return Err(HubError::from(Code::CapacityInsufficient).saying(self.too_little(checked)));
            };
            let (rate, rate_micro_usd, valid_until_unix_secs) = if let Some(promised) = promised {
                let floor = node_rate(chosen.asked.floor_micro_usd, chosen.asked.gpu_milli)?;
                if floor > promised.rate_micro_usd.0 {
                    return Err(
                        HubError::from(RuleError::QuoteExpired).saying("the devices that are left ask for more: ask for a new quote")
                    );
                }
                (promised.rate.0, promised.rate_micro_usd.0, promised.valid_until_unix_secs)
            } else {
                let offer = self.quoted(&request.terms(), &chosen, network, now_unix_secs).await?.0.offer;
                (offer.rate.0, offer.rate_micro_usd.0, offer.valid_until_unix_secs)
            };
            let new = NewCluster {
                id: self.new_cluster_id(),
                customer: caller.wallet,
                name: request.name.clone(),
                hardware: chosen.hardware,
                kind: chosen.kind,
                quantity: request.quantity,
                minutes: request.minutes,
                currency: request.currency,
                rate,
                rate_micro_usd,
                valid_until_unix_secs,
                token: bs58::encode(rand::random::<[u8; 32]>()).into_string(),
                created_at_unix_secs: now_unix_secs,
                requirements: request.requirements.clone(),
                part_of: request.part_of,
            };
            let reserved = self.store().cluster_reserve(&new, &chosen.takings, now_unix_secs).await?;
            for taking in chosen.takings {
                self.market().mark(taking.device_id);
            }
            if reserved == Reserved::All {
                return Ok(new);
            }
        }
        Err(Code::CapacityInsufficient.into())
    }

    /// Why a request was not placed.
    fn too_little(&self, request: &Request) -> String {
        let (free, wanted) = (self.fitting(request), request.nodes);
        let (nodes, most_gpus) = self.room_for(request);
        let shared = match request.demand.gpus {
            _ if nodes > free => format!(", with room for {nodes} nodes as some are shared"),
            GpuDemand::Whole(count) if most_gpus > 0 && most_gpus < count => {
                format!("; each node asks for {count} GPUs, and at most {most_gpus} are free on one shared device")
            }
            _ => String::new(),
        };
        format!("{free} devices that fulfil the terms are free, {wanted} are wanted{shared}; a preflight says what is in the way")
    }

    /// Whether nodes can join this cluster for so long.
    async fn check_whole(&self, caller: &Caller, whole: ClusterId, minutes: u32) -> HubResult<()> {
        let row = self.owned(caller, whole).await?;
        if row.offer.part_of.is_some() {
            return Err(HubError::from(Code::PartRefused)
                .saying("nodes join a cluster with a Ray of its own, not one that is itself a part")
                .of("part_of"));
        }
        let booking = self.ledger().booking(&whole.bytes()).await?.filter(|booking| booking.status == Status::Running);
        let until = booking.and_then(|booking| booking.book.hired_until_unix_secs());
        let ending = row.terminate_at_unix_secs.is_some() || row.failed_at_unix_secs.is_some();
        let Some(until) = until.filter(|_| !ending) else {
            return Err(HubError::from(Code::PartRefused).saying("the cluster does not run").of("part_of"));
        };
        let left = minutes_left(until, self.ledger().chain_now_unix_secs().await?);
        if minutes > left {
            let why = format!("the cluster is hired for another {left} minutes: ask for no more, or extend it first");
            return Err(HubError::from(Code::PartRefused).saying(why).of("minutes"));
        }
        Ok(())
    }

    async fn booking_prepared(&self, new: &NewCluster, params: &ionet_rules::params::Params, now_unix_secs: i64) -> HubResult<Booked> {
        let operator = &self.options().operator;
        let customer = translate::solana_address(new.customer);
        let at = self.ledger().addresses().await?;
        let (payer, quote) = (operator.payer.pubkey(), operator.quote.pubkey());
        let instruction = instructions::book_product(at, payer, customer, quote, new.id.bytes(), &view::offer(new));
        let prepared = self.ledger().prepare(&[instruction], &operator.payer, &[&operator.quote], &customer).await?;
        let cluster = view::prepared(new, params, self.nodes(new.id).await?)?;
        let what = format!(
            "Book {} x {} for {} minutes at {} per device-hour, {} in all",
            new.quantity, new.hardware, new.minutes, cluster.rate.display, cluster.total.display
        );
        let valid_until_unix_secs = new.valid_until_unix_secs.min(now_unix_secs.saturating_add(TRANSACTION_VALID_SECS));
        Ok(Booked { cluster, transaction: PreparedTransaction { base64: prepared.base64, what, valid_until_unix_secs } })
    }

    /// The caller's clusters, newest first.
    pub async fn cluster_list(&self, caller: &Caller, request: &PageRequest) -> HubResult<Page<Cluster>> {
        let limit = page_limit(request)?;
        let rows = self.store().clusters_of(caller.wallet, page_cursor(request)?, limit + 1).await?;
        let Page { items, next_cursor } = page(rows, limit, |row| row.offer.id.to_string(), |row| row);
        let views: Vec<_> = items.into_iter().map(|row| self.cluster_viewed(row)).collect();
        let items = stream::iter(views).buffered(READ_CONCURRENCY).try_collect().await?;
        Ok(Page { items, next_cursor })
    }

    /// One of the caller's clusters.
    pub async fn cluster_show(&self, caller: &Caller, id: ClusterId) -> HubResult<Cluster> {
        let row = self.owned(caller, id).await?;
        self.cluster_viewed(row).await
    }

    /// One of the caller's clusters now, and again whenever it changes, until it is settled or forgotten.
    pub async fn cluster_watch(&self, caller: &Caller, id: ClusterId) -> HubResult<BoxStream<'static, Cluster>> {
        let changes = self.signals().watch();
        let first = self.cluster_show(caller, id).await?;
        let watcher = Watcher { hub: self.clone(), caller: *caller, id, changes };
        let first_settled = first.settled;
        let rest = stream::unfold((watcher, first.clone(), first_settled), |(mut watcher, last, over)| async move {
            if over {
                return None;
            }
            let next = watcher.next(&last).await?;
            let over = next.settled;
            Some((next.clone(), (watcher, next, over)))
        });
        Ok(stream::iter([first]).chain(rest).boxed())
    }

    /// Ends a cluster early: the work until now (at least the first hour) is logged, the rest is refunded. A cluster that is paid and not
    /// yet running gets all of it back. Asking again changes nothing.
    pub async fn cluster_terminate(&self, caller: &Caller, id: ClusterId) -> HubResult<Cluster> {
        caller.may_write()?;
        let row = self.owned(caller, id).await?;
        let booking = self.ledger().booking(&id.bytes()).await?;
        match booking.as_ref().map(|booking| booking.status) {
            Some(Status::Paid | Status::Running) => {
                let now_unix_secs = self.ledger().chain_now_unix_secs().await?;
                self.store().cluster_terminate(id, now_unix_secs).await?;
                self.signals().metering.notify_one();
                self.signals().deployments.notify_one();
                self.signals().changed(id);
            }
            Some(Status::Ended) => {}
            _ => return Err(Code::NotTerminable.into()),
        }
        let row = self.store().cluster(id).await?.unwrap_or(row);
        self.cluster_viewed(row).await
    }

    /// A cluster, if it is the caller's. Somebody else's looks as if it did not exist.
    pub(crate) async fn owned(&self, caller: &Caller, id: ClusterId) -> HubResult<ClusterRow> {
        let row = self.store().cluster(id).await?;
        row.filter(|row| row.offer.customer == caller.wallet).ok_or_else(|| Code::ClusterNotFound.into())
    }

    /// A cluster with its money and its nodes.
    async fn cluster_viewed(&self, row: ClusterRow) -> HubResult<Cluster> {
        let id = row.offer.id;
        let nodes = self.nodes(id).await?;
        let mut cluster = match self.ledger().booking(&id.bytes()).await? {
            Some(booking) => view::booked(&row, &booking, nodes)?,
            None => view::prepared(&row.offer, &self.ledger().network().await?.params, nodes)?,
        };
        if cluster.part_of.is_none() {
            cluster.parts = self.store().cluster_parts(id).await?;
        }
        Ok(cluster)
    }

    /// The nodes of a cluster, by number.
    async fn nodes(&self, id: ClusterId) -> HubResult<Vec<ClusterNode>> {
        let directory = &self.agents().0.directory;
        let reservations = self.store().reservations_of(id).await?;
        Ok(reservations.iter().map(|reservation| view::node(reservation, directory.seen_one(reservation.device_id).as_ref())).collect())
    }

    /// The bookings of many clusters, in their order.
    pub(crate) async fn bookings(&self, ids: impl IntoIterator<Item = ClusterId>) -> HubResult<Vec<Option<BookingView>>> {
        let reads: Vec<_> = ids.into_iter().map(|id| async move { self.ledger().booking(&id.bytes()).await }).collect();
        Ok(stream::iter(reads).buffered(READ_CONCURRENCY).try_collect().await?)
    }
}

/// Looks at a cluster when something has changed, and now and then.
struct Watcher {
    hub: Hub,
    caller: Caller,
    id: ClusterId,
    changes: broadcast::Receiver<ClusterId>,
}

impl Watcher {
    /// The cluster once it differs from `last`; `None` when it is no more.
    async fn next(&mut self, last: &Cluster) -> Option<Cluster> {
        loop {
            let look_at = Instant::now() + WATCH_EVERY;
            loop {
                match timeout_at(look_at, self.changes.recv()).await {
                    Ok(Ok(id)) if id != self.id => {}
                    // It changed, or the watcher fell behind, or it is time.
                    Ok(Ok(_) | Err(broadcast::error::RecvError::Lagged(_))) | Err(_) => break,
                    Ok(Err(broadcast::error::RecvError::Closed)) => return None,
                }
            }
            match self.hub.cluster_show(&self.caller, self.id).await {
                Ok(cluster) if cluster != *last => return Some(cluster),
                Ok(_) => {}
                Err(error) if error.code() == Code::ClusterNotFound.code() => return None,
                // The chain or the store blinked: the next look may do better.
                Err(error) => {
                    tracing::debug!(cluster = %self.id, error = &error as &dyn std::error::Error, "a watched cluster could not be read");
                }
            }
        }
    }
}

/// Whole minutes that a cluster is still hired for, the one that runs included: nodes that join it need no more.
fn minutes_left(until_unix_secs: i64, now_unix_secs: i64) -> u32 {
    let secs = until_unix_secs.saturating_sub(now_unix_secs).max(0);
    u32::try_from(secs.saturating_add(59) / 60).unwrap_or(u32::MAX)
}

fn check_name(name: Option<&str>) -> HubResult<()> {
    match name {
        Some(name) if name.is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) => {
            Err(HubError::field(format!("name is 1 to {MAX_NAME_BYTES} bytes without control characters")))
        }
        _ => Ok(()),
    }
}
