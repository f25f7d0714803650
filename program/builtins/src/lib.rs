//! What compiled code calls behind the source's back: memory operations and 128-bit arithmetic.
//!
//! The compiler's own versions return 128-bit values through memory, while the code generator for Solana's machine expects them in registers;
//! so these are defined here, with the code generator's own convention (`unadjusted`). The memory operations are the runtime's system calls,
//! which are far cheaper than loops. Link the crate with `use ionet_builtins as _;`.
#![no_std]
#![cfg_attr(target_arch = "bpf", feature(abi_unadjusted))]
#![cfg_attr(target_arch = "bpf", allow(internal_features, reason = "no other calling convention returns 128 bits in registers"))]

#[cfg(target_arch = "bpf")]
mod arithmetic;
#[cfg(target_arch = "bpf")]
mod memory;
pub mod wide;
