//! What can be hired: a kind of processor, and a model with a price.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};
use utoipa::ToSchema;

use crate::ids::ParseIdError;
use crate::money::MicroUsd;

/// Whether a device is hired for its CPUs or for its GPUs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HardwareKind {
    /// Processors without a graphics card.
    Cpu,
    /// Graphics cards.
    Gpu,
}

impl HardwareKind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Gpu => "gpu",
        }
    }

    /// The same kind in the rules.
    pub const fn rules(self) -> ionet_rules::booking::HardwareKind {
        match self {
            Self::Cpu => ionet_rules::booking::HardwareKind::Cpu,
            Self::Gpu => ionet_rules::booking::HardwareKind::Gpu,
        }
    }
}

impl From<ionet_rules::booking::HardwareKind> for HardwareKind {
    fn from(kind: ionet_rules::booking::HardwareKind) -> Self {
        match kind {
            ionet_rules::booking::HardwareKind::Cpu => Self::Cpu,
            ionet_rules::booking::HardwareKind::Gpu => Self::Gpu,
        }
    }
}

impl From<crate::agent::HardwareKind> for HardwareKind {
    fn from(kind: crate::agent::HardwareKind) -> Self {
        match kind {
            crate::agent::HardwareKind::Cpu => Self::Cpu,
            crate::agent::HardwareKind::Gpu => Self::Gpu,
        }
    }
}

/// Name of a hardware model in the price list, such as `cpu` or `h100-80gb`: lower-case letters, digits and `-`, at most 64.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, pattern = "^[a-z0-9-]{1,64}$", example = "cpu")]
pub struct HardwareModel(String);

impl HardwareModel {
    /// The model of a device without a graphics card.
    pub fn cpu() -> Self {
        Self("cpu".to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HardwareModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for HardwareModel {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let fits =
            (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(ParseIdError::HARDWARE_MODEL) }
    }
}

impl<'de> Deserialize<'de> for HardwareModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// One model that the network rents out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HardwareOffer {
    /// The name to book it by.
    pub hardware: HardwareModel,
    /// Its kind.
    pub kind: HardwareKind,
    /// Its name for a person.
    pub name: String,
    /// Price of one device for one hour, micro-USD.
    pub rate_micro_usd: MicroUsd,
    /// Devices that can be hired now.
    pub free_devices: u32,
    /// Devices that are connected, hired or not.
    pub connected_devices: u32,
}

/// Everything that the network rents out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HardwareList {
    /// One entry for each model with a price.
    pub items: Vec<HardwareOffer>,
}
