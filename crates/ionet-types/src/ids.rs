//! Typed ids and addresses, so that one can never stand where another belongs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use utoipa::ToSchema;
use uuid::Uuid;

/// Why a text is not the id it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ParseIdError(&'static str);

impl ParseIdError {
    pub(crate) const HARDWARE_MODEL: Self = Self("a hardware model is 1 to 64 lower-case letters, digits and -");
    pub(crate) const COUNTRY: Self = Self("a country is the two letters of ISO 3166-1, such as DE");
    pub(crate) const REGION: Self = Self("a region is one of africa, asia, eu, europe, north_america, oceania, south_america");
    pub(crate) const SHORT_NAME: Self = Self("a supplier or site is named by 1 to 32 lower-case letters, digits and -");
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = String, format = Uuid)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id; ids sort by the time they were made.
            #[expect(clippy::new_without_default, reason = "a default id would be a different one each time")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                text.parse().map(Self).map_err(|_| ParseIdError("not a UUID"))
            }
        }
    };
}

uuid_id! {
    /// A cluster, and its booking on chain. UUID version 7.
    ClusterId
}
uuid_id! {
    /// An API key (its public id, not its secret). UUID version 7.
    KeyId
}
uuid_id! {
    /// A join token (its public id, not its secret). UUID version 7.
    JoinTokenId
}

uuid_id! {
    /// A slashing case. UUID version 7.
    CaseId
}

impl CaseId {
    /// The id as the program stores it.
    pub const fn bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// The id as the program stores it.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl ClusterId {
    /// The id as the program stores it.
    pub const fn bytes(self) -> [u8; 16] {
        self.0.into_bytes()
    }

    /// The id as the program stores it.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

macro_rules! base58_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal, $wrong:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
        #[schema(value_type = String)]
        pub struct $name(pub [u8; $bytes]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&bs58::encode(self.0).into_string())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                let mut bytes = [0; $bytes];
                // Base58 grows by a factor of 1.37: nothing longer can fit, and decoding is quadratic.
                match (text.len() <= $bytes * 2).then(|| bs58::decode(text).onto(&mut bytes)) {
                    Some(Ok($bytes)) => Ok(Self(bytes)),
                    _ => Err(ParseIdError($wrong)),
                }
            }
        }

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
    };
}

base58_id! {
    /// A Solana address: a wallet, a mint, a program account. Base58 of 32 bytes.
    Address, 32, "not a Solana address (base58 of 32 bytes)"
}
base58_id! {
    /// A device: base58 of its ed25519 public key.
    DeviceId, 32, "not a device id (base58 of 32 bytes)"
}
base58_id! {
    /// A transaction's first signature, which names it. Base58 of 64 bytes.
    TransactionSignature, 64, "not a transaction signature (base58 of 64 bytes)"
}

/// A SHA-256 hash: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{64}$")]
pub struct Sha256(pub [u8; 32]);

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&hex::encode(self.0))
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Sha256 {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let mut bytes = [0; 32];
        let canonical = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        match hex::decode_to_slice(text, &mut bytes) {
            Ok(()) if canonical => Ok(Self(bytes)),
            _ => Err(ParseIdError("not a SHA-256 hash (64 lower-case hexadecimal digits)")),
        }
    }
}

impl Serialize for Sha256 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Sha256 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base58_round_trips_and_refuses_other_lengths() {
        let address = Address([7; 32]);
        assert_eq!(address.to_string().parse(), Ok(address));
        assert!("".parse::<Address>().is_err());
        assert!(bs58::encode([7; 31]).into_string().parse::<Address>().is_err());
        assert!(bs58::encode([7; 33]).into_string().parse::<Address>().is_err());
        assert!("1".repeat(1_000_000).parse::<Address>().is_err());
        assert!("0OIl".parse::<Address>().is_err());
    }

    #[test]
    fn hashes_round_trip_and_have_one_spelling() {
        let hash = Sha256([0xAB; 32]);
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert!(hash.to_string().to_uppercase().parse::<Sha256>().is_err());
        assert!("ab".parse::<Sha256>().is_err());
    }

    #[test]
    fn ids_made_later_sort_later() {
        let (first, second) = (ClusterId::new(), ClusterId::new());
        assert!(first < second);
        assert_eq!(ClusterId::from_bytes(first.bytes()), first);
    }
}
