//! What an operator decides about prices besides the price list: how much a tier and a region are worth. Published with the prices.

use std::collections::BTreeMap;

use ionet_rules::rewards::Tier;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::cell::Region;
use super::curve::WHOLE_BPS;

/// The lowest multiplier, basis points.
pub const LOWEST_MULTIPLIER_BPS: u16 = 2_000;
/// The highest multiplier, basis points.
pub const HIGHEST_MULTIPLIER_BPS: u16 = 50_000;
/// Most regions that have a multiplier of their own.
const MAX_REGIONS: usize = 1_000;

/// Why multipliers are refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MultiplierError {
    /// One is out of range.
    #[error("{field}: {bps} basis points; allowed are {LOWEST_MULTIPLIER_BPS} to {HIGHEST_MULTIPLIER_BPS}")]
    OutOfRange {
        /// Which.
        field: String,
        /// What it says.
        bps: u16,
    },
    /// A better connection would be cheaper.
    #[error("tiers_bps: tier {0} is cheaper than the one below it")]
    TiersFall(usize),
    /// Too many regions.
    #[error("regions_bps: at most {MAX_REGIONS} regions")]
    TooManyRegions,
}

impl MultiplierError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OutOfRange { .. } => "multiplier_out_of_range",
            Self::TiersFall(_) => "multiplier_tiers_fall",
            Self::TooManyRegions => "multiplier_regions_too_many",
        }
    }
}

/// Multipliers as they are written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    tiers_bps: [u16; 5],
    #[serde(default)]
    regions_bps: BTreeMap<Region, u16>,
}

/// Factors on the reference price, in basis points: one for each tier, and one for each region that has its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Multipliers {
    written: Written,
}

impl Multipliers {
    /// Multipliers of tiers 0 to 4 and of regions; a region that is not named has 10,000, the whole.
    pub fn new(tiers_bps: [u16; 5], regions_bps: BTreeMap<Region, u16>) -> Result<Self, MultiplierError> {
        Written { tiers_bps, regions_bps }.try_into()
    }

    /// That of a tier.
    pub fn tier_bps(&self, tier: Tier) -> u64 {
        u64::from(self.written.tiers_bps[tier as usize])
    }

    /// That of a region.
    pub fn region_bps(&self, region: &Region) -> u64 {
        self.written.regions_bps.get(region).map_or(WHOLE_BPS, |&bps| u64::from(bps))
    }
}

impl Default for Multipliers {
    /// The reference price is that of a medium connection; each tier is 5 % apart, and all regions cost the same.
    fn default() -> Self {
        Self { written: Written { tiers_bps: [9_000, 9_500, 10_000, 10_500, 11_000], regions_bps: BTreeMap::new() } }
    }
}

impl TryFrom<Written> for Multipliers {
    type Error = MultiplierError;

    fn try_from(written: Written) -> Result<Self, MultiplierError> {
        let tiers = written.tiers_bps.iter().enumerate().map(|(tier, &bps)| (format!("tiers_bps[{tier}]"), bps));
        let regions = written.regions_bps.iter().map(|(region, &bps)| (format!("regions_bps.{region}"), bps));
        if written.regions_bps.len() > MAX_REGIONS {
            return Err(MultiplierError::TooManyRegions);
        }
        for (field, bps) in tiers.chain(regions) {
            if !(LOWEST_MULTIPLIER_BPS..=HIGHEST_MULTIPLIER_BPS).contains(&bps) {
                return Err(MultiplierError::OutOfRange { field, bps });
            }
        }
        if let Some(tier) = (1..5).find(|&tier| written.tiers_bps[tier] < written.tiers_bps[tier - 1]) {
            return Err(MultiplierError::TiersFall(tier));
        }
        Ok(Self { written })
    }
}

impl From<Multipliers> for Written {
    fn from(multipliers: Multipliers) -> Self {
        multipliers.written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipliers_are_checked() {
        let default = Multipliers::default();
        let text = serde_json::to_string(&default).unwrap();
        assert_eq!(serde_json::from_str::<Multipliers>(&text).unwrap(), default);
        assert_eq!(default.tier_bps(Tier::UltraHigh), 11_000);
        let region: Region = "europe".parse().unwrap();
        assert_eq!(default.region_bps(&region), 10_000);
        let error = Multipliers::new([10_000; 5], [(region, 1)].into()).unwrap_err();
        assert_eq!(error.to_string(), "regions_bps.europe: 1 basis points; allowed are 2000 to 50000");
        assert_eq!(Multipliers::new([10_000, 10_000, 9_000, 10_000, 10_000], BTreeMap::new()).unwrap_err(), MultiplierError::TiersFall(2));
        assert!(serde_json::from_str::<Multipliers>(r#"{"tiers_bps":[0,1,2,3,4]}"#).is_err());
    }
}
