//! The audit log, as far as each may see it: its head and links everybody, an entry whom it concerns.

use ionet_store::NewAudit;
use ionet_types::audit::{AuditEntry, AuditHead, AuditLinkList, MAX_AUDIT_LINKS};
use ionet_types::page::{Page, PageRequest};
use ionet_types::problem::Code;

use super::{page, page_cursor, page_limit};
use crate::Hub;
use crate::caller::Caller;
use crate::error::{HubError, HubResult};

impl Hub {
    /// Adds an entry about something that was done.
    pub async fn audit(&self, entry: &NewAudit) -> HubResult<AuditHead> {
        Ok(self.store().audit_append(entry, self.clock().now_unix_secs()).await?)
    }

    /// The log's last entry: whoever keeps it can later hold the operator to everything up to here.
    pub async fn audit_head(&self) -> HubResult<AuditHead> {
        Ok(self.store().audit_head().await?)
    }

    /// The digests of the entries after this one, oldest first.
    pub async fn audit_links(&self, after: u64, limit: Option<u32>) -> HubResult<AuditLinkList> {
        let limit = limit.unwrap_or(MAX_AUDIT_LINKS);
        if !(1..=MAX_AUDIT_LINKS).contains(&limit) {
            return Err(HubError::field(format!("limit is between 1 and {MAX_AUDIT_LINKS}")));
        }
        if i64::try_from(after).is_err() {
            return Err(HubError::field("after is the number of an entry"));
        }
        Ok(AuditLinkList { items: self.store().audit_links(after, limit).await? })
    }

    /// The entries of which the caller is the actor, and those that concern it, newest first.
    pub async fn audit_list(&self, caller: &Caller, request: &PageRequest) -> HubResult<Page<AuditEntry>> {
        let limit = page_limit(request)?;
        let before: Option<u64> = page_cursor(request)?;
        if before.is_some_and(|before| before < 1 || i64::try_from(before).is_err()) {
            return Err(Code::CursorInvalid.into());
        }
        let rows = self.store().audit_of(caller.wallet, before, limit + 1).await?;
        Ok(page(rows, limit, |entry| entry.sequence.to_string(), |entry| entry))
    }
}
