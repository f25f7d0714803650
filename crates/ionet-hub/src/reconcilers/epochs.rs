//! Closes epochs: mints what is due, writes down how devices stand when one begins, publishes the allocation of each that is over and
//! complete, votes for its root and has it accepted.
//!
//! Every step is decided by what the chain, the store and the archive say, and can be repeated: one mint, one allocation and one root for an
//! epoch, wherever the hub is killed.

use ionet_epochs::{Closed, Epoch, Totals};
use ionet_ledger::StepOutcome;
use ionet_rules::emission::Schedule;
use ionet_rules::epochs::{Epochs, Statement, agreed_since};
use ionet_rules::money::Io;
use ionet_rules::rewards::Pots;
use ionet_rules::supply::{At, SupplyParams};
use ionet_store::EpochRow;
use ionet_types::epochs::Allocation;
use solana_signer::Signer as _;

use crate::Hub;
use crate::app::allocation_summary;
use crate::epochs::Chain;
use crate::epochs::gates::{self, Facts, Held};
use crate::error::{HubError, HubResult};

/// Epochs whose beginnings are kept after they are closed.
const STARTS_KEPT: u64 = 48;
/// How long presences are kept, seconds: longer than any uptime that is asked for, and than any outage that is made good.
const PRESENCES_KEPT_SECS: i64 = 40 * 86_400;

/// A closed epoch as the store remembers it.
pub(crate) type ClosedRow = EpochRow<StoredStatement, Allocation>;

/// A statement's bytes, hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct StoredStatement(String);

impl From<&Statement> for StoredStatement {
    fn from(statement: &Statement) -> Self {
        Self(hex::encode(bytemuck::bytes_of(statement)))
    }
}

impl StoredStatement {
    /// The statement.
    pub(crate) fn read(&self) -> HubResult<Statement> {
        let bytes = hex::decode(&self.0).map_err(HubError::internal)?;
        bytemuck::try_pod_read_unaligned(&bytes).map_err(|_| HubError::internal("a stored statement is damaged"))
    }
}

pub(super) async fn reconcile(hub: &Hub) -> HubResult<()> {
    hub.look().await?;
    let mut chain = Chain::look(hub).await?;
    remember_start(hub, &chain).await?;
    while chain.book.minted < chain.over() {
        let epoch = chain.book.minted.saturating_add(1);
        taken("mint", epoch, hub.ledger().mint_epoch(&hub.options().operator, epoch).await?);
        chain.book = hub.ledger().epochs().await?.book;
    }
    while let Some(closed) = close_next(hub, &chain).await? {
        tracing::info!(epoch = closed, "an epoch was closed");
    }
    agree(hub, &chain).await
}

/// Writes down how devices stand, once for each epoch, as soon after its beginning as the hub looks.
async fn remember_start(hub: &Hub, chain: &Chain) -> HubResult<()> {
    if chain.now < chain.book.first_unix_secs {
        return Ok(());
    }
    let epoch = chain.over().saturating_add(1);
    if hub.store().epoch_start_taken(epoch).await? {
        return Ok(());
    }
    let standings = hub.standings(chain.now).await?;
    hub.store().epoch_start_insert(epoch, chain.now, &standings).await?;
    hub.store().epoch_starts_prune(chain.book.accepted.epoch.saturating_sub(STARTS_KEPT)).await?;
    Ok(hub.store().presences_prune(chain.now.saturating_sub(PRESENCES_KEPT_SECS)).await?)
}

/// Closes the next epoch, if it is complete. Returns its number.
async fn close_next(hub: &Hub, chain: &Chain) -> HubResult<Option<u64>> {
    let last = hub.store().epoch_last::<StoredStatement, Allocation>().await?;
    let epoch = last.as_ref().map_or(0, |last| last.epoch).saturating_add(1);
    let archive = hub.archive().clone();
    // Published before the hub was killed, or restored with the folder: it stands as it is.
    if let Some((closed, sha256)) = blocking(move || archive.read(epoch)).await? {
        remember(hub, chain.now, &closed, sha256).await?;
        return Ok(Some(epoch));
    }
    if let Some(held) = hub.epoch_held(epoch, last.map_or(0, |last| last.epoch), chain.now, &chain.params, &chain.book).await? {
        if held == Held::Archive {
            tracing::error!(epoch, "{}", held.sentence());
        }
        return Ok(None);
    }
    let archive = hub.archive().clone();
    let previous = blocking(move || if epoch == 1 { Ok(None) } else { archive.read(epoch - 1) }).await?;
    let (carry_in, totals) = match previous {
        None if epoch == 1 => (Pots::EMPTY, Totals::none()),
        None => return Err(HubError::internal("the epoch before is closed, but its file is missing: restore the epochs folder")),
        Some((before, _)) => (before.allocation.sums.carry_out, before.totals),
    };
    let bounds = chain.params.epoch_bounds(chain.book.first_unix_secs, epoch);
    let emission = minted(&chain.params, epoch, &chain.book)?;
    let inputs = hub.epoch_inputs(Epoch { number: epoch, emission, carry_in, params: chain.params }, bounds, chain.now).await?;
    let archive = hub.archive().clone();
    let (closed, sha256) = blocking(move || {
        let closed = ionet_epochs::close(inputs, &totals).map_err(HubError::internal)?;
        let sha256 = archive.write(epoch, &closed)?;
        Ok((closed, sha256))
    })
    .await?;
    remember(hub, chain.now, &closed, sha256).await?;
    Ok(Some(epoch))
}

/// What was minted for an epoch: the schedule's amount, unless the cap has cut it.
fn minted(params: &SupplyParams, epoch: u64, book: &Epochs) -> HubResult<Io> {
    let schedule: Schedule = params.schedule()?;
    let before = schedule.cumulative(epoch.saturating_sub(1));
    // What the cap cut is missing from the end of what was emitted.
    Ok(schedule.emission(epoch).min(Io(book.emitted.0.saturating_sub(before.0))))
}

async fn remember(hub: &Hub, now: i64, closed: &Closed, sha256: [u8; 32]) -> HubResult<()> {
    let statement = closed.statement(sha256);
    let row = ClosedRow {
        epoch: statement.epoch,
        closed_at_unix_secs: now,
        statement: StoredStatement::from(&statement),
        summary: allocation_summary(closed, sha256, now),
    };
    Ok(hub.store().epoch_insert(&row).await?)
}

/// Votes for the newest closed epoch and has what was agreed on accepted.
async fn agree(hub: &Hub, chain: &Chain) -> HubResult<()> {
    let Some(last) = hub.store().epoch_last::<StoredStatement, Allocation>().await? else { return Ok(()) };
    let newest = last.statement.read()?;
    if newest.epoch <= chain.book.accepted.epoch {
        return Ok(());
    }
    let operator = &hub.options().operator;
    let verifiers = hub.ledger().verifiers().await?;
    let key = operator.verifier.pubkey();
    let Some((place, own)) = verifiers.find(&key) else { return Ok(()) };
    let at = At { params: &chain.params, now: chain.now };
    let pending = own.voted_at_unix_secs != 0 && own.vote.epoch > chain.book.accepted.epoch;
    let agreed = if pending { agreed_since(&own.vote, &verifiers.places, &chain.params).ok() } else { None };
    match agreed {
        // Agreed on: it waits for its window, even when a newer epoch is closed by then.
        Some(since) if chain.now < since.saturating_add(i64::from(chain.params.challenge_window_secs)) => Ok(()),
        Some(_) => {
            taken("accept", own.vote.epoch, hub.ledger().accept_root(operator, place).await?);
            hub.signals().epochs.notify_one();
            Ok(())
        }
        None if pending && own.vote == newest => Ok(()),
        None if own.weight(at.params) == 0 => Ok(()),
        None => {
            taken("vote", newest.epoch, hub.ledger().post_root(operator, &newest).await?);
            hub.signals().epochs.notify_one();
            Ok(())
        }
    }
}

fn taken(step: &'static str, epoch: u64, outcome: StepOutcome) {
    if let StepOutcome::Done(signature) = outcome {
        tracing::info!(epoch, step, %signature, "a step was taken on chain");
    }
}

/// Work that takes its time, off the runtime's threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> HubResult<T> + Send + 'static) -> HubResult<T> {
    tokio::task::spawn_blocking(work).await.map_err(HubError::internal)?
}

impl Hub {
    /// What keeps an epoch from being closed.
    pub(crate) async fn epoch_held(
        &self,
        epoch: u64,
        closed: u64,
        now: i64,
        params: &SupplyParams,
        book: &Epochs,
    ) -> HubResult<Option<Held>> {
        let (_, ends_at_unix_secs) = params.epoch_bounds(book.first_unix_secs, epoch);
        let watches = self.store().watches(now.saturating_sub(PRESENCES_KEPT_SECS)).await?;
        Ok(gates::held(&Facts {
            epoch,
            ends_at_unix_secs,
            minted: book.minted,
            closed,
            accepted: book.accepted.epoch,
            records_read_unix_secs: self.records_read_unix_secs(),
            watches: &watches,
            grace: self.grace(),
            now: now.max(self.clock().now_unix_secs()),
        }))
    }
}
