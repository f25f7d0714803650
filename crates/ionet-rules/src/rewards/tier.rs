//! Connectivity tiers (docs/economy.md, section 5).

use crate::{RuleError, RuleResult};

/// How well a device is connected; its number enters the base score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Tier {
    /// Too slow, or never measured: not nominated.
    #[default]
    None = 0,
    /// At least 100 Mbps down and 10 up.
    Low = 1,
    /// At least 400 Mbps down and 300 up.
    Medium = 2,
    /// At least 800 Mbps down and 600 up.
    High = 3,
    /// At least 1600 Mbps down and 1200 up.
    UltraHigh = 4,
}

impl Tier {
    /// Every tier, the best first, with the lowest download and upload in Mbps.
    pub const THRESHOLDS_MBPS: [(Self, u32, u32); 4] =
        [(Self::UltraHigh, 1_600, 1_200), (Self::High, 800, 600), (Self::Medium, 400, 300), (Self::Low, 100, 10)];

    /// The tier of a connection: the best one whose both thresholds are reached.
    pub fn from_mbps(download_mbps: u32, upload_mbps: u32) -> Self {
        Self::THRESHOLDS_MBPS
            .iter()
            .find(|(_, download, upload)| download_mbps >= *download && upload_mbps >= *upload)
            .map_or(Self::None, |(tier, ..)| *tier)
    }

    /// The tier stored as this byte.
    pub const fn from_u8(byte: u8) -> RuleResult<Self> {
        match byte {
            0 => Ok(Self::None),
            1 => Ok(Self::Low),
            2 => Ok(Self::Medium),
            3 => Ok(Self::High),
            4 => Ok(Self::UltraHigh),
            _ => Err(RuleError::UnknownValue),
        }
    }

    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::UltraHigh => "ultra_high",
        }
    }
}
