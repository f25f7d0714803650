//! How an agent's connection to its hub is, for whoever shows it to a person.

/// How the connection is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Link {
    /// It is being opened for the first time.
    #[default]
    Connecting,
    /// The hub has welcomed the device.
    Connected {
        /// Whether the secret that the device presents the next time is on disk.
        has_credential: bool,
    },
    /// The hub does not let the device in.
    Refused {
        /// Stable reason.
        code: String,
        /// The reason for a person.
        message: String,
    },
    /// It failed, and is tried again.
    Broken {
        /// Why.
        reason: String,
    },
}
