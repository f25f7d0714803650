//! What happens to a device, what changes by it, and why it may be refused.

use std::fmt;
use std::str::FromStr;

use ionet_types::Sha256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use super::BlockReason;

/// Something that happens to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It proved its key on a connection.
    Connected {
        /// Fingerprint of the hardware that it described and signed.
        hardware: Sha256,
    },
    /// A sign of life on its connection. Worth telling only after the hub was away and the connection held.
    Alive,
    /// Its connection is over, or silent for too long, or it has not come back to a hub that waited for it.
    Disconnected,
    /// A test was answered rightly and in time.
    TestPassed {
        /// Number of the test, growing for each device; a number that was told before tells nothing again.
        test: u64,
        /// Fingerprint of the hardware that was tested.
        hardware: Sha256,
    },
    /// A test was answered wrongly, late, or not at all.
    TestFailed {
        /// Number of the test, as above.
        test: u64,
        /// The verifier's reason.
        code: TestCode,
    },
    /// The operator vouches for the hardware that is there: it counts as verified without a test. For devices that are the operator's own.
    Vouched {
        /// Fingerprint of the hardware.
        hardware: Sha256,
    },
    /// A tenant has it.
    Hired,
    /// Its tenant is gone.
    Released,
    /// Its owner takes it out of the market; a tenant who is there may finish.
    Paused,
    /// Its owner brings it back.
    Resumed,
    /// The network takes it out of the market.
    Blocked {
        /// Why.
        reason: BlockReason,
    },
    /// The operator takes a block back.
    Unblocked {
        /// Which.
        reason: BlockReason,
    },
    /// It is given up, for good.
    Terminated,
}

/// What an event has changed: a line of the device's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// It is connected now.
    Connected,
    /// It is not connected any more.
    Disconnected,
    /// It came with other hardware than the last time.
    HardwareSeen {
        /// The fingerprint now.
        hardware: Sha256,
    },
    /// It is verified now and was not before.
    Verified,
    /// One more test in a row failed.
    TestFailed {
        /// How many in a row.
        failures: u8,
        /// The verifier's reason.
        code: TestCode,
    },
    /// A tenant has it now.
    Hired,
    /// Its tenant is gone.
    Released,
    /// It is paused now.
    Paused,
    /// It is not paused any more.
    Resumed,
    /// A reason to block it has come.
    Blocked {
        /// Which.
        reason: BlockReason,
    },
    /// A reason to block it has gone.
    Unblocked {
        /// Which.
        reason: BlockReason,
    },
    /// It is given up.
    Terminated,
}

/// Why an event cannot happen to this device. Nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// It was given up, for good.
    #[error("the device was given up")]
    Terminated,
    /// A tenant has it and must not be disturbed.
    #[error("a tenant has the device")]
    Hired,
    /// It is blocked.
    #[error("the device is blocked: {}", .0.code())]
    Blocked(BlockReason),
    /// Its owner has paused it.
    #[error("the device's owner has paused it")]
    Paused,
    /// It has not passed its last test.
    #[error("the device has not passed its last test")]
    NotVerified,
    /// It is not connected.
    #[error("the device is not connected")]
    NotConnected,
    /// The test was of other hardware than the device has now.
    #[error("the test was of other hardware than the device has now")]
    OtherHardware,
    /// Only passed tests lift this block.
    #[error("only passed tests lift this block")]
    NeedsTests,
}

impl Refused {
    /// Stable code in snake_case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Terminated => "device_terminated",
            Self::Hired => "device_hired",
            Self::Blocked(_) => "device_blocked",
            Self::Paused => "device_paused",
            Self::NotVerified => "device_not_verified",
            Self::NotConnected => "device_not_connected",
            Self::OtherHardware => "test_of_other_hardware",
            Self::NeedsTests => "block_needs_tests",
        }
    }
}

/// A verifier's reason: a short word of small letters, digits and `_`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TestCode {
    length: u8,
    bytes: [u8; Self::MAX_BYTES],
}

/// A text is no [`TestCode`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a test's code is 1 to {} small letters, digits and _", TestCode::MAX_BYTES)]
pub struct NoTestCode;

impl TestCode {
    /// Longest code, bytes.
    pub const MAX_BYTES: usize = 31;

    /// The code as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.length)]).expect("only ASCII was let in")
    }
}

impl FromStr for TestCode {
    type Err = NoTestCode;

    fn from_str(text: &str) -> Result<Self, NoTestCode> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let mut bytes = [0; Self::MAX_BYTES];
        match bytes.get_mut(..text.len()) {
            Some(place) if !text.is_empty() && text.bytes().all(fits) => place.copy_from_slice(text.as_bytes()),
            _ => return Err(NoTestCode),
        }
        Ok(Self { length: u8::try_from(text.len()).map_err(|_| NoTestCode)?, bytes })
    }
}

impl fmt::Display for TestCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for TestCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl Serialize for TestCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for TestCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
