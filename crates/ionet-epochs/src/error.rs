//! What can be wrong with inputs, with a file, or between a file and its replay.

use ionet_rules::RuleError;

use crate::base58;

/// What this crate's functions return.
pub type Result<T> = std::result::Result<T, Error>;

/// Why an epoch cannot be closed, a file not be read, or a replay not be the file.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A device's record cannot be one.
    #[error("device {}: {what}", base58(.key))]
    InvalidDevice {
        /// Its key.
        key: [u8; 32],
        /// What is wrong with it.
        what: &'static str,
    },
    /// Two records have one key, or they are not in order.
    #[error("device {} stands twice in the epoch, or not in the order of keys", base58(.0))]
    DuplicateDevice([u8; 32]),
    /// Two devices or co-stakes are paid to one account.
    #[error("beneficiary {} stands twice in the epoch", base58(.0))]
    DuplicateBeneficiary([u8; 32]),
    /// A model of processor cannot be one.
    #[error("model {name:?}: {what}")]
    InvalidModel {
        /// Its name.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// The epoch itself cannot be one.
    #[error("the epoch is impossible: {0}")]
    InvalidEpoch(&'static str),
    /// More than an epoch may hold.
    #[error("an epoch holds at most {most} {what}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// How many there may be.
        most: usize,
    },
    /// An amount cannot be counted.
    #[error("{}", .0.sentence())]
    Rule(RuleError),
    /// The file cannot be read.
    #[error("the epoch's file cannot be read: {0}")]
    Read(#[from] std::io::Error),
    /// The file is not one, or is damaged.
    #[error("this is not an intact epoch file: {0}")]
    Malformed(String),
    /// The file says something else than its inputs give.
    #[error("{place}: the file says {in_file}, the replay gives {replayed}")]
    Differs {
        /// Where: the first difference.
        place: String,
        /// What the file says.
        in_file: String,
        /// What the replay gives.
        replayed: String,
    },
}

impl From<RuleError> for Error {
    fn from(rule: RuleError) -> Self {
        Self::Rule(rule)
    }
}

impl Error {
    /// The stable machine-readable name, `snake_case`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidDevice { .. } => "invalid_device",
            Self::DuplicateDevice(_) => "duplicate_device",
            Self::DuplicateBeneficiary(_) => "duplicate_beneficiary",
            Self::InvalidModel { .. } => "invalid_model",
            Self::InvalidEpoch(_) => "invalid_epoch",
            Self::TooMany { .. } => "too_many",
            Self::Rule(rule) => rule.code(),
            Self::Read(_) => "unreadable",
            Self::Malformed(_) => "malformed_file",
            Self::Differs { .. } => "replay_differs",
        }
    }

    pub(crate) fn differs(place: impl Into<String>, in_file: &impl ToString, replayed: &impl ToString) -> Self {
        Self::Differs { place: place.into(), in_file: in_file.to_string(), replayed: replayed.to_string() }
    }
}
