//! Money on the wire: integers in base units as decimal strings (no JSON reader may round them), with a display text beside them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

/// What a cluster is booked, paid and refunded in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum Currency {
    /// USD Coin, 6 decimals.
    #[serde(rename = "USDC")]
    Usdc,
    /// The network's coin, 8 decimals.
    #[serde(rename = "IO")]
    Io,
}

impl Currency {
    /// The name on the wire and on screens.
    pub const fn name(self) -> &'static str {
        self.rules().name()
    }

    /// Decimals of the token.
    pub const fn decimals(self) -> u8 {
        self.rules().decimals()
    }

    /// The same currency in the rules.
    pub const fn rules(self) -> ionet_rules::money::Currency {
        match self {
            Self::Usdc => ionet_rules::money::Currency::Usdc,
            Self::Io => ionet_rules::money::Currency::Io,
        }
    }
}

impl From<ionet_rules::money::Currency> for Currency {
    fn from(currency: ionet_rules::money::Currency) -> Self {
        match currency {
            ionet_rules::money::Currency::Usdc => Self::Usdc,
            ionet_rules::money::Currency::Io => Self::Io,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Currency {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            _ if text.eq_ignore_ascii_case("usdc") => Ok(Self::Usdc),
            _ if text.eq_ignore_ascii_case("io") => Ok(Self::Io),
            _ => Err("the currency is usdc or io"),
        }
    }
}

macro_rules! decimal_string {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
        #[schema(value_type = String, pattern = "^(0|[1-9][0-9]{0,19})$")]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                let canonical = text == "0" || text.starts_with(|first: char| ('1'..='9').contains(&first));
                match text.parse() {
                    Ok(value) if canonical => Ok(Self(value)),
                    _ => Err(de::Error::custom("an amount is a string of decimal digits, at most 18446744073709551615")),
                }
            }
        }
    };
}

decimal_string! {
    /// Base units of a token, as a decimal string.
    BaseUnits
}
decimal_string! {
    /// Millionths of a US dollar, as a decimal string: prices and values, not a token.
    MicroUsd
}

/// An amount of one token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Money {
    /// Which token.
    pub currency: Currency,
    /// How many base units of it: 10^6 are one USDC, 10^8 one IO.
    pub base_units: BaseUnits,
    /// The same for a person: `0.47035 USDC`.
    #[schema(example = "0.47035 USDC")]
    pub display: String,
}

impl Money {
    /// So many base units.
    pub fn new(currency: Currency, base_units: u64) -> Self {
        let display = format!("{} {currency}", decimal(base_units, currency.decimals()));
        Self { currency, base_units: BaseUnits(base_units), display }
    }

    /// Base units of USDC.
    pub fn usdc(base_units: u64) -> Self {
        Self::new(Currency::Usdc, base_units)
    }

    /// Base units of IO.
    pub fn io(base_units: u64) -> Self {
        Self::new(Currency::Io, base_units)
    }
}

/// `base_units` with `decimals` places, without trailing zeros.
pub fn decimal(base_units: u64, decimals: u8) -> String {
    let unit = 10_u64.pow(u32::from(decimals));
    let (whole, rest) = (base_units / unit, base_units % unit);
    if rest == 0 {
        return whole.to_string();
    }
    let places = format!("{rest:0width$}", width = usize::from(decimals));
    format!("{whole}.{}", places.trim_end_matches('0'))
}

/// Base units of a decimal text such as `1.25`; `None` when it is none, has more places than the token, or is too large.
pub fn parse_decimal(text: &str, decimals: u8) -> Option<u64> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(places) || places.len() > usize::from(decimals) || text.ends_with('.') {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    // A leading zero, so that a token without decimals has digits to read.
    let places: u64 = format!("0{places:0<width$}", width = usize::from(decimals)).parse().ok()?;
    whole.checked_mul(10_u64.pow(u32::from(decimals)))?.checked_add(places)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn shows_amounts_as_people_write_them() {
        assert_eq!(Money::usdc(470_350).display, "0.47035 USDC");
        assert_eq!(Money::usdc(2_000_000).display, "2 USDC");
        assert_eq!(Money::io(1).display, "0.00000001 IO");
    }

    #[test]
    fn refuses_texts_that_are_no_amounts() {
        for text in ["", ".", "1.", ".5", "-1", "1e3", "1.0000001", "99999999999999999999", "1,5", " 1"] {
            assert_eq!(parse_decimal(text, 6), None, "{text:?}");
        }
        for json in ["1", "\"\"", "\"-1\"", "\"01\"", "\"+1\"", "\"18446744073709551616\"", "\"1.5\"", "null"] {
            assert!(serde_json::from_str::<BaseUnits>(json).is_err(), "{json}");
        }
    }

    proptest! {
        #[test]
        fn decimal_texts_round_trip(base_units: u64, decimals in 0_u8..=9) {
            prop_assert_eq!(parse_decimal(&decimal(base_units, decimals), decimals), Some(base_units));
        }

        #[test]
        fn wire_amounts_round_trip(base_units: u64) {
            let json = serde_json::to_string(&BaseUnits(base_units)).unwrap();
            prop_assert_eq!(json.clone(), format!("\"{base_units}\""));
            prop_assert_eq!(serde_json::from_str::<BaseUnits>(&json).unwrap(), BaseUnits(base_units));
        }
    }
}
