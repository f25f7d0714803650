//! Between the chain's types and those that travel. Nothing is decided here.

use ionet_ledger::{Body, Record as LedgerRecord};
use ionet_rules::money::Currency as RuleCurrency;
use ionet_rules::worklog::EndReason as RuleEndReason;
use ionet_types::hardware::HardwareKind;
use ionet_types::transactions::{Record, RecordBody};
use ionet_types::{Address, ClusterId, Currency, MicroUsd, Money, TransactionSignature};

use crate::error::{HubError, HubResult};

mod supply;

pub(crate) use supply::supply_record;

pub(crate) fn address(address: &solana_address::Address) -> Address {
    Address(address.to_bytes())
}

pub(crate) fn solana_address(address: Address) -> solana_address::Address {
    solana_address::Address::new_from_array(address.0)
}

pub(crate) fn signature(signature: &solana_signature::Signature) -> TransactionSignature {
    TransactionSignature((*signature).into())
}

pub(crate) fn solana_signature(signature: TransactionSignature) -> solana_signature::Signature {
    solana_signature::Signature::from(signature.0)
}

fn end_reason(byte: u8) -> HubResult<Option<ionet_types::clusters::EndReason>> {
    Ok(RuleEndReason::from_u8(byte)?.map(Into::into))
}

/// A record as the explorer shows it.
pub(crate) fn record(from: &LedgerRecord) -> HubResult<Record> {
    let currency = Currency::from(from.currency);
    let units = |amount: u64| Money::new(currency, amount);
    let io = Money::io;
    let body = match &from.body {
        Body::BookProduct(body) => RecordBody::BookProduct {
            customer: Address(body.customer),
            hardware: HardwareKind::from(ionet_rules::booking::HardwareKind::from_u8(body.hardware)?),
            quantity: body.quantity,
            minutes: body.minutes,
            rate: units(body.rate),
            rate_micro_usd: MicroUsd(body.rate_micro_usd),
            cost: units(body.cost),
            fees: units(body.fees),
            total: units(body.total),
        },
        Body::Pay(body) => {
            RecordBody::Pay { amount: units(body.amount), paid: units(body.paid), total: units(body.total), sequence: body.sequence }
        }
        Body::Start(body) => RecordBody::Start { fees: units(body.fees) },
        Body::Extend(body) => RecordBody::Extend {
            amount: units(body.amount),
            fees: units(body.fees),
            total: units(body.total),
            minutes: body.minutes,
            sequence: body.sequence,
        },
        Body::Worked(body) => RecordBody::Worked {
            device_minutes: body.device_minutes,
            value: units(body.value),
            value_micro_usd: MicroUsd(body.value_micro_usd),
            value_io: io(body.value_io),
            supplier: units(body.supplier),
            rest: units(body.rest),
            dust: units(body.dust),
            sequence: body.sequence,
            end_reason: end_reason(body.end_reason)?,
        },
        Body::Refund(body) => RecordBody::Refund { amount: units(body.amount), dust: units(body.dust) },
        Body::Repurchase(body) => RecordBody::Repurchase {
            amount_in: Money::usdc(body.amount_in),
            amount_out: io(body.amount_out),
            price_micro_usd: MicroUsd(body.price_micro_usd),
            sequence: body.sequence,
        },
        Body::Earn(body) => RecordBody::Earn {
            amount: io(body.amount),
            burned: io(body.burned),
            incentives: io(body.incentives),
            treasury: io(body.treasury),
            sequence: body.sequence,
        },
        Body::Expire(body) => RecordBody::Expire { amount: units(body.amount) },
    };
    Ok(Record {
        signature: signature(&from.signature),
        slot: from.slot,
        at_unix_secs: from.at_unix_secs,
        cluster_id: ClusterId::from_bytes(from.cluster_id),
        record: from.number,
        currency,
        status: from.status.into(),
        body,
    })
}

/// An amount that was summed in more bits than a token has.
pub(crate) fn money(currency: RuleCurrency, amount: u128) -> HubResult<Money> {
    let base_units = u64::try_from(amount).map_err(|_| HubError::internal("an amount larger than its token"))?;
    Ok(Money::new(currency.into(), base_units))
}
