//! The multiplier table (docs/economy.md, section 5): how much a processor model weighs in rewards and stakes. A network begins with
//! [`TABLE`]; afterwards the on-chain table counts.

use crate::booking::HardwareKind;
use crate::supply::SupplyParams;
use crate::{RuleError, RuleResult, stored};

/// Most models of a table.
pub const MAX_MODELS: usize = 96;
/// Longest model name, bytes.
pub const MAX_NAME: usize = 24;
/// Number of a model that no table lists.
pub const UNLISTED: u16 = u16::MAX;
/// Highest multiplier, hundredths.
pub const MAX_CENTI: u32 = 100_000;

stored! {
    /// One model's multiplier.
    pub struct Multiplier {
        /// The model's name, filled up with zeros.
        pub name: [u8; MAX_NAME],
        /// Hundredths: 1000 for 10.
        pub centi: u32,
        /// [`HardwareKind`].
        pub kind: u8,
        /// Unused, zero.
        pub reserved: [u8; 3],
    }
}

impl Multiplier {
    /// An entry.
    ///
    /// # Panics
    /// When the name is longer than [`MAX_NAME`] bytes: names are written in the source.
    pub const fn new(name: &str, kind: HardwareKind, centi: u32) -> Self {
        let bytes = name.as_bytes();
        assert!(bytes.len() <= MAX_NAME, "the name is too long");
        let mut filled = [0; MAX_NAME];
        let mut place = 0;
        while place < bytes.len() {
            filled[place] = bytes[place];
            place = place.saturating_add(1);
        }
        Self { name: filled, centi, kind: kind as u8, reserved: [0; 3] }
    }

    /// The model's name.
    pub fn name(&self) -> &str {
        let length = self.name.iter().position(|byte| *byte == 0).unwrap_or(MAX_NAME);
        self.name.get(..length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("")
    }

    /// Refuses an entry that cannot be one.
    pub fn check(&self) -> RuleResult<()> {
        HardwareKind::from_u8(self.kind)?;
        let named = !self.name().is_empty() && self.name().bytes().all(|byte| (b' '..=b'~').contains(&byte));
        let rest_empty = self.name.iter().skip(self.name().len()).all(|byte| *byte == 0);
        if named && rest_empty && self.centi <= MAX_CENTI && self.reserved == [0; 3] { Ok(()) } else { Err(RuleError::UnknownValue) }
    }

    /// Puts `new` in this entry's place, which is `listed` already or new. What kind of hardware a listed model is never changes: the devices
    /// that were registered as it would lose their minimum.
    pub fn replace(&mut self, new: &Self, listed: bool) -> RuleResult<()> {
        new.check()?;
        if listed && new.kind != self.kind {
            return Err(RuleError::UnknownModel);
        }
        *self = *new;
        Ok(())
    }
}

/// What a device is, as far as its multiplier goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Model {
    /// Its place in the table, or [`UNLISTED`].
    pub number: u16,
    /// Its kind.
    pub kind: HardwareKind,
}

impl Model {
    /// Its multiplier, hundredths. An unlisted device without graphics cards has the parameter's, an unlisted graphics card none.
    pub fn centi(self, table: &[Multiplier], params: &SupplyParams) -> RuleResult<u32> {
        Ok(match (self.entry(table)?, self.kind) {
            (Some(entry), _) => entry.centi,
            (None, HardwareKind::Cpu) => u32::from(params.cpu_multiplier_centi),
            (None, HardwareKind::Gpu) => 0,
        })
    }

    /// Its entry in the table; `None` when it is unlisted. Refused when the table has no such model of its kind.
    pub fn entry(self, table: &[Multiplier]) -> RuleResult<Option<&Multiplier>> {
        if self.number == UNLISTED {
            return Ok(None);
        }
        let entry = table.get(usize::from(self.number)).ok_or(RuleError::UnknownModel)?;
        if entry.kind == self.kind as u8 { Ok(Some(entry)) } else { Err(RuleError::UnknownModel) }
    }
}

const fn gpu(name: &str, centi: u32) -> Multiplier {
    Multiplier::new(name, HardwareKind::Gpu, centi)
}

/// The table a network begins with; a model's place is its number.
pub const TABLE: &[Multiplier] = &[
    gpu("B200", 3_000),
    gpu("H200", 1_200),
    gpu("H100 80GB HBM3", 1_000),
    gpu("H100 PCIe", 1_000),
    gpu("H100 80G PCIe", 1_000),
    gpu("A100 80GB PCIe", 500),
    gpu("A100-SXM4-80GB", 500),
    gpu("A100-PCIE-40GB", 200),
    gpu("L40S", 300),
    gpu("RTX 4090", 125),
    gpu("RTX 4090 D", 125),
    gpu("RTX 3060", 75),
    gpu("RTX 3060 Ti", 75),
    gpu("RTX 3070", 100),
    gpu("RTX 3070 Ti", 100),
    gpu("RTX 3080", 150),
    gpu("RTX 3080 Ti", 175),
    gpu("RTX 3090", 175),
    gpu("RTX 3090 Ti", 200),
    gpu("RTX 4060", 100),
    gpu("RTX 4060 Ti", 100),
    gpu("RTX 4070", 150),
    gpu("RTX 4070 Ti", 250),
    gpu("RTX 4080", 275),
    gpu("L4", 25),
    gpu("RTX 4000", 75),
    gpu("RTX 4000 SFF Ada", 100),
    gpu("RTX 5000", 150),
    gpu("RTX 5000 Ada", 300),
    gpu("RTX 6000 Ada", 450),
    gpu("RTX A4000", 150),
    gpu("RTX A5000", 150),
    gpu("RTX A6000", 200),
    gpu("Tesla T4", 50),
    gpu("V100-PCIE-16GB", 75),
    gpu("V100-PCIE-32GB", 75),
    gpu("V100-SXM2-16GB", 75),
    gpu("V100-SXM2-32GB", 75),
    gpu("V100S-PCIE-32GB", 75),
    Multiplier::new("M3", HardwareKind::Cpu, 100),
    Multiplier::new("M3 Pro", HardwareKind::Cpu, 125),
    Multiplier::new("M3 Max", HardwareKind::Cpu, 150),
    Multiplier::new("M4", HardwareKind::Cpu, 100),
    Multiplier::new("M4 Pro", HardwareKind::Cpu, 125),
    Multiplier::new("M4 Max", HardwareKind::Cpu, 150),
];

const _: () = assert!(TABLE.len() <= MAX_MODELS);
