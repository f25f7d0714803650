//! Slashing cases, and the appeal of an accused device's owner.

use ionet_ledger::instructions::supply as build;
use ionet_ledger::{CaseFilter, CaseView};
use ionet_rules::supply::SupplyParams;
use ionet_types::problem::Code;
use ionet_types::slashes::{AppealRequest, CaseStatus, SlashCase, SlashCaseList};
use ionet_types::stakes::PreparedStep;
use ionet_types::supply::SlashParts;
use ionet_types::transactions::PreparedTransaction;
use ionet_types::{CaseId, DeviceId, Money, Sha256};
use solana_address::Address;

use super::clusters::TRANSACTION_VALID_SECS;
use crate::Hub;
use crate::caller::Caller;
use crate::error::HubResult;
use crate::translate;

impl Hub {
    /// The network's cases, newest first.
    pub async fn slash_list(&self, device: Option<DeviceId>, status: Option<CaseStatus>) -> HubResult<SlashCaseList> {
        let filter = CaseFilter { device: device.map(|id| Address::from(id.0)), status: status.map(CaseStatus::rules) };
        let (supply, cases) = futures::try_join!(self.ledger().supply(), self.ledger().cases(&filter))?;
        let items = cases.iter().rev().map(|case| viewed(case, &supply.params)).collect::<HubResult<_>>()?;
        Ok(SlashCaseList { items })
    }

    /// A case.
    pub async fn slash_show(&self, id: CaseId) -> HubResult<SlashCase> {
        let id = id.bytes();
        let (supply, case) = futures::try_join!(self.ledger().supply(), self.ledger().expect_case(&id))?;
        viewed(&case, &supply.params)
    }

    /// Prepares the appeal of the accused device's owner.
    pub async fn appeal_prepare(
        &self,
        caller: &Caller,
        id: CaseId,
        request: &AppealRequest,
        idempotency_key: Option<&str>,
    ) -> HubResult<PreparedStep> {
        caller.may_write()?;
        let work = self.prepare_appeal(caller, id, request);
        self.idempotent(caller, idempotency_key, "appeal_prepare", &(id, request), work).await
    }

    async fn prepare_appeal(&self, caller: &Caller, id: CaseId, request: &AppealRequest) -> HubResult<PreparedStep> {
        let ledger = self.ledger();
        let case = ledger.expect_case(&id.bytes()).await?;
        let (supply, device, now_unix_secs) =
            futures::try_join!(ledger.supply(), ledger.expect_device(&case.device), ledger.chain_now_unix_secs())?;
        let wallet = translate::solana_address(caller.wallet);
        if device.owner != wallet {
            return Err(Code::DeviceNotYours.into());
        }
        let mut after = case.book;
        after.appeal(&supply.params, now_unix_secs)?;
        let instruction = build::appeal_case(ledger.addresses().await?, wallet, &case.device, &case.case_id, request.appeal.0);
        let prepared = ledger.prepare(&[instruction], &self.options().operator.payer, &[], &wallet).await?;
        let what = format!("Appeal against case {id}");
        let valid_until_unix_secs = now_unix_secs.saturating_add(TRANSACTION_VALID_SECS);
        let transaction = PreparedTransaction { base64: prepared.base64, what, valid_until_unix_secs };
        Ok(PreparedStep { device: DeviceId(case.device.to_bytes()), transaction })
    }
}

fn viewed(case: &CaseView, params: &SupplyParams) -> HubResult<SlashCase> {
    let book = &case.book;
    let at = |unix_secs: i64| (unix_secs != 0).then_some(unix_secs);
    Ok(SlashCase {
        id: CaseId::from_bytes(case.case_id),
        device: DeviceId(case.device.to_bytes()),
        offence: case.offence.into(),
        status: case.status.into(),
        amount: Money::io(book.parts.total()?.0),
        parts: SlashParts::from(&book.parts),
        evidence: Sha256(case.evidence),
        appeal: case.appeal.map(Sha256),
        opened_at_unix_secs: book.opened_at_unix_secs,
        appeal_by_unix_secs: book.appeal_by_unix_secs(params),
        appealed_at_unix_secs: at(book.appealed_at_unix_secs),
        decide_by_unix_secs: at(book.appealed_at_unix_secs).map(|_| book.decide_by_unix_secs(params)),
        closed_at_unix_secs: at(book.closed_at_unix_secs),
    })
}
