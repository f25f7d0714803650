//! Every step of a booking, on any booking: valid or not, both machines must say the same.

use bytemuck::{Pod, Zeroable};
use ionet_rules::booking::{Booking, End, HardwareKind, Offer, WorkLog};
use ionet_rules::money::{Currency, Io, MicroUsd, Units, Usdc};
use ionet_rules::params::Params;
use ionet_rules::pool::Reserves;
use ionet_rules::worklog::EndReason;
use ionet_rules::{RuleError, RuleResult};

use crate::calls;

/// A booking after a step, and what the step returned: amounts in the order of the returned struct's fields, then zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Stepped {
    /// The booking after the step.
    pub book: Booking,
    /// What the step returned.
    pub returned: [u64; 5],
}

fn step<const COUNT: usize>(book: &Booking, rule: impl FnOnce(&mut Booking) -> RuleResult<[u64; COUNT]>) -> RuleResult<Stepped> {
    let mut book = *book;
    let amounts = rule(&mut book)?;
    let mut returned = [0; 5];
    returned[..COUNT].copy_from_slice(&amounts);
    Ok(Stepped { book, returned })
}

/// How a cluster ended, from bytes: reason 0 is "not".
fn end(reason: u64, at_unix_secs: i64) -> RuleResult<Option<End>> {
    let reason = EndReason::from_u8(u8::try_from(reason).map_err(|_| RuleError::UnknownValue)?)?;
    Ok(reason.map(|reason| End { reason, at_unix_secs }))
}

calls! {
    /// `Booking::book`; currency and hardware by their numbers.
    64 Book {
        rate: Units, rate_micro_usd: MicroUsd, valid_until_unix_secs: i64, now: i64, quantity: u32, minutes: u32, currency: u32, hardware: u32,
        params: Params,
    } -> Stepped, |call| {
        let offer = Offer {
            currency: Currency::from_u8(u8::try_from(call.currency).map_err(|_| RuleError::UnknownValue)?)?,
            hardware: HardwareKind::from_u8(u8::try_from(call.hardware).map_err(|_| RuleError::UnknownValue)?)?,
            quantity: call.quantity,
            minutes: call.minutes,
            rate: call.rate,
            rate_micro_usd: call.rate_micro_usd,
            valid_until_unix_secs: call.valid_until_unix_secs,
        };
        Ok(Stepped { book: Booking::book(&offer, &call.params, call.now)?, returned: [0; 5] })
    };
    /// `Booking::check`.
    65 Check { book: Booking, } -> [u64; 0], |call| call.book.check().map(|()| []);
    /// `total`.
    66 Total { book: Booking, } -> Units, |call| call.book.total();
    /// `due`.
    67 Due { book: Booking, } -> Units, |call| call.book.due();
    /// `escrow`.
    68 Escrow { book: Booking, } -> Units, |call| call.book.escrow();
    /// `vault_liability`.
    69 VaultLiability { book: Booking, } -> Units, |call| call.book.vault_liability();
    /// `io_liability`.
    70 IoLiability { book: Booking, } -> Io, |call| call.book.io_liability();
    /// `device_minutes_hired`, `hired_until_unix_secs` (0 for none), `is_settled`.
    71 Terms { book: Booking, } -> [u64; 3], |call| Ok([
        call.book.device_minutes_hired(),
        call.book.hired_until_unix_secs().map_or(0, i64::cast_unsigned),
        call.book.is_settled().into(),
    ]);
    /// `pay`.
    72 Pay { book: Booking, amount: Units, now: i64, sequence: u64, params: Params, } -> Stepped, |call| step(&call.book, |book| {
        book.pay(call.sequence as u32, call.amount, &call.params, call.now).map(|()| [])
    });
    /// `start`.
    73 Start { book: Booking, now: i64, } -> Stepped, |call| step(&call.book, |book| Ok([book.start(call.now)?.0]));
    /// `extension_price`: cost, fees, total.
    74 ExtensionPrice { book: Booking, minutes: u64, params: Params, } -> [Units; 3], |call| {
        let price = call.book.extension_price(call.minutes as u32, &call.params)?;
        Ok([price.cost, price.fees, price.total])
    };
    /// `extend`: paid, fees.
    75 Extend { book: Booking, amount: Units, now: i64, minutes: u32, sequence: u32, params: Params, } -> Stepped, |call|
        step(&call.book, |book| {
            let extended = book.extend(call.sequence, call.minutes, call.amount, &call.params, call.now)?;
            Ok([extended.paid.0, extended.fees.0])
        });
    /// `log_limit`; end reason by its number, 0 for none.
    76 LogLimit { book: Booking, end_reason: u64, ended_at_unix_secs: i64, now: i64, } -> u64, |call|
        call.book.log_limit(end(call.end_reason, call.ended_at_unix_secs)?, call.now);
    /// `work`: value, value in micro-USD, supplier, rest, dust.
    77 Work {
        book: Booking, device_minutes: u64, ended_at_unix_secs: i64, now: i64, sequence: u32, end_reason: u32, params: Params,
    } -> Stepped, |call| step(&call.book, |book| {
        let log = WorkLog {
            sequence: call.sequence,
            device_minutes: call.device_minutes,
            end: end(call.end_reason.into(), call.ended_at_unix_secs)?,
        };
        let worked = book.work(&log, &call.params, call.now)?;
        Ok([worked.value.0, worked.value_micro_usd.0, worked.supplier.0, worked.rest.0, worked.dust.0])
    });
    /// `refund_amount`.
    78 RefundAmount { book: Booking, } -> Units, |call| call.book.refund_amount();
    /// `refund`: amount, dust.
    79 Refund { book: Booking, } -> Stepped, |call| step(&call.book, |book| {
        let refunded = book.refund()?;
        Ok([refunded.amount.0, refunded.dust.0])
    });
    /// `expire`.
    80 Expire { book: Booking, now: i64, } -> Stepped, |call| step(&call.book, |book| Ok([book.expire(call.now)?.0]));
    /// `repurchase`: USDC in, IO out.
    81 Repurchase { book: Booking, usdc: Usdc, io: Io, price: MicroUsd, sequence: u64, params: Params, } -> Stepped, |call|
        step(&call.book, |book| {
            let reserves = Reserves { usdc: call.usdc, io: call.io };
            let (usdc_in, io_out) = book.repurchase(call.sequence as u32, reserves, call.price, &call.params)?;
            Ok([usdc_in.0, io_out.0])
        });
    /// `earn`: amount, burned, incentives, treasury.
    82 Earn { book: Booking, sequence: u64, params: Params, } -> Stepped, |call| step(&call.book, |book| {
        let (amount, split) = book.earn(call.sequence as u32, &call.params)?;
        Ok([amount.0, split.burned.0, split.incentives.0, split.treasury.0])
    });
}
