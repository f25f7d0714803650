//! Why an agent cannot start or had to give up. Everything that time or the hub can mend is retried and is no error.

use std::path::PathBuf;

use thiserror::Error;

/// Why [`crate::run`] ended.
#[derive(Debug, Error)]
pub enum AgentError {
    /// Another agent uses the directory.
    #[error("another agent runs in {}", dir.display())]
    DirInUse {
        /// The agent's directory.
        dir: PathBuf,
    },
    /// A file of the agent cannot be read or written.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried, such as `cannot read`.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file of the agent holds something else than it should.
    #[error("{} is damaged: {reason}", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The hub's URL cannot be used.
    #[error("the hub's URL {url:?} cannot be used: {reason}")]
    InvalidHubUrl {
        /// The URL.
        url: String,
        /// Why not.
        reason: String,
    },
    /// An option is out of its bounds.
    #[error("{option} cannot be {value}: {reason}")]
    InvalidOption {
        /// Which option.
        option: &'static str,
        /// What it was set to.
        value: String,
        /// Why not.
        reason: String,
    },
}

impl AgentError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::DirInUse { .. } => "agent_dir_in_use",
            Self::File { .. } => "agent_file_unusable",
            Self::Damaged { .. } => "agent_file_damaged",
            Self::InvalidHubUrl { .. } => "hub_url_invalid",
            Self::InvalidOption { .. } => "agent_option_invalid",
        }
    }

    pub(crate) fn file(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { what, path, source }
    }
}

/// Why a node failed: what the hub is told.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{code}: {message}")]
pub struct NodeFailure {
    /// Stable reason in snake_case.
    pub code: &'static str,
    /// The reason for a person.
    pub message: String,
    /// Whether another attempt on this device may go better.
    pub retryable: bool,
}

impl NodeFailure {
    /// A failure that another attempt may get around.
    #[expect(clippy::needless_pass_by_value, reason = "errors and texts are passed alike")]
    pub fn retryable(code: &'static str, message: impl ToString) -> Self {
        Self { code, message: message.to_string(), retryable: true }
    }

    /// A failure that this device will repeat.
    #[expect(clippy::needless_pass_by_value, reason = "errors and texts are passed alike")]
    pub fn lasting(code: &'static str, message: impl ToString) -> Self {
        Self { code, message: message.to_string(), retryable: false }
    }
}
