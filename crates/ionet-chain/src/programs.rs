//! The ground a chain stands on: a virtual machine with Solana's own programs, the faucet and the given programs.
//! It is made anew at each opening and always comes out the same.

use crate::{
    ChainError,
    genesis::{GENESIS_SLOT, Genesis},
};
use litesvm::LiteSVM;
use solana_address::Address;
use solana_clock::Clock;

/// What the faucet has at genesis: 500 million SOL.
const FAUCET_LAMPORTS: u64 = 500_000_000 * 1_000_000_000;

pub(crate) fn ground(genesis: &Genesis, programs: &[(Address, Vec<u8>)]) -> Result<LiteSVM, ChainError> {
    let mut svm = LiteSVM::default();
    svm.set_airdrop_keypair(genesis.faucet.to_bytes());
    let mut svm = svm.with_mainnet_features().with_builtins().with_lamports(FAUCET_LAMPORTS).with_sysvars().with_feature_accounts();
    // Programs are visible from the slot they were loaded in, so the clock must stand at genesis first.
    svm.set_sysvar(&Clock { slot: GENESIS_SLOT, ..Clock::default() });
    let mut svm = svm
        .with_default_programs()
        // Signatures are checked before requests reach the machine; blockhashes and duplicates by `State`.
        .with_sigverify(false)
        .with_blockhash_check(false)
        .with_transaction_history(0);
    for (address, elf) in programs {
        svm.add_program(*address, elf).map_err(|err| ChainError::Program { address: address.to_string(), reason: err.to_string() })?;
    }
    Ok(svm)
}
