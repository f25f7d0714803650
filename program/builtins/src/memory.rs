//! Memory operations, by the runtime's system calls.
#![expect(unsafe_code, reason = "raw memory is the subject; the code generator finds these by their unmangled names")]

use pinocchio::syscalls::{sol_memcmp_, sol_memcpy_, sol_memmove_, sol_memset_};

// SAFETY (all of these): the caller upholds C's contract of the function of that name; the runtime checks every range again.

#[unsafe(no_mangle)]
unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    unsafe { sol_memcpy_(to, from, length as u64) };
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
    unsafe { sol_memmove_(to, from, length as u64) };
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memset(to: *mut u8, value: i32, length: usize) -> *mut u8 {
    unsafe { sol_memset_(to, value as u8, length as u64) };
    to
}

#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
    let mut order = 0i32;
    unsafe { sol_memcmp_(a, b, length as u64, &raw mut order) };
    order
}

#[unsafe(no_mangle)]
unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
    unsafe { memcmp(a, b, length) }
}
