//! Payments and extensions: the hub prepares, the customer signs.

use ionet_ledger::instructions::{self, Extension};
use ionet_ledger::{BookingView, Prepared};
use ionet_rules::RuleError;
use ionet_rules::money::Units;
use ionet_types::page::{Page, PageRequest};
use ionet_types::payments::{ExtensionPrice, ExtensionRequest, Payment, PaymentKind, PaymentRequest, PreparedExtension, PreparedPayment};
use ionet_types::problem::Code;
use ionet_types::transactions::{PreparedTransaction, Record, RecordBody};
use ionet_types::{ClusterId, Money};
use solana_signer::Signer as _;

use super::clusters::TRANSACTION_VALID_SECS;
use super::{page, page_limit, place_cursor};
use crate::Hub;
use crate::caller::Caller;
use crate::error::{HubError, HubResult};

impl Hub {
    /// Prepares a payment for one of the caller's clusters: all that is due, or part of it.
    pub async fn payment_prepare(
        &self,
        caller: &Caller,
        id: ClusterId,
        request: &PaymentRequest,
        idempotency_key: Option<&str>,
    ) -> HubResult<PreparedPayment> {
        caller.may_write()?;
        let work = self.prepare_payment(caller, id, request);
        self.idempotent(caller, idempotency_key, "payment_prepare", &(id, request), work).await
    }

    async fn prepare_payment(&self, caller: &Caller, id: ClusterId, request: &PaymentRequest) -> HubResult<PreparedPayment> {
        let (booking, now_unix_secs) = self.payable(caller, id).await?;
        let due = booking.book.due()?;
        let amount = request.amount.map_or(due, |amount| Units(amount.0));
        // The program's own rule, tried on a copy: what it would refuse is not prepared.
        let mut after = booking.book;
        after.pay(booking.book.payments, amount, &self.ledger().network().await?.params, now_unix_secs)?;
        self.check_funds(&booking, amount).await?;
        let at = self.ledger().addresses().await?;
        let instruction = instructions::pay(at, booking.customer, &booking.cluster_id, booking.currency, amount, booking.book.payments);
        let operator = &self.options().operator;
        let prepared = self.ledger().prepare(&[instruction], &operator.payer, &[], &booking.customer).await?;
        let money = |units: Units| Money::new(booking.currency.into(), units.0);
        let what = format!("Pay {} for cluster {id}", money(amount).display);
        let valid_until_unix_secs = after_secs(now_unix_secs).min(booking.book.pay_by_unix_secs);
        Ok(PreparedPayment {
            amount: money(amount),
            due_after: money(after.due()?),
            transaction: prepared_transaction(prepared, what, valid_until_unix_secs),
        })
    }

    /// Prepares an extension of one of the caller's clusters, paid with it.
    pub async fn extension_prepare(
        &self,
        caller: &Caller,
        id: ClusterId,
        request: &ExtensionRequest,
        idempotency_key: Option<&str>,
    ) -> HubResult<PreparedExtension> {
        caller.may_write()?;
        let work = self.prepare_extension(caller, id, request);
        self.idempotent(caller, idempotency_key, "extension_prepare", &(id, request), work).await
    }

    async fn prepare_extension(&self, caller: &Caller, id: ClusterId, request: &ExtensionRequest) -> HubResult<PreparedExtension> {
        let (booking, now_unix_secs) = self.payable(caller, id).await?;
        let row = self.owned(caller, id).await?;
        if row.terminate_at_unix_secs.is_some() || row.failed_at_unix_secs.is_some() {
            return Err(RuleError::NotExtendable.into());
        }
        let network = self.ledger().network().await?;
        let price = booking.book.extension_price(request.minutes, &network.params)?;
        let mut after = booking.book;
        after.extend(booking.book.extensions, request.minutes, price.total, &network.params, now_unix_secs)?;
        self.check_funds(&booking, price.total).await?;
        let operator = &self.options().operator;
        let extension = Extension { minutes: request.minutes, amount: price.total, sequence: booking.book.extensions };
        let instruction = instructions::extend(
            &network.addresses,
            booking.customer,
            operator.quote.pubkey(),
            &booking.cluster_id,
            booking.currency,
            &extension,
        );
        let prepared = self.ledger().prepare(&[instruction], &operator.payer, &[&operator.quote], &booking.customer).await?;
        let money = |units: Units| Money::new(booking.currency.into(), units.0);
        let what = format!("Extend cluster {id} by {} minutes for {}", request.minutes, money(price.total).display);
        Ok(PreparedExtension {
            minutes: request.minutes,
            price: ExtensionPrice { cost: money(price.cost), fees: money(price.fees), total: money(price.total) },
            transaction: prepared_transaction(prepared, what, after_secs(now_unix_secs)),
        })
    }

    /// What the caller paid and got back, newest first.
    pub async fn payment_list(&self, caller: &Caller, request: &PageRequest) -> HubResult<Page<Payment>> {
        let limit = page_limit(request)?;
        let rows = self.store().records_of_customer(caller.wallet, place_cursor(request)?, limit + 1).await?;
        let Page { items, next_cursor } = page(rows, limit, |(place, _)| place.to_string(), |(_, record)| payment(record));
        Ok(Page { items: items.into_iter().flatten().collect(), next_cursor })
    }

    /// The booking of one of the caller's clusters; not payable before it has landed.
    async fn payable(&self, caller: &Caller, id: ClusterId) -> HubResult<(BookingView, i64)> {
        self.owned(caller, id).await?;
        let id = id.bytes();
        let (booking, now_unix_secs) = futures::try_join!(self.ledger().booking(&id), self.ledger().chain_now_unix_secs())?;
        Ok((booking.ok_or(RuleError::NotPayable)?, now_unix_secs))
    }

    async fn check_funds(&self, booking: &BookingView, amount: Units) -> HubResult<()> {
        let balance = self.ledger().token_balance(&booking.customer, booking.currency).await?;
        if balance >= amount.0 {
            return Ok(());
        }
        let money = |units| Money::new(booking.currency.into(), units).display;
        Err(HubError::from(Code::InsufficientFunds).saying(format!(
            "the wallet holds {}, {} is to be paid",
            money(balance),
            money(amount.0)
        )))
    }
}

fn after_secs(now_unix_secs: i64) -> i64 {
    now_unix_secs.saturating_add(TRANSACTION_VALID_SECS)
}

fn prepared_transaction(prepared: Prepared, what: String, valid_until_unix_secs: i64) -> PreparedTransaction {
    PreparedTransaction { base64: prepared.base64, what, valid_until_unix_secs }
}

fn payment(record: Record) -> Option<Payment> {
    let (kind, amount) = match record.body {
        RecordBody::Pay { amount, .. } => (PaymentKind::Pay, amount),
        RecordBody::Extend { amount, .. } => (PaymentKind::Extend, amount),
        RecordBody::Refund { amount, .. } => (PaymentKind::Refund, amount),
        RecordBody::Expire { amount } => (PaymentKind::Expire, amount),
        _ => return None,
    };
    Some(Payment { cluster_id: record.cluster_id, kind, amount, at_unix_secs: record.at_unix_secs, signature: record.signature })
}
