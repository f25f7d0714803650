//! What has one price: a model, a connectivity tier and a region.

use std::fmt;
use std::str::FromStr;

use ionet_rules::rewards::Tier;
use ionet_types::hardware::HardwareModel;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// Longest name of a region.
const MAX_REGION: usize = 32;

/// Why a text is not a cell or a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CellError {
    /// Not a region's name.
    #[error("a region is 1 to 32 lower-case letters, digits and `-`")]
    Region,
    /// Not a cell's name.
    #[error("a cell is MODEL:TIER:REGION, such as h100:3:europe, with a tier of 0 to 4")]
    Cell,
}

impl CellError {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Region => "region_malformed",
            Self::Cell => "cell_malformed",
        }
    }
}

/// Where devices are, as coarse as prices tell places apart: 1 to 32 lower-case letters, digits and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(String);

impl Region {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Region {
    type Err = CellError;

    fn from_str(text: &str) -> Result<Self, CellError> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let fits = (1..=MAX_REGION).contains(&text.len()) && text.bytes().all(allowed);
        if fits { Ok(Self(text.to_owned())) } else { Err(CellError::Region) }
    }
}

/// What has one price. Its text is `h100:3:europe`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// The model; first, so that a model's cells stand together.
    pub model: HardwareModel,
    /// The connectivity tier.
    pub tier: Tier,
    /// The region.
    pub region: Region,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.model, self.tier as u8, self.region)
    }
}

impl FromStr for Cell {
    type Err = CellError;

    fn from_str(text: &str) -> Result<Self, CellError> {
        let mut parts = text.split(':');
        let (Some(model), Some(tier), Some(region), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(CellError::Cell);
        };
        let tier = match tier.as_bytes() {
            [digit] => Tier::from_u8(digit.wrapping_sub(b'0')).map_err(|_| CellError::Cell)?,
            _ => return Err(CellError::Cell),
        };
        Ok(Self { model: model.parse().map_err(|_| CellError::Cell)?, tier, region: region.parse()? })
    }
}

macro_rules! as_text {
    ($($name:ident),*) => {$(
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }
    )*};
}

as_text!(Region, Cell);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_cell_is_its_text(model in "[a-z0-9-]{1,64}", tier in 0_u8..=4, region in "[a-z0-9-]{1,32}") {
            let text = format!("{model}:{tier}:{region}");
            let cell: Cell = text.parse().unwrap();
            prop_assert_eq!(cell.to_string(), text.clone());
            prop_assert_eq!(serde_json::to_string(&cell).unwrap(), format!("\"{text}\""));
            prop_assert_eq!(serde_json::from_str::<Cell>(&format!("\"{text}\"")).unwrap(), cell);
        }

        #[test]
        fn any_other_text_is_refused(text in ".{0,80}") {
            if let Ok(cell) = text.parse::<Cell>() {
                prop_assert_eq!(cell.to_string(), text);
            }
        }
    }

    #[test]
    fn what_is_no_cell() {
        for text in ["", "h100", "h100:3", "h100:5:eu", "h100:03:eu", "H100:3:eu", "h100:3:EU", "h100:3:eu:x", "h100::eu"] {
            assert!(text.parse::<Cell>().is_err(), "{text}");
        }
    }
}
