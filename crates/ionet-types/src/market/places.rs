//! Countries and regions: where a device is, and where work may go.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use super::ShortName;
use crate::ids::ParseIdError;

/// A country, by its two letters of ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[A-Z]{2}$", example = "DE")]
pub struct Country(u8);

impl Country {
    /// Every country, by its letters.
    pub fn all() -> impl Iterator<Item = Self> {
        let mut all: Vec<_> = (0..iso3166::LIST.len()).filter_map(|index| u8::try_from(index).ok()).map(Self).collect();
        all.sort_unstable_by_key(|country| country.letters());
        all.into_iter()
    }

    /// Its number in this build, below 256: for tables, not for storage.
    pub const fn index(self) -> u8 {
        self.0
    }

    /// Its two letters.
    pub fn letters(self) -> &'static str {
        self.data().alpha2
    }

    /// Its name in English.
    pub fn name(self) -> &'static str {
        self.data().name
    }

    /// The continent that it is on.
    pub fn continent(self) -> Region {
        match self.data().region {
            iso3166::Region::Europe => Region::Europe,
            iso3166::Region::Asia => Region::Asia,
            iso3166::Region::NorthAmerica => Region::NorthAmerica,
            iso3166::Region::SouthAmerica => Region::SouthAmerica,
            iso3166::Region::Africa => Region::Africa,
            iso3166::Region::Oceania => Region::Oceania,
        }
    }

    fn data(self) -> &'static iso3166::Data {
        iso3166::LIST[usize::from(self.0)].data()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.letters())
    }
}

impl FromStr for Country {
    type Err = ParseIdError;

    /// Two letters, in either case.
    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let index = iso3166::LIST.iter().position(|country| country.data().alpha2.eq_ignore_ascii_case(text));
        index.and_then(|index| u8::try_from(index).ok()).map(Self).ok_or(ParseIdError::COUNTRY)
    }
}

impl Serialize for Country {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.letters())
    }
}

impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error: ParseIdError| de::Error::custom(format!("{text:?}: {error}")))
    }
}

/// Where a device is, as its supplier says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Location {
    /// Its country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// Its data centre, room or rack: devices of one site are close together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<ShortName>,
}

impl Location {
    /// Nothing is said of it.
    pub const UNKNOWN: Self = Self { country: None, site: None };

    /// Whether nothing is said of it.
    pub fn is_unknown(&self) -> bool {
        *self == Self::UNKNOWN
    }
}

/// A part of the world: a continent, or the European Union.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Region {
    /// Africa.
    Africa,
    /// Asia.
    Asia,
    /// The member states of the European Union.
    Eu,
    /// Europe.
    Europe,
    /// North and Central America and the Caribbean.
    NorthAmerica,
    /// Oceania.
    Oceania,
    /// South America.
    SouthAmerica,
}

/// Members of the European Union.
const EU: [&str; 27] = [
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL",
    "PT", "RO", "SE", "SI", "SK",
];

impl Region {
    /// All of them.
    pub const ALL: [Self; 7] = [Self::Africa, Self::Asia, Self::Eu, Self::Europe, Self::NorthAmerica, Self::Oceania, Self::SouthAmerica];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Africa => "africa",
            Self::Asia => "asia",
            Self::Eu => "eu",
            Self::Europe => "europe",
            Self::NorthAmerica => "north_america",
            Self::Oceania => "oceania",
            Self::SouthAmerica => "south_america",
        }
    }

    /// Whether the country is in it.
    pub fn has(self, country: Country) -> bool {
        match self {
            Self::Eu => EU.contains(&country.letters()),
            continent => country.continent() == continent,
        }
    }

    /// The countries in it.
    pub fn countries(self) -> Countries {
        Country::all().filter(|country| self.has(*country)).collect()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Region {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        Self::ALL.into_iter().find(|region| region.name() == text).ok_or(ParseIdError::REGION)
    }
}

/// A set of countries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Countries([u64; 4]);

impl Countries {
    /// Adds one.
    pub fn insert(&mut self, country: Country) {
        self.0[usize::from(country.0 >> 6)] |= 1 << (country.0 & 63);
    }

    /// Whether it is in the set.
    pub const fn has(&self, country: Country) -> bool {
        self.0[(country.0 >> 6) as usize] & (1 << (country.0 & 63)) != 0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Those in either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }

    /// Those that are not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & !other.0[word]))
    }

    /// The countries, by their letters.
    pub fn iter(&self) -> impl Iterator<Item = Country> {
        let own = *self;
        Country::all().filter(move |country| own.has(*country))
    }
}

impl FromIterator<Country> for Countries {
    fn from_iter<I: IntoIterator<Item = Country>>(countries: I) -> Self {
        let mut set = Self::default();
        countries.into_iter().for_each(|country| set.insert(country));
        set
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn countries_are_on_one_continent_and_read_back() {
        let continents = Region::ALL.into_iter().filter(|region| *region != Region::Eu);
        let sizes: Vec<_> = continents.map(|region| region.countries().iter().count()).collect();
        assert_eq!(sizes.iter().sum::<usize>(), Country::all().count());
        for country in Country::all() {
            assert_eq!(country.letters().to_lowercase().parse::<Country>().unwrap(), country);
            assert_eq!(serde_json::to_string(&country).unwrap(), format!("{:?}", country.letters()));
        }
        assert_eq!(Region::Eu.countries().iter().count(), 27);
        assert!(Region::Eu.countries().without(Region::Europe.countries()).iter().all(|country| country.letters() == "CY"));
        assert!("XX".parse::<Country>().is_err() && "DEU".parse::<Country>().is_err() && "".parse::<Country>().is_err());
    }
}
