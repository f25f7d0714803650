//! Closing an epoch: everything that follows from its inputs and the totals before it.

use ionet_abi::merkle::Hash;
use ionet_rules::epochs::Statement;
use ionet_rules::money::Io;

use crate::Result;
use crate::allocate::{Allocation, allocate};
use crate::inputs::Inputs;
use crate::records::Total;
use crate::report::LineReport;
use crate::totals::{self, Totals};

/// A closed epoch.
#[derive(Clone, Debug)]
pub struct Closed {
    /// What it was decided from.
    pub inputs: Inputs,
    /// What every device earned.
    pub allocation: Allocation,
    /// Lifetime totals after it, with their tree.
    pub totals: Totals,
    /// Root of the totals before it.
    pub previous_root: Hash,
}

/// Closes an epoch on top of the totals before it. The same inputs, in any order, give the same bytes.
pub fn close(inputs: Inputs, previous: &Totals) -> Result<Closed> {
    let allocation = allocate(&inputs)?;
    let earned = totals::earned(&inputs, &allocation)?;
    let totals = previous.plus(&earned, allocation.sums.work_io)?;
    Ok(Closed { inputs, allocation, totals, previous_root: previous.root() })
}

impl Closed {
    /// Root of the lifetime totals.
    pub fn root(&self) -> Hash {
        self.totals.root()
    }

    /// What verifiers vote for, given the SHA-256 of the published file.
    pub fn statement(&self, file_sha256: Hash) -> Statement {
        Statement {
            epoch: self.inputs.epoch().number,
            root: self.root(),
            file: file_sha256,
            total_io: self.totals.io(),
            total_usdc: self.totals.usdc(),
            work_io: self.totals.work_io(),
            // Nothing is locked until suppliers can choose their dollar share.
            locked_io: Io::ZERO,
        }
    }

    /// A beneficiary's lifetime totals and the proof that they are in the tree.
    pub fn proof_of(&self, beneficiary: &[u8; 32]) -> Option<(Total, Vec<Hash>)> {
        let place = self.totals.find(beneficiary)?;
        Some((self.totals.records()[place], self.totals.tree().proof(place)?))
    }

    /// One device's line, explained.
    pub fn report_of(&self, key: &[u8; 32]) -> Option<LineReport> {
        LineReport::new(&self.inputs, &self.allocation, self.inputs.find(key)?)
    }
}
