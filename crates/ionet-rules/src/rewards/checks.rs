//! Who may earn in an epoch (docs/economy.md, section 5): the checks at its start and at its end, each with its reason. Readiness of a
//! device is the same list, so what a supplier is told is what is decided.

use core::fmt;

use super::Tier;
use crate::money::{IO_UNIT, Io};
use crate::supply::SupplyParams;
use crate::{RuleError, RuleResult};

/// Whether the network lets a device take part at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Standing {
    /// Nothing against it.
    #[default]
    Good = 0,
    /// Blocked.
    Blocked = 1,
    /// Given up by its owner or the network, for good.
    Terminated = 2,
}

impl Standing {
    /// The standing stored as this byte.
    pub const fn from_u8(byte: u8) -> RuleResult<Self> {
        match byte {
            0 => Ok(Self::Good),
            1 => Ok(Self::Blocked),
            2 => Ok(Self::Terminated),
            _ => Err(RuleError::UnknownValue),
        }
    }

    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Blocked => "blocked",
            Self::Terminated => "terminated",
        }
    }
}

/// What is known of a device when an epoch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is the fact of one check")]
pub struct NominationFacts {
    /// Staked and counting, the owner's part and the co-staker's.
    pub staked: Io,
    /// The least that the device must have staked.
    pub minimum_stake: Io,
    /// Whether the stake is being withdrawn.
    pub unstaking: bool,
    /// Multiplier of its model, hundredths.
    pub multiplier_centi: u32,
    /// Its connection.
    pub tier: Tier,
    /// How long it has been up without a break, seconds.
    pub uptime_secs: u64,
    /// Whether its last proof of work was right.
    pub last_proof_passed: bool,
    /// Whether it has passed the cluster-formation test.
    pub cluster_formation_passed: bool,
    /// Whether the network lets it take part.
    pub standing: Standing,
    /// Whether its owner has set a payout wallet.
    pub payout_wallet_set: bool,
}

/// What is known of a device when an epoch ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndFacts {
    /// How long it has been up without a break, seconds.
    pub uptime_secs: u64,
    /// Whether its proof of work of this epoch was right.
    pub proof_passed: bool,
    /// Whether it was hired: then no proof is asked, because it must not be disturbed.
    pub hired: bool,
}

macro_rules! checks {
    ($($(#[$doc:meta])* $name:ident = $number:literal, $code:literal;)+) => {
        /// What is checked. Numbers and codes are stable: they stand in published epochs and in the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum CheckCode {
            $($(#[$doc])* $name = $number,)+
        }

        impl CheckCode {
            /// Every check, in the order of its number: first those at the start of an epoch, then those at its end.
            pub const ALL: &'static [CheckCode] = &[$(CheckCode::$name),+];

            /// The stable machine-readable name, `snake_case`.
            pub const fn code(self) -> &'static str {
                match self { $(CheckCode::$name => $code,)+ }
            }
        }
    };
}

checks! {
    /// The stake reaches the minimum.
    Stake = 0, "stake";
    /// The stake is not being withdrawn.
    NotUnstaking = 1, "not_unstaking";
    /// The model has a multiplier above zero.
    Multiplier = 2, "multiplier";
    /// The connection has a tier above none.
    Connectivity = 3, "connectivity";
    /// Continuous uptime reaches the minimum when the epoch begins.
    Uptime = 4, "uptime";
    /// The last proof of work was right.
    LastProof = 5, "last_proof";
    /// The cluster-formation test was passed.
    ClusterFormation = 6, "cluster_formation";
    /// Neither blocked nor terminated.
    Standing = 7, "standing";
    /// A payout wallet is set.
    PayoutWallet = 8, "payout_wallet";
    /// Continuous uptime reaches the minimum when the epoch ends.
    UptimeAtEnd = 9, "uptime_at_end";
    /// The epoch's own proof of work was right, or the device was hired.
    ProofAtEnd = 10, "proof_at_end";
}

/// One check of one device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub code: CheckCode,
    /// Whether it passed.
    pub passed: bool,
    /// What was found, for a person; [`fmt::Display`] gives the sentence.
    pub reason: Reason,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Staked, and the least that must be.
    Stake {
        /// What counts.
        staked: Io,
        /// The least.
        minimum: Io,
    },
    /// Seconds up without a break, and the least.
    Uptime {
        /// So long without a break.
        secs: u64,
        /// The least.
        minimum_secs: u32,
    },
    /// The model's multiplier, hundredths.
    Multiplier(u32),
    /// The connection's tier.
    Tier(Tier),
    /// The device's standing.
    Standing(Standing),
    /// A plain sentence.
    Sentence(&'static str),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Stake { staked, minimum } => write!(f, "staked {} of at least {}", Decimal(staked), Decimal(minimum)),
            Self::Uptime { secs, minimum_secs } => write!(f, "up without a break for {secs} s of at least {minimum_secs} s"),
            Self::Multiplier(centi) => {
                write!(f, "the model's multiplier is {}.{:02}; it must be above 0", centi / 100, centi % 100)
            }
            Self::Tier(tier) => write!(f, "the connection's tier is {} ({}); it must be above 0", tier as u8, tier.code()),
            Self::Standing(standing) => write!(f, "the device's standing is {}", standing.code()),
            Self::Sentence(sentence) => f.write_str(sentence),
        }
    }
}

/// IO with its decimals, without trailing zeros.
struct Decimal(Io);

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, mut rest) = (self.0.0 / IO_UNIT, self.0.0 % IO_UNIT);
        if rest == 0 {
            return write!(f, "{whole} IO");
        }
        let mut digits = 8usize;
        while rest.is_multiple_of(10) {
            rest /= 10;
            digits = digits.saturating_sub(1);
        }
        write!(f, "{whole}.{rest:0digits$} IO")
    }
}

/// The checks when an epoch begins. A device is nominated when all of them pass.
pub fn nomination(facts: &NominationFacts, params: &SupplyParams) -> [Check; 9] {
    let yes_no = |code, passed, yes, no| Check { code, passed, reason: Reason::Sentence(if passed { yes } else { no }) };
    [
        Check {
            code: CheckCode::Stake,
            passed: facts.staked >= facts.minimum_stake,
            reason: Reason::Stake { staked: facts.staked, minimum: facts.minimum_stake },
        },
        yes_no(CheckCode::NotUnstaking, !facts.unstaking, "the stake is not being withdrawn", "the stake is being withdrawn"),
        Check { code: CheckCode::Multiplier, passed: facts.multiplier_centi > 0, reason: Reason::Multiplier(facts.multiplier_centi) },
        Check { code: CheckCode::Connectivity, passed: facts.tier > Tier::None, reason: Reason::Tier(facts.tier) },
        uptime(CheckCode::Uptime, facts.uptime_secs, params),
        yes_no(
            CheckCode::LastProof,
            facts.last_proof_passed,
            "the last proof of work was right",
            "the last proof of work was wrong or missing",
        ),
        yes_no(
            CheckCode::ClusterFormation,
            facts.cluster_formation_passed,
            "the cluster-formation test was passed",
            "the cluster-formation test was not passed yet",
        ),
        Check { code: CheckCode::Standing, passed: facts.standing == Standing::Good, reason: Reason::Standing(facts.standing) },
        yes_no(CheckCode::PayoutWallet, facts.payout_wallet_set, "a payout wallet is set", "no payout wallet is set"),
    ]
}

/// The checks when an epoch ends. A nominated device earns when both pass.
pub fn at_end(facts: &EndFacts, params: &SupplyParams) -> [Check; 2] {
    let proof = match (facts.hired, facts.proof_passed) {
        (true, _) => "hired: no proof of work is asked",
        (false, true) => "the epoch's proof of work was right",
        (false, false) => "the epoch's proof of work was wrong or missing",
    };
    [
        uptime(CheckCode::UptimeAtEnd, facts.uptime_secs, params),
        Check { code: CheckCode::ProofAtEnd, passed: facts.hired || facts.proof_passed, reason: Reason::Sentence(proof) },
    ]
}

fn uptime(code: CheckCode, secs: u64, params: &SupplyParams) -> Check {
    let minimum_secs = params.uptime_min_secs;
    Check { code, passed: secs >= u64::from(minimum_secs), reason: Reason::Uptime { secs, minimum_secs } }
}

/// A set of checks as bits, bit `n` for the check with number `n`: the failed ones in a published epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CheckSet(u16);

impl CheckSet {
    /// No check.
    pub const EMPTY: Self = Self(0);

    /// The set with these bits; a bit that is no check is refused.
    pub fn from_bits(bits: u16) -> RuleResult<Self> {
        let known = CheckCode::ALL.iter().fold(0, |known, code| known | Self::bit(*code));
        if bits & !known == 0 { Ok(Self(bits)) } else { Err(RuleError::UnknownValue) }
    }

    /// Which of these checks failed.
    pub fn failed(checks: &[Check]) -> Self {
        Self(checks.iter().filter(|check| !check.passed).fold(0, |bits, check| bits | Self::bit(check.code)))
    }

    /// The checks of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Its bits.
    pub const fn bits(self) -> u16 {
        self.0
    }

    /// Whether no check is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether this check is in it.
    pub const fn contains(self, code: CheckCode) -> bool {
        self.0 & Self::bit(code) != 0
    }

    /// The checks in it, in the order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = CheckCode> {
        CheckCode::ALL.iter().copied().filter(move |code| self.contains(*code))
    }

    const fn bit(code: CheckCode) -> u16 {
        // No number of a check reaches 16.
        1u16.wrapping_shl(code as u32)
    }
}
