//! Why the network takes a device out of the market, and since when. Several reasons may stand at once; each goes as it came.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A reason to take a device out of the market. The order is the order in which they are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockReason {
    /// The operator decided so.
    Operator,
    /// Its key was used from two places.
    CredentialReused,
    /// Others used it while a tenant paid for it.
    ForeignUse,
    /// Others kept it busy while it was offered as idle.
    IdleLoad,
    /// Its hardware is not that which was verified.
    HardwareChanged,
    /// It failed several tests in a row.
    ProofFailed,
}

impl BlockReason {
    /// All of them, in order.
    pub const ALL: [Self; 6] =
        [Self::Operator, Self::CredentialReused, Self::ForeignUse, Self::IdleLoad, Self::HardwareChanged, Self::ProofFailed];

    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::CredentialReused => "credential_reused",
            Self::ForeignUse => "foreign_use",
            Self::IdleLoad => "idle_load",
            Self::HardwareChanged => "hardware_changed",
            Self::ProofFailed => "proof_failed",
        }
    }

    /// Whether passed tests lift it, and nothing else does.
    pub const fn is_lifted_by_tests(self) -> bool {
        matches!(self, Self::HardwareChanged | Self::ProofFailed)
    }
}

/// The reasons for which a device is blocked, each with its beginning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<BlockReason, i64>", into = "BTreeMap<BlockReason, i64>")]
pub struct Blocks([Option<i64>; BlockReason::ALL.len()]);

impl Blocks {
    /// Adds a reason; `false` when it stood already, then its beginning is kept.
    pub(super) fn add(&mut self, reason: BlockReason, now_unix_secs: i64) -> bool {
        let place = &mut self.0[reason as usize];
        let is_new = place.is_none();
        place.get_or_insert(now_unix_secs);
        is_new
    }

    /// Takes a reason away; `false` when it did not stand.
    pub(super) fn lift(&mut self, reason: BlockReason) -> bool {
        self.0[reason as usize].take().is_some()
    }

    /// Whether any reason stands.
    pub const fn is_any(&self) -> bool {
        let mut place = 0;
        while place < self.0.len() {
            if self.0[place].is_some() {
                return true;
            }
            place += 1;
        }
        false
    }

    /// Whether this reason stands.
    pub const fn contains(&self, reason: BlockReason) -> bool {
        self.0[reason as usize].is_some()
    }

    /// The reason to tell, and since when it stands, unix seconds.
    pub fn first(&self) -> Option<(BlockReason, i64)> {
        self.iter().next()
    }

    /// All reasons that stand, and since when, unix seconds.
    pub fn iter(&self) -> impl Iterator<Item = (BlockReason, i64)> {
        BlockReason::ALL.into_iter().zip(self.0).filter_map(|(reason, since)| Some((reason, since?)))
    }
}

impl From<BTreeMap<BlockReason, i64>> for Blocks {
    fn from(reasons: BTreeMap<BlockReason, i64>) -> Self {
        let mut this = Self::default();
        for (reason, since_unix_secs) in reasons {
            this.add(reason, since_unix_secs);
        }
        this
    }
}

impl From<Blocks> for BTreeMap<BlockReason, i64> {
    fn from(blocks: Blocks) -> Self {
        blocks.iter().collect()
    }
}
