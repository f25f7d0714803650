//! How a device becomes a wallet's: join tokens for fleets, device codes for one machine at a time (after RFC 8628), and why a device may
//! be turned away.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;
use utoipa::ToSchema;

use crate::ids::{Address, JoinTokenId};

/// First characters of every join token's secret.
pub const JOIN_TOKEN_PREFIX: &str = "ionet_join_";
/// First characters of every device code.
pub const DEVICE_CODE_PREFIX: &str = "ionet_code_";
/// First characters of every credential that a hub gives a device.
pub const CREDENTIAL_PREFIX: &str = "ionet_dev_";
/// Longest secret of these kinds, bytes; each is shorter.
pub const MAX_SECRET_BYTES: usize = 128;
/// Longest name of a join token, bytes.
pub const MAX_JOIN_TOKEN_NAME_BYTES: usize = 64;
/// Most devices that one join token can admit.
pub const MAX_JOIN_TOKEN_DEVICES: u32 = 10_000;
/// Path, below the hub's public URL, of the page that a device code's user opens.
pub const ACTIVATE_PATH: &str = "/activate";

/// A join token to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateJoinTokenRequest {
    /// A name for the owner's own use, 1 to 64 bytes.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// How many devices it admits, 1 to 10,000.
    #[schema(minimum = 1, maximum = 10_000)]
    pub max_devices: u32,
    /// For how long, seconds; 7 days when absent, at most a year.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 60, maximum = 31_536_000)]
    pub expires_in_secs: Option<u32>,
}

/// A join token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinToken {
    /// Its id.
    pub id: JoinTokenId,
    /// Its name.
    pub name: String,
    /// The first characters of its secret, to recognise it by.
    #[schema(example = "ionet_join_7Gq4zR")]
    pub prefix: String,
    /// How many devices it admits in all.
    pub max_devices: u32,
    /// How many devices joined with it.
    pub devices_joined: u32,
    /// How many more may.
    pub uses_left: u32,
    /// When it was made, unix seconds.
    pub created_at_unix_secs: i64,
    /// Until when it holds, unix seconds.
    pub expires_at_unix_secs: i64,
    /// When it was revoked, unix seconds; absent while it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at_unix_secs: Option<i64>,
}

/// A new join token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedJoinToken {
    /// The token.
    pub token: JoinToken,
    /// What a device presents to join. Shown once; only its hash is kept.
    pub secret: String,
}

/// A wallet's join tokens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinTokenList {
    /// The tokens, newest first; those that are over are shown for a month.
    pub items: Vec<JoinToken>,
}

/// What a device tells of itself when it asks for a code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceCodeRequest {
    /// Name that its supplier gives the device, at most 64 bytes: shown to whoever approves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub label: Option<String>,
}

/// A code for a device, and one for the person in front of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceCode {
    /// The device's secret: it asks with it whether it was approved.
    pub device_code: String,
    /// What the person types.
    pub user_code: UserCode,
    /// Page that says how to approve.
    pub verification_url: String,
    /// How long both hold, seconds.
    pub expires_in_secs: u32,
    /// How long to wait between two questions, seconds.
    pub interval_secs: u32,
}

/// A device asks whether its code was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeviceCodeTokenRequest {
    /// The device's secret.
    pub device_code: String,
}

/// How far a device code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeviceCodeStatus {
    /// Nobody has decided.
    Pending,
    /// The device asks too often: wait `interval_secs` between two questions.
    SlowDown,
    /// A wallet said no.
    Denied,
    /// It is too old, or its join token was given out already.
    Expired,
    /// A wallet said yes.
    Approved,
}

/// The answer to a device that asks whether its code was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceCodeAnswer {
    /// How far it is.
    pub status: DeviceCodeStatus,
    /// How long to wait before the next question, seconds.
    pub interval_secs: u32,
    /// When approved: a join token for this one device. Given out once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub join_token: Option<String>,
    /// When approved: the wallet that said yes and will own the device. The device shows it, so that nobody else's approval goes unseen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet: Option<Address>,
}

/// A device that asks to join, as the person who approves sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PendingDevice {
    /// The code.
    pub user_code: UserCode,
    /// Name that the device gave itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Network address that it asked from.
    pub address: String,
    /// When it asked, unix seconds.
    pub asked_at_unix_secs: i64,
    /// Until when it can be approved, unix seconds.
    pub expires_at_unix_secs: i64,
    /// How far it is.
    pub status: DeviceCodeStatus,
}

/// Yes or no to a device that asks to join.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalRequest {
    /// Whether the device may join, and belong to the caller's wallet.
    pub approve: bool,
}

/// Letters of a user code: no vowels, so that no words arise, and none that is easily taken for another (RFC 8628, section 6.1).
pub const USER_CODE_LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters in a user code: 20^8, or 34 bits.
pub const USER_CODE_LEN: usize = 8;

/// What a person types to approve a device: eight letters, shown as `ABCD-EFGH`. Read in either case, with or without the dash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ToSchema)]
#[schema(value_type = String, pattern = "^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$", example = "WDJB-MJHT")]
pub struct UserCode([u8; USER_CODE_LEN]);

/// A text is no user code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a code of eight letters such as WDJB-MJHT")]
pub struct ParseUserCodeError;

impl UserCode {
    /// The code that these random numbers stand for; numbers of 240 and more are refused, because they would make some letters likelier.
    pub fn from_random(numbers: [u8; USER_CODE_LEN]) -> Option<Self> {
        let letters = USER_CODE_LETTERS.len();
        let fair = numbers.iter().all(|&number| usize::from(number) < 256 / letters * letters);
        fair.then(|| Self(numbers.map(|number| USER_CODE_LETTERS[usize::from(number) % letters])))
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, letter) in self.0.iter().enumerate() {
            let dash = if index == USER_CODE_LEN / 2 { "-" } else { "" };
            write!(f, "{dash}{}", char::from(*letter))?;
        }
        Ok(())
    }
}

impl FromStr for UserCode {
    type Err = ParseUserCodeError;

    fn from_str(text: &str) -> Result<Self, ParseUserCodeError> {
        let mut letters = [0; USER_CODE_LEN];
        let mut filled = 0;
        for byte in text.bytes().filter(|byte| *byte != b'-') {
            let letter = byte.to_ascii_uppercase();
            if filled == USER_CODE_LEN || !USER_CODE_LETTERS.contains(&letter) {
                return Err(ParseUserCodeError);
            }
            letters[filled] = letter;
            filled += 1;
        }
        let fits = filled == USER_CODE_LEN && text.len() <= USER_CODE_LEN + 1;
        if fits { Ok(Self(letters)) } else { Err(ParseUserCodeError) }
    }
}

impl Serialize for UserCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UserCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Why a hub does not admit a device whose key it has checked. The agent gets [`JoinRefusal::code`] in the refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Error)]
pub enum JoinRefusal {
    /// The network does not know the device, and it brought no join token.
    #[error("this network does not know the device: run `ionet agent join`")]
    TokenMissing,
    /// There is no such join token.
    #[error("there is no such join token")]
    TokenInvalid,
    /// As many devices as it admits have joined with it.
    #[error("the join token has admitted all the devices that it was made for")]
    TokenExhausted,
    /// The join token is too old.
    #[error("the join token is too old")]
    TokenExpired,
    /// The join token was revoked.
    #[error("the join token was revoked")]
    TokenRevoked,
    /// The device names another owner than the wallet that it belongs to.
    #[error("the device names another owner than the wallet that it joined for")]
    OwnerMismatch,
    /// The device's key is right and its credential is not the last one that it was given: somebody holds a copy of the key.
    #[error("the device's credential was used before: its key was copied, or its directory restored; its owner resets it")]
    CredentialReused,
    /// Too many new devices came from this network address, or for this owner.
    #[error("too many devices join at once: this one may try again later")]
    JoinRateLimited,
    /// The device connects far too often.
    #[error("the device connects too often: it may try again in a minute")]
    WriteRateExceeded,
}

impl JoinRefusal {
    /// Every refusal.
    pub const ALL: [Self; 9] = [
        Self::TokenMissing,
        Self::TokenInvalid,
        Self::TokenExhausted,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::OwnerMismatch,
        Self::CredentialReused,
        Self::JoinRateLimited,
        Self::WriteRateExceeded,
    ];

    /// Stable code for the `code` field of a refusal.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TokenMissing => "join_token_missing",
            Self::TokenInvalid => "join_token_invalid",
            Self::TokenExhausted => "join_token_exhausted",
            Self::TokenExpired => "join_token_expired",
            Self::TokenRevoked => "join_token_revoked",
            Self::OwnerMismatch => "owner_mismatch",
            Self::CredentialReused => "credential_reused",
            Self::JoinRateLimited => "join_rate_limited",
            Self::WriteRateExceeded => "write_rate_exceeded",
        }
    }

    /// Whether a person has to do something before the device can be admitted: trying again soon is of no use.
    pub const fn is_lasting(self) -> bool {
        !matches!(self, Self::JoinRateLimited | Self::WriteRateExceeded)
    }

    /// The refusal with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_user_code_is_read_as_people_type_it() {
        let code: UserCode = "WDJB-MJHT".parse().expect("a code");
        for text in ["wdjbmjht", "WDJBMJHT", "wdjb-mjht", "WDJ-BMJHT"] {
            assert_eq!(text.parse(), Ok(code), "{text}");
        }
        assert_eq!(code.to_string(), "WDJB-MJHT");
        for text in ["", "-", "WDJB-MJH", "WDJB-MJHTX", "WDJB--MJHT", "ADJB-MJHT", "WDJB MJHT", "WDJB-MJH\u{422}", "1DJB-MJHT"] {
            assert_eq!(text.parse::<UserCode>(), Err(ParseUserCodeError), "{text}");
        }
    }

    #[test]
    fn refusals_are_told_apart_by_their_codes() {
        for refusal in JoinRefusal::ALL {
            assert_eq!(JoinRefusal::from_code(refusal.code()), Some(refusal));
        }
        assert_eq!(JoinRefusal::from_code("hub_unavailable"), None);
    }

    proptest! {
        #[test]
        fn every_code_reads_back_and_no_letter_is_likelier(numbers: [u8; USER_CODE_LEN]) {
            match UserCode::from_random(numbers) {
                Some(code) => prop_assert_eq!(code.to_string().parse(), Ok(code)),
                None => prop_assert!(numbers.iter().any(|number| *number >= 240)),
            }
        }

        #[test]
        fn any_text_is_a_code_or_none(text in ".{0,20}") {
            if let Ok(code) = text.parse::<UserCode>() {
                prop_assert_eq!(code.to_string().replace('-', ""), text.to_uppercase().replace('-', ""));
            }
        }
    }
}
