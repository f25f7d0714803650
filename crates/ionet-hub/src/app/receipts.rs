//! Receipts: a cluster's whole story in money, straight from the chain.

use ionet_ledger::{Balance as LedgerBalance, Receipt as LedgerReceipt};
use ionet_types::ClusterId;
use ionet_types::problem::Code;
use ionet_types::transactions::{Balance, Receipt};

use crate::Hub;
use crate::caller::Caller;
use crate::error::HubResult;
use crate::translate::{self, money};

impl Hub {
    /// The receipt of one of the caller's clusters.
    pub async fn cluster_receipt(&self, caller: &Caller, id: ClusterId) -> HubResult<Receipt> {
        let row = self.owned(caller, id).await?;
        if self.ledger().booking(&id.bytes()).await?.is_none() {
            return Err(Code::ClusterNotFound.into());
        }
        let LedgerReceipt { booking, records, balance } = self.ledger().receipt(&id.bytes()).await?;
        for mismatch in &balance.mismatches {
            tracing::error!(cluster = %id, ?mismatch, "the books of a cluster do not balance");
        }
        Ok(Receipt {
            cluster_id: id,
            currency: row.offer.currency,
            status: booking.status.into(),
            settled: booking.book.is_settled(),
            records: records.iter().map(translate::record).collect::<HubResult<_>>()?,
            balance: balanced(&balance)?,
        })
    }
}

fn balanced(balance: &LedgerBalance) -> HubResult<Balance> {
    let units = |amount| money(balance.currency, amount);
    Ok(Balance {
        paid: units(balance.paid)?,
        worked: units(balance.worked)?,
        refunded: units(balance.refunded)?,
        fees: units(balance.fees)?,
        escrow: units(balance.escrow)?,
        ok: balance.is_ok(),
    })
}
