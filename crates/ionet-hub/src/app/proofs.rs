//! What devices were asked to prove and how it went, for everybody, and the transfers that belong to it.

use ionet_types::DeviceId;
use ionet_types::agent::challenge::{Digest, Direction, TaskId};
use ionet_types::page::{Page, PageRequest};
use ionet_types::problem::Code;
use ionet_types::proofs::Proof;

use super::{page, page_cursor, page_limit};
use crate::Hub;
use crate::error::HubResult;
use crate::proofs::transfers::Transfer;

impl Hub {
    /// A device's proofs, newest first.
    pub async fn proof_list(&self, device: DeviceId, request: &PageRequest) -> HubResult<Page<Proof>> {
        self.store().device(device).await?.ok_or(Code::DeviceNotFound)?;
        let limit = page_limit(request)?;
        let rows = self.store().proofs_of(device, page_cursor(request)?, limit + 1).await?;
        Ok(page(rows, limit, |proof| proof.number.to_string(), |proof| proof))
    }

    /// The transcript of a proof that failed: JSON, which anyone can replay.
    pub async fn proof_transcript(&self, number: u64) -> HubResult<String> {
        if i64::try_from(number).is_err() {
            return Err(Code::ProofNotFound.into());
        }
        Ok(self.store().proof_transcript(number).await?.ok_or(Code::ProofNotFound)?)
    }

    /// A device comes for a transfer; the time begins.
    pub fn transfer_begin(&self, ticket: TaskId, direction: Direction) -> HubResult<Transfer> {
        Ok(self.agents().0.transfers.begin(ticket, direction).ok_or(Code::TransferNotFound)?)
    }

    /// What a device sent has arrived.
    pub fn transfer_end(&self, ticket: TaskId, digest: &Digest) {
        self.agents().0.transfers.end(ticket, Direction::Upload, digest);
    }
}
