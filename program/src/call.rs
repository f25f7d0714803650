//! What an instruction was called with.
//!
//! Passed on as one reference: a function of this program never takes more than five words, result included, because the machine has no
//! place for further ones (`cargo xtask program` refuses a program that tries).

use pinocchio::{AccountView, Address};

/// One call of the program.
pub(crate) struct Call<'a> {
    /// This program's own address.
    pub(crate) program_id: &'a Address,
    /// The accounts, unchecked.
    pub(crate) accounts: &'a [AccountView],
    /// The data after the tag.
    pub(crate) arguments: &'a [u8],
}
