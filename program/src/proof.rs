//! The way from a leaf to the root. Most of what a claim costs is spent here, so each hash is written where the next one reads it.

use ionet_abi::merkle::{self, Hash};
#[cfg(any(target_os = "solana", target_arch = "bpf"))]
use pinocchio::syscalls::sol_sha256;

/// The root that a proof leads to from a leaf's preimage.
#[cfg(any(target_os = "solana", target_arch = "bpf"))]
#[expect(unsafe_code, reason = "a system call whose result lies where its next argument does")]
#[inline(always)]
pub(crate) fn root(leaf: &[u8], proof: &[Hash]) -> Hash {
    /// A slice as the system call reads it.
    #[repr(C)]
    struct Part {
        address: *const u8,
        length: u64,
    }

    /// A hash behind the first byte of a node, so that both are one part when the hash comes first.
    #[repr(C, align(8))]
    struct Child {
        unused: [u8; 7],
        prefix: u8,
        hash: Hash,
    }

    const HASH: u64 = size_of::<Hash>() as u64;
    let mut child = Child { unused: [0; 7], prefix: merkle::NODE, hash: [0; 32] };
    let place = &raw mut child;
    // SAFETY: fields of a live struct; nothing refers to it in any other way while the pointers are used.
    let (prefix, hash) = unsafe { (&raw const (*place).prefix, (&raw mut (*place).hash).cast::<u8>()) };
    let whole = Part { address: leaf.as_ptr(), length: leaf.len() as u64 };
    // SAFETY: one part, a live slice; the call writes 32 bytes to `hash`, which has as many.
    unsafe { sol_sha256((&raw const whole).cast(), 1, hash) };
    let mut before = [Part { address: prefix, length: 1 + HASH }, Part { address: hash, length: HASH }];
    let mut after = [Part { address: prefix, length: 1 }, Part { address: hash, length: HASH }, Part { address: hash, length: HASH }];
    for neighbour in proof {
        // SAFETY: `hash` points to 32 bytes that nothing changes while they are compared.
        if merkle::is_first(unsafe { &*hash.cast::<Hash>() }, neighbour) {
            before[1].address = neighbour.as_ptr();
            // SAFETY: two parts, the prefix with the hash behind it, and the neighbour. All is read before the result is written.
            unsafe { sol_sha256((&raw const before).cast(), 2, hash) };
        } else {
            after[1].address = neighbour.as_ptr();
            // SAFETY: three parts, the prefix, the neighbour, the hash. All is read before the result is written.
            unsafe { sol_sha256((&raw const after).cast(), 3, hash) };
        }
    }
    child.hash
}

/// The root that a proof leads to from a leaf's preimage.
#[cfg(not(any(target_os = "solana", target_arch = "bpf")))]
pub(crate) fn root(leaf: &[u8], proof: &[Hash]) -> Hash {
    let hash = |bytes: &[u8]| solana_sha256_hasher::hash(bytes).to_bytes();
    proof.iter().fold(hash(leaf), |at, neighbour| hash(&merkle::node(&at, neighbour)))
}
