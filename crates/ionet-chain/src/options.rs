//! What the owner of a chain chooses when opening it.

use solana_address::Address;
use std::path::PathBuf;

/// Where the chain's time comes from. Chosen at genesis; a directory keeps its kind for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainClock {
    /// The machine's clock. One slot is 400 ms. Time never goes back, also not when the machine's clock does.
    Real,
    /// Time stands still until [`Chain::advance_secs`](crate::Chain::advance_secs).
    Stepped {
        /// Seconds since the Unix epoch at genesis; ignored when the chain exists already.
        start_unix_secs: i64,
    },
}

/// Options for [`Chain::open`](crate::Chain::open).
#[derive(Clone, Debug)]
pub struct ChainOptions {
    /// The chain's directory; made when missing. One process at a time may have it open.
    pub dir: PathBuf,
    /// Real or stepped time.
    pub clock: ChainClock,
    /// Programs as (address, ELF). They are part of the chain's ground, not of its journal: whatever is given at
    /// an opening replaces what was there before.
    pub programs: Vec<(Address, Vec<u8>)>,
    /// The most lamports one `requestAirdrop` may ask for.
    pub airdrop_cap_lamports: u64,
    /// A snapshot is taken, and a new journal segment begun, each time the journal has grown by this many bytes.
    pub snapshot_every_bytes: u64,
}

impl ChainOptions {
    /// Real time, no programs, airdrops of up to 1,000 SOL, a snapshot each 128 MiB of journal.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            clock: ChainClock::Real,
            programs: Vec::new(),
            airdrop_cap_lamports: 1_000_000_000_000,
            snapshot_every_bytes: 128 << 20,
        }
    }
}
