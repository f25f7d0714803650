//! The kernels as they are committed: compiled from `kernels/` by `cargo xtask kernels` for the oldest cards that they run on, and compiled
//! for the very card by its driver. The first line of each names the hash of the sources, which a test compares.

/// For cards without tensor units for whole numbers: Volta.
pub(crate) const PLAIN: &str = include_str!("../kernels/compute_70.ptx");
/// For all since: Turing and newer.
pub(crate) const TENSOR: &str = include_str!("../kernels/compute_75.ptx");
/// Compute capability from which on a card multiplies whole numbers in tensor units, in tenths.
const TENSOR_CAPABILITY: u32 = 75;

/// What a card of this compute capability (in tenths) runs.
pub(crate) fn for_capability(capability: u32) -> &'static str {
    if capability < TENSOR_CAPABILITY { PLAIN } else { TENSOR }
}
