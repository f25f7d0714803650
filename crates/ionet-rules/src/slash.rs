//! Slashing (docs/economy.md, section 6): what an offence may cost, who loses in which order, and the life of a case.
//!
//! A case freezes what it may take. It is burned when no appeal comes in time or the council rejects the appeal, and freed when the council
//! upholds it or does not decide in time.

use crate::money::{Io, mul_div_down};
use crate::supply::SupplyParams;
use crate::{RuleError, RuleResult, stored};

/// Length of the month within which slashes are bounded, seconds.
pub const MONTH_SECS: i64 = 30 * 24 * 3_600;

/// What a device is accused of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Offence {
    /// Falsified hardware or data.
    Falsified = 0,
    /// Inconsistent service.
    Inconsistent = 1,
    /// Foreign use of a hired device.
    ForeignUse = 2,
}

impl Offence {
    /// Number of offences.
    pub const COUNT: usize = 3;
    /// All offences, in the order of their number.
    pub const ALL: [Self; Self::COUNT] = [Self::Falsified, Self::Inconsistent, Self::ForeignUse];

    /// The offence stored as this byte.
    pub const fn from_u8(byte: u8) -> RuleResult<Self> {
        match byte {
            0 => Ok(Self::Falsified),
            1 => Ok(Self::Inconsistent),
            2 => Ok(Self::ForeignUse),
            _ => Err(RuleError::UnknownValue),
        }
    }

    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Falsified => "falsified",
            Self::Inconsistent => "inconsistent",
            Self::ForeignUse => "foreign_use",
        }
    }
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CaseStatus {
    /// Opened; the appeal may come.
    Open = 0,
    /// Appealed; the council decides.
    Appealed = 1,
    /// What was frozen is burned.
    Burned = 2,
    /// What was frozen is free again.
    Freed = 3,
}

impl CaseStatus {
    /// The status stored as this byte.
    pub const fn from_u8(byte: u8) -> RuleResult<Self> {
        match byte {
            0 => Ok(Self::Open),
            1 => Ok(Self::Appealed),
            2 => Ok(Self::Burned),
            3 => Ok(Self::Freed),
            _ => Err(RuleError::UnknownValue),
        }
    }

    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Appealed => "appealed",
            Self::Burned => "burned",
            Self::Freed => "freed",
        }
    }
}

stored! {
    /// Whose money a case takes.
    pub struct SlashParts {
        /// Rewards of the device that are locked: taken first.
        pub unvested: Io,
        /// The owner's stake.
        pub owner: Io,
        /// The co-staker's stake.
        pub co: Io,
    }
}

impl SlashParts {
    /// All of it.
    pub fn total(&self) -> RuleResult<Io> {
        self.unvested.plus(self.stake()?)
    }

    /// The staked part.
    pub fn stake(&self) -> RuleResult<Io> {
        self.owner.plus(self.co)
    }
}

/// Divides `amount` over what can be taken: unvested rewards first, then owner's and co-staker's stake pro rata (what rounding leaves falls
/// on the owner).
pub fn divide(amount: Io, unvested: Io, owner: Io, co: Io) -> RuleResult<SlashParts> {
    let from_unvested = amount.min(unvested);
    let rest = amount.minus(from_unvested)?;
    let stake = owner.plus(co)?;
    if rest > stake {
        return Err(RuleError::SlashTooLarge);
    }
    let from_co = if rest.is_zero() { Io::ZERO } else { Io(mul_div_down(rest.0, co.0, stake.0)?) };
    Ok(SlashParts { unvested: from_unvested, owner: rest.minus(from_co)?, co: from_co })
}

stored! {
    /// A case's amounts and clock.
    pub struct Case {
        /// What is frozen, and whose it is.
        pub parts: SlashParts,
        /// When it was opened, unix seconds.
        pub opened_at_unix_secs: i64,
        /// When it was appealed, unix seconds; 0 before.
        pub appealed_at_unix_secs: i64,
        /// When it came to its end, unix seconds; 0 before.
        pub closed_at_unix_secs: i64,
        /// [`Offence`].
        pub offence: u8,
        /// [`CaseStatus`].
        pub status: u8,
        /// Unused, zero.
        pub reserved: [u8; 6],
    }
}

/// What happens to what a case froze.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is burned.
    Burn,
    /// It is free again.
    Free,
}

impl Case {
    /// Opens a case over parts that the stake has frozen.
    pub const fn open(offence: Offence, parts: SlashParts, now: i64) -> Self {
        Self {
            parts,
            opened_at_unix_secs: now,
            appealed_at_unix_secs: 0,
            closed_at_unix_secs: 0,
            offence: offence as u8,
            status: CaseStatus::Open as u8,
            reserved: [0; 6],
        }
    }

    /// Where it stands.
    pub const fn status(&self) -> RuleResult<CaseStatus> {
        CaseStatus::from_u8(self.status)
    }

    /// Until when an appeal is taken, unix seconds.
    pub fn appeal_by_unix_secs(&self, params: &SupplyParams) -> i64 {
        self.opened_at_unix_secs.saturating_add(i64::from(params.appeal_secs))
    }

    /// Until when the council may decide on the appeal, unix seconds.
    pub fn decide_by_unix_secs(&self, params: &SupplyParams) -> i64 {
        self.appealed_at_unix_secs.saturating_add(i64::from(params.decision_secs))
    }

    /// The owner appeals, once, in time.
    pub fn appeal(&mut self, params: &SupplyParams, now: i64) -> RuleResult<()> {
        if self.status()? != CaseStatus::Open {
            return Err(RuleError::CaseNotOpen);
        }
        if now > self.appeal_by_unix_secs(params) {
            return Err(RuleError::AppealTooLate);
        }
        self.status = CaseStatus::Appealed as u8;
        self.appealed_at_unix_secs = now;
        Ok(())
    }

    /// The council decides: it may free an open or appealed case, and reject an appeal.
    pub fn decide(&mut self, verdict: Verdict, params: &SupplyParams, now: i64) -> RuleResult<()> {
        match (self.status()?, verdict) {
            (CaseStatus::Open, Verdict::Free) if now <= self.appeal_by_unix_secs(params) => {}
            (CaseStatus::Appealed, _) if now <= self.decide_by_unix_secs(params) => {}
            (CaseStatus::Open | CaseStatus::Appealed, _) => return Err(RuleError::CaseNotDecidable),
            (CaseStatus::Burned | CaseStatus::Freed, _) => return Err(RuleError::CaseNotOpen),
        }
        self.close(verdict, now);
        Ok(())
    }

    /// What time has decided, for anyone to carry out: no appeal burns it, an appeal without decision frees it.
    pub fn lapse(&mut self, params: &SupplyParams, now: i64) -> RuleResult<Verdict> {
        let (by, verdict) = match self.status()? {
            CaseStatus::Open => (self.appeal_by_unix_secs(params), Verdict::Burn),
            CaseStatus::Appealed => (self.decide_by_unix_secs(params), Verdict::Free),
            CaseStatus::Burned | CaseStatus::Freed => return Err(RuleError::CaseNotOpen),
        };
        if now <= by {
            return Err(RuleError::CaseNotDecidable);
        }
        self.close(verdict, now);
        Ok(verdict)
    }

    fn close(&mut self, verdict: Verdict, now: i64) {
        self.status = match verdict {
            Verdict::Burn => CaseStatus::Burned,
            Verdict::Free => CaseStatus::Freed,
        } as u8;
        self.closed_at_unix_secs = now;
    }
}
