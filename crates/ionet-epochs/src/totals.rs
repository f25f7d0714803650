//! Lifetime totals: what every beneficiary has earned since the network began. Each epoch adds its lines.

use ionet_abi::merkle::Hash;
use ionet_rules::RuleError;
use ionet_rules::money::{Io, Usdc};

use crate::allocate::Allocation;
use crate::inputs::Inputs;
use crate::merkle::Tree;
use crate::records::Total;
use crate::{Error, Result, base58, parallel};

/// Lifetime totals of all beneficiaries that have ever earned anything, sorted, with their sums and their tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    records: Vec<Total>,
    io: Io,
    usdc: Usdc,
    work_io: Io,
    tree: Tree,
}

impl Totals {
    /// Before the first epoch.
    pub fn none() -> Self {
        Self::default()
    }

    /// Totals from records in order; `work_io` is the part of all IO that is worked value.
    pub fn new(records: Vec<Total>, work_io: Io) -> Result<Self> {
        if let Some(pair) = records.windows(2).find(|pair| pair[0].beneficiary >= pair[1].beneficiary) {
            return Err(Error::DuplicateBeneficiary(pair[1].beneficiary));
        }
        if records.iter().any(|total| total.io.is_zero() && total.usdc.is_zero()) {
            return Err(Error::InvalidEpoch("a total of nothing"));
        }
        let sum = |amounts: &mut dyn Iterator<Item = u64>| {
            u64::try_from(amounts.map(u128::from).sum::<u128>()).map_err(|_| Error::Rule(RuleError::Overflow))
        };
        let io = Io(sum(&mut records.iter().map(|total| total.io.0))?);
        let usdc = Usdc(sum(&mut records.iter().map(|total| total.usdc.0))?);
        let tree = Tree::build(&records);
        Ok(Self { records, io, usdc, work_io, tree })
    }

    /// The tree over them.
    pub const fn tree(&self) -> &Tree {
        &self.tree
    }

    /// Its root.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// The totals, by beneficiary.
    pub fn records(&self) -> &[Total] {
        &self.records
    }

    /// All lifetime IO.
    pub const fn io(&self) -> Io {
        self.io
    }

    /// All lifetime USDC.
    pub const fn usdc(&self) -> Usdc {
        self.usdc
    }

    /// Part of [`Totals::io`] that is worked value paid in IO.
    pub const fn work_io(&self) -> Io {
        self.work_io
    }

    /// Place of a beneficiary: its leaf's number in the tree.
    pub fn find(&self, beneficiary: &[u8; 32]) -> Option<usize> {
        self.records.binary_search_by(|total| total.beneficiary.cmp(beneficiary)).ok()
    }

    /// The totals after an epoch.
    pub(crate) fn plus(&self, earned: &[Total], work_io: Io) -> Result<Self> {
        let mut records = Vec::with_capacity(self.records.len() + earned.len());
        let mut before = self.records.iter().peekable();
        for more in earned {
            while let Some(total) = before.next_if(|total| total.beneficiary < more.beneficiary) {
                records.push(*total);
            }
            let sum = match before.next_if(|total| total.beneficiary == more.beneficiary) {
                Some(total) => Total { io: total.io.plus(more.io)?, usdc: total.usdc.plus(more.usdc)?, ..*total },
                None => *more,
            };
            records.push(sum);
        }
        records.extend(before);
        Self::new(records, self.work_io.plus(work_io)?)
    }

    /// The totals before an epoch that earned this. A total that is smaller than what was earned is the difference.
    pub(crate) fn minus(&self, earned: &[Total], work_io: Io) -> Result<Self> {
        let too_small = |less: &Total, io: Io, usdc: Usdc| {
            let place = format!("lifetime total of {}", base58(&less.beneficiary));
            Error::differs(place, &amounts(io, usdc), &format!("at least {}", amounts(less.io, less.usdc)))
        };
        let mut records = Vec::with_capacity(self.records.len());
        let mut earned = earned.iter().peekable();
        for total in &self.records {
            // Both are in order: what was passed over is in no total.
            if let Some(missing) = earned.next_if(|less| less.beneficiary < total.beneficiary) {
                return Err(too_small(missing, Io::ZERO, Usdc::ZERO));
            }
            let mut before = *total;
            if let Some(less) = earned.next_if(|less| less.beneficiary == total.beneficiary) {
                let (Ok(io), Ok(usdc)) = (total.io.minus(less.io), total.usdc.minus(less.usdc)) else {
                    return Err(too_small(less, total.io, total.usdc));
                };
                before = Total { io, usdc, ..*total };
            }
            if !before.io.is_zero() || !before.usdc.is_zero() {
                records.push(before);
            }
        }
        if let Some(missing) = earned.next() {
            return Err(too_small(missing, Io::ZERO, Usdc::ZERO));
        }
        let work_before = self.work_io.minus(work_io);
        Self::new(
            records,
            work_before.map_err(|_| Error::differs("lifetime work in IO", &self.work_io.0, &format!("at least {}", work_io.0)))?,
        )
    }
}

fn amounts(io: Io, usdc: Usdc) -> String {
    format!("{} base units of IO and {} of USDC", io.0, usdc.0)
}

/// What each beneficiary earned in an epoch, sorted; only those that earned something. A beneficiary that stands twice is refused.
pub(crate) fn earned(inputs: &Inputs, allocation: &Allocation) -> Result<Vec<Total>> {
    let mut earned = Vec::with_capacity(inputs.devices().len());
    for (device, line) in inputs.devices().iter().zip(&allocation.lines) {
        earned.push(Total { beneficiary: device.beneficiary, io: line.device_io()?, usdc: line.work_usdc });
        if device.co_staker != [0; 32] {
            earned.push(Total { beneficiary: device.co_staker, io: line.co_staker_io, usdc: Usdc::ZERO });
        }
    }
    parallel::sort_by(&mut earned, |one, other| one.beneficiary.cmp(&other.beneficiary));
    if let Some(pair) = earned.windows(2).find(|pair| pair[0].beneficiary == pair[1].beneficiary) {
        return Err(Error::DuplicateBeneficiary(pair[1].beneficiary));
    }
    earned.retain(|total| !total.io.is_zero() || !total.usdc.is_zero());
    Ok(earned)
}
