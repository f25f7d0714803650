//! The 128-bit operations under the names and the calling convention of the code generator.
#![expect(unsafe_code, reason = "the code generator finds these by their unmangled names")]

use crate::wide::{self, Wide};

const fn split(value: u128) -> Wide {
    Wide { high: (value >> 64) as u64, low: value as u64 }
}

const fn join(value: Wide) -> u128 {
    ((value.high as u128) << 64) | value.low as u128
}

#[unsafe(no_mangle)]
extern "unadjusted" fn __multi3(a: u128, b: u128) -> u128 {
    join(wide::multiply(split(a), split(b)))
}

#[unsafe(no_mangle)]
extern "unadjusted" fn __udivti3(a: u128, b: u128) -> u128 {
    join(wide::divide(split(a), split(b)).0)
}

#[unsafe(no_mangle)]
extern "unadjusted" fn __umodti3(a: u128, b: u128) -> u128 {
    join(wide::divide(split(a), split(b)).1)
}

#[unsafe(no_mangle)]
extern "unadjusted" fn __divti3(a: u128, b: u128) -> u128 {
    join(wide::divide_signed(split(a), split(b)).0)
}

#[unsafe(no_mangle)]
extern "unadjusted" fn __modti3(a: u128, b: u128) -> u128 {
    join(wide::divide_signed(split(a), split(b)).1)
}
