//! What the on-chain program and its clients agree on, stated once: account layouts and seeds, instruction data and account lists,
//! event records, faults. Compiled into the program and into every client; no I/O, no allocation.
//!
//! All layouts are little-endian `repr(C)` without implicit padding, so the bytes are the fields one after the other.
#![no_std]

pub mod accounts;
pub mod events;
pub mod faults;
pub mod instructions;
pub mod merkle;
pub mod seeds;

/// A Solana address, as bytes: the one form that every Solana crate version shares.
pub type AddressBytes = [u8; 32];

/// The SPL token program, `TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA`.
pub const TOKEN_PROGRAM: AddressBytes = [
    6, 221, 246, 225, 215, 101, 161, 147, 217, 203, 225, 70, 206, 235, 121, 172, 28, 180, 133, 237, 95, 91, 55, 145, 58, 140, 245, 133,
    126, 255, 0, 169,
];

/// The system program, `11111111111111111111111111111111`.
pub const SYSTEM_PROGRAM: AddressBytes = [0; 32];
