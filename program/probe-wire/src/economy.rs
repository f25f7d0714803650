//! Fees, pool, oracle, work-log periods and parameters.

use bytemuck::{Pod, Zeroable};
use ionet_rules::fees::{customer_fees, split_earned, split_worked};
use ionet_rules::money::{Currency, Io, MicroUsd, Units, Usdc};
use ionet_rules::oracle::{self, MAX_ORACLES, Submission};
use ionet_rules::params::Params;
use ionet_rules::pool::{Reserves, guarded_swap, swap};
use ionet_rules::worklog::{EndReason, billable_minutes, period};
use ionet_rules::{RuleError, RuleResult};

use crate::calls;

fn currency(value: u64) -> RuleResult<Currency> {
    Currency::from_u8(u8::try_from(value).map_err(|_| RuleError::UnknownValue)?)
}

fn first(submissions: &[Submission; MAX_ORACLES], count: u64) -> &[Submission] {
    &submissions[..usize::try_from(count).unwrap_or(MAX_ORACLES).min(MAX_ORACLES)]
}

calls! {
    /// `Params::check`.
    32 ParamsCheck { params: Params, } -> [u64; 0], |call| call.params.check().map(|()| []);
    /// `customer_fees`; currency by its number, here and below.
    33 CustomerFees { cost: Units, currency: u64, params: Params, } -> Units, |call|
        customer_fees(call.cost, currency(call.currency)?, &call.params);
    /// `split_worked`: supplier, network fee, rest.
    34 SplitWorked { value: Units, currency: u64, params: Params, } -> [Units; 3], |call| {
        let split = split_worked(call.value, currency(call.currency)?, &call.params)?;
        Ok([split.supplier, split.network_fee, split.rest])
    };
    /// `split_earned`: burned, incentives, treasury.
    35 SplitEarned { amount: Io, network_fee: Io, params: Params, } -> [Io; 3], |call| {
        let split = split_earned(call.amount, call.network_fee, &call.params)?;
        Ok([split.burned, split.incentives, split.treasury])
    };
    /// `swap`.
    36 Swap { usdc: Usdc, io: Io, usdc_in: Usdc, } -> Io, |call| swap(Reserves { usdc: call.usdc, io: call.io }, call.usdc_in);
    /// `guarded_swap`.
    37 GuardedSwap { usdc: Usdc, io: Io, usdc_in: Usdc, price: MicroUsd, guard_bps: u64, } -> Io, |call| {
        let guard_bps = u16::try_from(call.guard_bps).map_err(|_| RuleError::Overflow)?;
        guarded_swap(Reserves { usdc: call.usdc, io: call.io }, call.usdc_in, call.price, guard_bps)
    };
    /// `oracle::submit`.
    38 Submit { last: Submission, price: MicroUsd, now: i64, } -> Submission, |call| oracle::submit(call.last, call.price, call.now);
    /// `oracle::price` of the first `count` submissions.
    39 Price { submissions: [Submission; MAX_ORACLES], count: u64, now: i64, params: Params, } -> MicroUsd, |call|
        oracle::price(first(&call.submissions, call.count), &call.params, call.now);
    /// `oracle::last_median` of the first `count` submissions.
    40 LastMedian { submissions: [Submission; MAX_ORACLES], count: u64, } -> MicroUsd, |call|
        Ok(oracle::last_median(first(&call.submissions, call.count)));
    /// `oracle::io_for_record` of the first `count` submissions.
    41 IoForRecord { value: MicroUsd, submissions: [Submission; MAX_ORACLES], count: u64, } -> Io, |call|
        Ok(oracle::io_for_record(call.value, first(&call.submissions, call.count)));
    /// `worklog::period`: first minute, minute after the last, seconds until it is over, whether it is the last; all `u64::MAX` for none.
    42 Period { sequence: u32, minutes_hired: u32, } -> [u64; 4], |call| Ok(period(call.sequence, call.minutes_hired).map_or(
        [u64::MAX; 4],
        |period| [
            period.from_minute.into(),
            period.to_minute.into(),
            period.over_after_secs().cast_unsigned(),
            period.last.into(),
        ],
    ));
    /// `billable_minutes`.
    43 BillableMinutes { ran_secs: i64, minutes_hired: u32, reason: u32, } -> u32, |call| {
        let reason = u8::try_from(call.reason).map_err(|_| RuleError::UnknownValue)?;
        let reason = EndReason::from_u8(reason)?.ok_or(RuleError::UnknownValue)?;
        Ok(billable_minutes(reason, call.ran_secs, call.minutes_hired))
    };
}
