//! Finding records on chain: all of one cluster, or all of the network from a cursor on, oldest first.
//!
//! The cursor names the last transaction that was read, so a reader that stores it together with what it read goes on where it stopped,
//! whenever it was killed. An endpoint that has forgotten the cursor's transaction may repeat records; (cluster, number) tells them apart.

use std::collections::VecDeque;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::json;
use solana_address::Address;
use solana_rpc_client::rpc_client::GetConfirmedSignaturesForAddress2Config;
use solana_rpc_client_api::config::RpcTransactionConfig;
use solana_rpc_client_api::request::RpcRequest;
use solana_signature::Signature;
use solana_transaction_status::EncodedConfirmedTransactionWithStatusMeta;

use crate::address::{self, ClusterId};
use crate::error::LedgerError;
use crate::ledger::{COMMITMENT, ENCODING, Ledger, MAX_TRANSACTION_VERSION};
use crate::records::{Record, Written, records_in_transaction};
use crate::supply::SupplyRecord;

/// Signatures asked for at once: the most that Solana's RPC gives.
const PAGE: usize = 1000;
/// Transactions fetched at once.
const CONCURRENCY: usize = 8;

/// Up to where records were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last transaction read.
    pub signature: Signature,
    /// Its slot.
    pub slot: u64,
}

/// Reads all records of a network, oldest first.
pub struct Indexer {
    ledger: Ledger,
    cursor: Option<Cursor>,
    backlog: VecDeque<Cursor>,
}

/// What one step of an [`Indexer`] read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The records of bookings, in the order of the chain.
    pub records: Vec<Record>,
    /// The records of the supply side, likewise.
    pub supply: Vec<SupplyRecord>,
    /// Where to go on; store it together with the records.
    pub cursor: Option<Cursor>,
    /// Whether nothing is left to read for now.
    pub caught_up: bool,
}

impl Indexer {
    /// Reads up to `max_transactions` further transactions. After an error the same call can be made again.
    pub async fn next(&mut self, max_transactions: usize) -> Result<Batch, LedgerError> {
        if self.backlog.is_empty() {
            let until = self.cursor.map(|cursor| cursor.signature);
            self.backlog = self.ledger.signatures(&self.ledger.program_id, until).await?.into();
        }
        let wanted: Vec<_> = self.backlog.iter().take(max_transactions.max(1)).copied().collect();
        let Written { bookings: records, supply } = self.ledger.written_by(&wanted).await?;
        // Only now is it read: an error above leaves the backlog as it was.
        self.backlog.drain(..wanted.len());
        self.cursor = wanted.last().copied().or(self.cursor);
        Ok(Batch { records, supply, cursor: self.cursor, caught_up: self.backlog.is_empty() })
    }
}

impl Ledger {
    /// An indexer of all records after `from`; of all there are with `None`.
    pub fn indexer(&self, from: Option<Cursor>) -> Indexer {
        Indexer { ledger: self.clone(), cursor: from, backlog: VecDeque::new() }
    }

    /// All records of a cluster, by number, none missing: at least as many as its booking counted when this was called.
    pub async fn records_of(&self, cluster_id: &ClusterId) -> Result<Vec<Record>, LedgerError> {
        let Some(booking) = self.booking(cluster_id).await? else { return Ok(Vec::new()) };
        let address = address::booking(&self.program_id, cluster_id);
        let signatures = self.signatures(&address, None).await?;
        let mut records = self.written_by(&signatures).await?.bookings;
        records.retain(|record| record.cluster_id == *cluster_id);
        records.sort_by_key(|record| record.number);
        records.dedup_by_key(|record| record.number);
        let gap = records.iter().zip(0..).find(|(record, number)| record.number != *number);
        if let Some((_, record)) = gap {
            return Err(LedgerError::RecordMissing { record });
        }
        let count = u32::try_from(records.len()).map_err(|_| LedgerError::malformed("record list"))?;
        if count < booking.records {
            return Err(LedgerError::RecordMissing { record: count });
        }
        Ok(records)
    }

    /// The records of an account of the supply side (a device, a claim account, the epochs or the verifiers account), by number, none
    /// missing.
    pub async fn supply_records_of(&self, subject: &Address) -> Result<Vec<SupplyRecord>, LedgerError> {
        let signatures = self.signatures(subject, None).await?;
        let mut records = self.written_by(&signatures).await?.supply;
        records.retain(|record| record.subject == *subject);
        records.sort_by_key(|record| record.number);
        records.dedup_by_key(|record| record.number);
        let gap = records.iter().zip(0..).find(|(record, number)| record.number != *number);
        if let Some((_, record)) = gap {
            return Err(LedgerError::RecordMissing { record });
        }
        Ok(records)
    }

    /// The records that one transaction wrote; `None` when the endpoint does not know it.
    pub async fn records_of_transaction(&self, signature: &Signature) -> Result<Option<Written>, LedgerError> {
        let found = self.transaction(signature).await?;
        found.map(|found| records_in_transaction(&self.program_id, *signature, &found)).transpose()
    }

    /// Successful transactions that touched `address` after `until`, oldest first.
    async fn signatures(&self, address: &Address, until: Option<Signature>) -> Result<Vec<Cursor>, LedgerError> {
        let mut found = Vec::new();
        let mut before = None;
        loop {
            let config = GetConfirmedSignaturesForAddress2Config { before, until, limit: Some(PAGE), commitment: Some(COMMITMENT) };
            let page = self.rpc.get_signatures_for_address_with_config(address, config).await?;
            let full = page.len() >= PAGE;
            for entry in page {
                let signature = entry.signature.parse().map_err(|_| LedgerError::malformed("signature"))?;
                before = Some(signature);
                if entry.err.is_none() {
                    found.push(Cursor { signature, slot: entry.slot });
                }
            }
            if !full {
                found.reverse();
                return Ok(found);
            }
        }
    }

    async fn written_by(&self, transactions: &[Cursor]) -> Result<Written, LedgerError> {
        let batches: Vec<Written> = stream::iter(transactions.to_vec())
            .map(|cursor| async move {
                // The list names it, so it exists: this endpoint only has not caught up.
                let found = self.records_of_transaction(&cursor.signature).await?;
                found.ok_or(LedgerError::TransactionMissing { signature: cursor.signature })
            })
            .buffered(CONCURRENCY)
            .try_collect()
            .await?;
        let mut all = Written::default();
        for batch in batches {
            all.bookings.extend(batch.bookings);
            all.supply.extend(batch.supply);
        }
        Ok(all)
    }

    async fn transaction(&self, signature: &Signature) -> Result<Option<EncodedConfirmedTransactionWithStatusMeta>, LedgerError> {
        let config = RpcTransactionConfig {
            encoding: Some(ENCODING),
            commitment: Some(COMMITMENT),
            max_supported_transaction_version: Some(MAX_TRANSACTION_VERSION),
        };
        Ok(self.rpc.send(RpcRequest::GetTransaction, json!([signature.to_string(), config])).await?)
    }
}
