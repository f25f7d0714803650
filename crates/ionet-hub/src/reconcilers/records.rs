//! Chain to store: the index of the program's records, for the explorer. And whatever the chain has booked that the store does not know.

use ionet_ledger::Cursor as LedgerCursor;
use ionet_store::{Cursor, NewCluster};
use ionet_types::hardware::{HardwareKind, HardwareModel};
use ionet_types::market::Requirements;
use ionet_types::transactions::{Record, RecordBody};

use crate::Hub;
use crate::error::HubResult;
use crate::translate;

/// Transactions read at once.
const BATCH: usize = 256;

pub(super) async fn reconcile(hub: &Hub) -> HubResult<()> {
    let asked_at_unix_secs = hub.ledger().chain_now_unix_secs().await?;
    let cursor = hub.store().records_cursor().await?;
    let from = cursor.map(|cursor| LedgerCursor { signature: translate::solana_signature(cursor.signature), slot: cursor.slot });
    let mut indexer = hub.ledger().indexer(from);
    loop {
        let batch = indexer.next(BATCH).await?;
        let records: Vec<Record> = batch.records.iter().map(translate::record).collect::<HubResult<_>>()?;
        for record in &records {
            adopt(hub, record).await?;
        }
        let cursor = batch.cursor.map(|cursor| Cursor { signature: translate::signature(&cursor.signature), slot: cursor.slot });
        if !records.is_empty() || batch.cursor != from {
            hub.store().records_insert(&records, cursor).await?;
        }
        if batch.caught_up {
            hub.records_were_read(asked_at_unix_secs);
            return Ok(());
        }
    }
}

/// A booking that the store does not know, because the store was lost or restored: it is taken up, so that its money comes to rest.
async fn adopt(hub: &Hub, record: &Record) -> HubResult<()> {
    let RecordBody::BookProduct { customer, hardware: kind, quantity, minutes, rate, rate_micro_usd, .. } = &record.body else {
        return Ok(());
    };
    if hub.store().cluster(record.cluster_id).await?.is_some() {
        return Ok(());
    }
    tracing::warn!(cluster = %record.cluster_id, "a booking on chain was unknown to the store and is taken up");
    let new = NewCluster {
        id: record.cluster_id,
        customer: *customer,
        name: None,
        hardware: model(hub, *kind, rate_micro_usd.0),
        kind: *kind,
        quantity: *quantity,
        minutes: *minutes,
        currency: record.currency,
        rate: rate.base_units.0,
        rate_micro_usd: rate_micro_usd.0,
        valid_until_unix_secs: record.at_unix_secs,
        token: bs58::encode(rand::random::<[u8; 32]>()).into_string(),
        created_at_unix_secs: record.at_unix_secs,
        // Neither is on chain: such a cluster is placed by its model alone, and has a Ray of its own.
        requirements: Requirements::default(),
        part_of: None,
    };
    Ok(hub.store().cluster_insert(&new, true).await?)
}

/// The model of a booking: the chain knows its kind and its price.
fn model(hub: &Hub, kind: HardwareKind, rate_micro_usd: u64) -> HardwareModel {
    let models = hub.options().prices.models();
    let fits = models.iter().filter(|model| model.kind == kind);
    let same_price = fits.clone().find(|model| model.rate_micro_usd.0 == rate_micro_usd);
    same_price
        .or_else(|| fits.min_by_key(|model| model.rate_micro_usd.0.abs_diff(rate_micro_usd)))
        .map_or_else(HardwareModel::cpu, |model| model.hardware.clone())
}
