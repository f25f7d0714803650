//! Epochs: where each stands, what it gave, and its file for anyone to check.

use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use ionet_epochs::Closed;
use ionet_rules::rewards::Pot;
use ionet_types::epochs::{Allocation, Epoch, EpochStatus, PotSummary, Supply, Verifier};
use ionet_types::page::{Page, PageRequest};
use ionet_types::problem::Code;
use ionet_types::{Address, Money};

use super::{page, page_cursor, page_limit};
use crate::Hub;
use crate::epochs::Chain;
use crate::error::{HubError, HubResult};
use crate::reconcilers::epochs::{ClosedRow, StoredStatement};

/// What people are told of an allocation.
pub(crate) fn allocation_summary(closed: &Closed, sha256: [u8; 32], now: i64) -> Allocation {
    let sums = &closed.allocation.sums;
    let carry_in = closed.inputs.epoch().carry_in;
    let pot = |pot: Pot| PotSummary {
        pot: pot.code().to_owned(),
        emission: Money::io(sums.pots.get(pot).0),
        carried_in: Money::io(carry_in.get(pot).0),
        paid: Money::io(sums.paid.get(pot).0),
        carried_out: Money::io(sums.carry_out.get(pot).0),
        dust: Money::io(sums.dust.get(pot).0),
    };
    Allocation {
        closed_at_unix_secs: now,
        root: hex::encode(closed.root()),
        previous_root: hex::encode(closed.previous_root),
        file_sha256: hex::encode(sha256),
        devices: closed.inputs.devices().len() as u64,
        nominated: sums.nominated,
        passed: sums.passed,
        pots: Pot::ALL.into_iter().map(pot).collect(),
        co_stakers: Money::io(sums.co_staker_io.0),
        work_io: Money::io(sums.work_io.0),
        work_usdc: Money::usdc(sums.work_usdc.0),
        lifetime_io: Money::io(closed.totals.io().0),
        lifetime_usdc: Money::usdc(closed.totals.usdc().0),
    }
}

impl Hub {
    /// Emission and payout as the chain has it.
    pub async fn supply(&self) -> HubResult<Supply> {
        let (chain, verifiers) = futures::try_join!(Chain::look(self), async { Ok(self.ledger().verifiers().await?) })?;
        let closed_epoch = self.last_closed().await?.map_or(0, |row| row.epoch);
        let Chain { params, book, .. } = &chain;
        let verifier = |verifier: &ionet_rules::epochs::Verifier| {
            let votes = verifier.voted_at_unix_secs != 0;
            Verifier {
                key: Address(verifier.key),
                bond: Money::io(verifier.bond.0),
                counts: verifier.weight(params) > 0,
                votes_for_epoch: votes.then_some(verifier.vote.epoch),
                votes_for_root: votes.then(|| hex::encode(verifier.vote.root)),
            }
        };
        Ok(Supply {
            schedule: params.schedule()?.code().to_owned(),
            epoch_secs: params.epoch_secs,
            challenge_window_secs: params.challenge_window_secs,
            first_unix_secs: book.first_unix_secs,
            epoch: chain.running(),
            minted_epoch: book.minted,
            closed_epoch,
            accepted_epoch: book.accepted.epoch,
            accepted_root: hex::encode(book.accepted.root),
            emitted: Money::io(book.emitted.0),
            earned_io: Money::io(book.accepted.total_io.0),
            earned_usdc: Money::usdc(book.accepted.total_usdc.0),
            claimed_io: Money::io(book.claimed_io.0),
            claimed_usdc: Money::usdc(book.claimed_usdc.0),
            verifiers: verifiers.taken().map(|(_, one)| verifier(one)).collect(),
        })
    }

    /// All epochs so far, the running one first.
    pub async fn epoch_list(&self, request: &PageRequest) -> HubResult<Page<Epoch>> {
        let limit = page_limit(request)?;
        let chain = Chain::look(self).await?;
        let before: u64 = page_cursor(request)?.unwrap_or(u64::MAX);
        if before == 0 {
            return Err(Code::CursorInvalid.into());
        }
        let newest = chain.running().min(before - 1);
        let oldest = newest.saturating_sub(u64::from(limit)).max(1);
        let rows = self.store().epochs::<StoredStatement, Allocation>(Some(newest.saturating_add(1)), limit + 1).await?;
        let mut epochs = Vec::new();
        for number in (oldest..=newest).rev() {
            let row = rows.iter().find(|row| row.epoch == number).cloned();
            epochs.push(self.epoch_viewed(&chain, number, row).await?);
        }
        Ok(page(epochs, limit, |epoch| epoch.epoch.to_string(), |epoch| epoch))
    }

    /// An epoch.
    pub async fn epoch_show(&self, number: u64) -> HubResult<Epoch> {
        let chain = Chain::look(self).await?;
        if number == 0 || number > chain.running() {
            return Err(Code::EpochNotFound.into());
        }
        let row = self.store().epoch(number).await?;
        self.epoch_viewed(&chain, number, row).await
    }

    /// Where the file of a published epoch is.
    pub async fn epoch_file(&self, number: u64) -> HubResult<PathBuf> {
        let published = self.store().epoch::<StoredStatement, Allocation>(number).await?.is_some();
        if published {
            return Ok(self.archive().path(number));
        }
        self.epoch_show(number).await?;
        Err(Code::EpochNotClosed.into())
    }

    async fn epoch_viewed(&self, chain: &Chain, number: u64, row: Option<ClosedRow>) -> HubResult<Epoch> {
        let Chain { params, book, now } = chain;
        let (starts_at_unix_secs, ends_at_unix_secs) = params.epoch_bounds(book.first_unix_secs, number);
        let accepted = number <= book.accepted.epoch;
        let held = if row.is_some() || *now < ends_at_unix_secs {
            None
        } else {
            let closed = self.last_closed().await?.map_or(0, |row| row.epoch);
            self.epoch_held(number, closed, *now, params, book).await?
        };
        let status = match (&row, accepted) {
            (Some(_), true) => EpochStatus::Accepted,
            (Some(_), false) => EpochStatus::Closed,
            (None, _) if *now < ends_at_unix_secs => EpochStatus::Running,
            (None, _) => EpochStatus::Held,
        };
        Ok(Epoch {
            epoch: number,
            starts_at_unix_secs,
            ends_at_unix_secs,
            status,
            held_by: held.map(|held| held.code().to_owned()),
            detail: held.map(|held| held.sentence().to_owned()),
            emission: Money::io(params.schedule()?.emission(number).0),
            allocation: row.map(|row| row.summary),
        })
    }

    pub(crate) async fn last_closed(&self) -> HubResult<Option<ClosedRow>> {
        Ok(self.store().epoch_last().await?)
    }

    /// A published epoch, replayed; the one that was asked for last is kept.
    pub(crate) async fn closed_epoch(&self, number: u64) -> HubResult<Arc<Closed>> {
        let kept = self.0.tree.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|kept| kept.inputs.epoch().number == number) {
            return Ok(kept);
        }
        let archive = self.archive().clone();
        let read = tokio::task::spawn_blocking(move || archive.read(number)).await.map_err(HubError::internal)??;
        let (closed, _) = read.ok_or(Code::EpochNotClosed)?;
        let closed = Arc::new(closed);
        *self.0.tree.lock().unwrap_or_else(PoisonError::into_inner) = Some(closed.clone());
        Ok(closed)
    }
}
