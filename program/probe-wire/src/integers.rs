//! Arithmetic, down to the 128-bit operations that the compiler turns into calls.

use bytemuck::{Pod, Zeroable};
use ionet_rules::booking::{compute_cost, compute_value};
use ionet_rules::money::{Io, MicroUsd, Units, io_for_value_down, io_for_value_up, io_value, mul_div_down, mul_div_up};
use ionet_rules::{RuleError, RuleResult};

use crate::calls;

fn wide([high, low]: [u64; 2]) -> u128 {
    u128::from(high) << 64 | u128::from(low)
}

fn halves(value: u128) -> [u64; 2] {
    [(value >> 64) as u64, value as u64]
}

fn bps(value: u64) -> RuleResult<u16> {
    u16::try_from(value).map_err(|_| RuleError::Overflow)
}

calls! {
    /// `a * b`, wrapping; 128-bit numbers as upper and lower half.
    0 Multiply { a: [u64; 2], b: [u64; 2], } -> [u64; 2], |call| Ok(halves(wide(call.a).wrapping_mul(wide(call.b))));
    /// Unsigned quotient and remainder.
    1 Divide { a: [u64; 2], b: [u64; 2], } -> [[u64; 2]; 2], |call| {
        let quotient = wide(call.a).checked_div(wide(call.b)).ok_or(RuleError::Overflow)?;
        let rest = wide(call.a).checked_rem(wide(call.b)).ok_or(RuleError::Overflow)?;
        Ok([halves(quotient), halves(rest)])
    };
    /// Signed quotient and remainder.
    2 DivideSigned { a: [u64; 2], b: [u64; 2], } -> [[u64; 2]; 2], |call| {
        let (a, b) = (wide(call.a).cast_signed(), wide(call.b).cast_signed());
        let quotient = a.checked_div(b).ok_or(RuleError::Overflow)?;
        let rest = a.checked_rem(b).ok_or(RuleError::Overflow)?;
        Ok([halves(quotient.cast_unsigned()), halves(rest.cast_unsigned())])
    };
    /// `mul_div_down`.
    3 MulDivDown { a: u64, b: u64, divisor: u64, } -> u64, |call| mul_div_down(call.a, call.b, call.divisor);
    /// `mul_div_up`.
    4 MulDivUp { a: u64, b: u64, divisor: u64, } -> u64, |call| mul_div_up(call.a, call.b, call.divisor);
    /// `share_up`.
    5 ShareUp { amount: Units, bps: u64, } -> Units, |call| call.amount.share_up(bps(call.bps)?);
    /// `share_down`.
    6 ShareDown { amount: Units, bps: u64, } -> Units, |call| call.amount.share_down(bps(call.bps)?);
    /// `plus`.
    7 Plus { a: Units, b: Units, } -> Units, |call| call.a.plus(call.b);
    /// `minus`.
    8 Minus { a: Units, b: Units, } -> Units, |call| call.a.minus(call.b);
    /// `io_value`.
    9 IoValue { io: Io, price: MicroUsd, } -> MicroUsd, |call| io_value(call.io, call.price);
    /// `io_for_value_up`.
    10 IoForValueUp { value: MicroUsd, price: MicroUsd, } -> Io, |call| io_for_value_up(call.value, call.price);
    /// `io_for_value_down`.
    11 IoForValueDown { value: MicroUsd, price: MicroUsd, } -> Io, |call| io_for_value_down(call.value, call.price);
    /// `compute_cost`.
    12 ComputeCost { device_minutes: u64, rate: Units, } -> Units, |call| compute_cost(call.device_minutes, call.rate);
    /// `compute_value`.
    13 ComputeValue { device_minutes: u64, rate: Units, } -> Units, |call| compute_value(call.device_minutes, call.rate);
}
