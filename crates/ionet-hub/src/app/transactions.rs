//! Transactions: what customers submit, and the public records of what happened.

use ionet_ledger::{LedgerError, decode_transaction};
use ionet_types::TransactionSignature;
use ionet_types::page::{Page, PageRequest};
use ionet_types::problem::Code;
use ionet_types::supply::SupplyRecord;
use ionet_types::transactions::{Record, RecordFilter, SubmitRequest, Submitted, TransactionDetail, TransactionStatus};
use solana_signer::Signer as _;

use super::{page, page_limit, place_cursor};
use crate::Hub;
use crate::error::{HubError, HubResult};
use crate::translate;

impl Hub {
    /// Submits a transaction that the hub prepared and the customer has signed, and waits until it is confirmed. Submitting it again gives
    /// the same answer.
    pub async fn transaction_submit(&self, request: &SubmitRequest) -> HubResult<Submitted> {
        let transaction = decode_transaction(&request.transaction).map_err(|error| match error {
            LedgerError::Malformed { .. } => HubError::from(Code::TransactionMalformed).because(error),
            error => error.into(),
        })?;
        // The network's own signature as the fee payer proves that the hub built this very message.
        let payer = self.options().operator.payer.pubkey();
        let is_ours =
            transaction.message.static_account_keys().first() == Some(&payer) && transaction.verify_with_results().first() == Some(&true);
        if !is_ours {
            return Err(Code::TransactionForeign.into());
        }
        let submitted = self.ledger().submit(&transaction).await;
        // Also after an error: its outcome may be unknown.
        self.signals().wake_all();
        Ok(Submitted { signature: translate::signature(&submitted?), status: TransactionStatus::Confirmed })
    }

    /// The program's records, newest first.
    pub async fn transaction_list(&self, filter: &RecordFilter, request: &PageRequest) -> HubResult<Page<Record>> {
        let limit = page_limit(request)?;
        let rows = self.store().records(filter, place_cursor(request)?, limit + 1).await?;
        Ok(page(rows, limit, |(place, _)| place.to_string(), |(_, record)| record))
    }

    /// One transaction with the program's records in it. One that the index does not have yet is looked up on chain.
    pub async fn transaction_show(&self, signature: TransactionSignature) -> HubResult<TransactionDetail> {
        let records = self.store().records_of_transaction(signature).await?;
        if let Some(first) = records.first() {
            let (slot, at_unix_secs) = (first.slot, first.at_unix_secs);
            return Ok(TransactionDetail { signature, slot, at_unix_secs, records, supply_records: Vec::new() });
        }
        let found = self.ledger().records_of_transaction(&translate::solana_signature(signature)).await?.unwrap_or_default();
        let records: Vec<Record> = found.bookings.iter().map(translate::record).collect::<HubResult<_>>()?;
        let supply_records: Vec<SupplyRecord> = found.supply.iter().map(translate::supply_record).collect::<HubResult<_>>()?;
        let booked = records.first().map(|record| (record.slot, record.at_unix_secs));
        let supplied = supply_records.first().map(|record| (record.slot, record.at_unix_secs));
        let (slot, at_unix_secs) = booked.or(supplied).ok_or(Code::TransactionNotFound)?;
        Ok(TransactionDetail { signature, slot, at_unix_secs, records, supply_records })
    }
}
