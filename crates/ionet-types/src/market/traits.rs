//! What can be said of a device beside its hardware and its place.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use crate::ids::ParseIdError;

/// How well a device is connected (docs/economy.md, section 5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Too slow, or never measured.
    #[default]
    None,
    /// At least 100 Mbps down and 10 up.
    Low,
    /// At least 400 Mbps down and 300 up.
    Medium,
    /// At least 800 Mbps down and 600 up.
    High,
    /// At least 1600 Mbps down and 1200 up.
    UltraHigh,
}

impl Tier {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        self.rules().code()
    }

    /// The same tier in the rules.
    pub const fn rules(self) -> ionet_rules::rewards::Tier {
        use ionet_rules::rewards::Tier as Rule;
        match self {
            Self::None => Rule::None,
            Self::Low => Rule::Low,
            Self::Medium => Rule::Medium,
            Self::High => Rule::High,
            Self::UltraHigh => Rule::UltraHigh,
        }
    }
}

impl From<ionet_rules::rewards::Tier> for Tier {
    fn from(tier: ionet_rules::rewards::Tier) -> Self {
        use ionet_rules::rewards::Tier as Rule;
        match tier {
            Rule::None => Self::None,
            Rule::Low => Self::Low,
            Rule::Medium => Self::Medium,
            Rule::High => Self::High,
            Rule::UltraHigh => Self::UltraHigh,
        }
    }
}

/// A standard that the network's operator has seen proof of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compliance {
    /// SOC 2.
    Soc2,
    /// ISO/IEC 27001.
    Iso27001,
    /// HIPAA.
    Hipaa,
    /// GDPR processing terms.
    Gdpr,
    /// PCI DSS.
    PciDss,
}

impl Compliance {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Soc2, Self::Iso27001, Self::Hipaa, Self::Gdpr, Self::PciDss];

    /// Its bit in a set.
    pub const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The set of these.
    pub fn bits(list: &[Self]) -> u8 {
        list.iter().fold(0, |bits, one| bits | one.bit())
    }

    /// Those in the set.
    pub fn from_bits(bits: u8) -> Vec<Self> {
        Self::ALL.into_iter().filter(|one| bits & one.bit() != 0).collect()
    }
}

/// How a customer's work is separated from the machine, weakest first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Security {
    /// Plain processes: for suppliers that the customer trusts.
    #[default]
    Process,
    /// Containers.
    Container,
    /// Virtual machines.
    VirtualMachine,
    /// Encrypted memory that the supplier cannot read.
    Confidential,
}

impl From<crate::agent::Isolation> for Security {
    fn from(isolation: crate::agent::Isolation) -> Self {
        match isolation {
            crate::agent::Isolation::None | crate::agent::Isolation::Unknown => Self::Process,
        }
    }
}

/// A name of 1 to 32 lower-case letters, digits and `-`: a supplier that the operator names, or a site that a supplier does.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^[a-z0-9-]{1,32}$", example = "nordic-gpu")]
pub struct ShortName(String);

impl ShortName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ShortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for ShortName {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let fits =
            (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(ParseIdError::SHORT_NAME) }
    }
}

impl<'de> Deserialize<'de> for ShortName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
