//! Why a chain could not be opened, stepped or served.

use std::{io, path::PathBuf};

/// An error of the chain itself (a client's mistakes are [`RpcError`](crate::RpcError)s).
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The disk said no.
    #[error("{what} {path}: {source}", path = path.display())]
    Io {
        /// What was being done, as a verb phrase.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process, or another `Chain` in this one, has the directory open.
    #[error("the chain in {} is open already; stop the other process, or use another directory", .0.display())]
    Locked(PathBuf),
    /// A file does not hold what was written to it.
    #[error("{path} is damaged at byte {offset}: {what}. {advice}", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where in the file, in bytes from its start.
        offset: u64,
        /// What is wrong there.
        what: String,
        /// What the operator can do.
        advice: String,
    },
    /// A file that must be there is not.
    #[error("{path} is missing. {advice}", path = path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// What the operator can do.
        advice: String,
    },
    /// The directory was made with the other kind of clock.
    #[error("the chain in {dir} runs on {found} time and was opened for {asked} time", dir = dir.display())]
    ClockMismatch {
        /// The chain's directory.
        dir: PathBuf,
        /// What genesis says.
        found: &'static str,
        /// What the options say.
        asked: &'static str,
    },
    /// `advance_secs` on a chain that runs on real time, or past the end of time.
    #[error("the clock cannot be stepped: {0}")]
    Clock(&'static str),
    /// An ELF given in the options was refused by the loader.
    #[error("program {address} does not load: {reason}")]
    Program {
        /// The program's address.
        address: String,
        /// What the loader said.
        reason: String,
    },
    /// The chain was closed, or stopped itself because its journal could not be written.
    #[error("the chain has stopped: {0}")]
    Stopped(String),
}

impl ChainError {
    /// A stable name for programs to compare with.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Io { .. } => "chain_io",
            Self::Locked(_) => "chain_locked",
            Self::Damaged { .. } => "chain_damaged",
            Self::Missing { .. } => "chain_file_missing",
            Self::ClockMismatch { .. } => "chain_clock_mismatch",
            Self::Clock(_) => "chain_clock",
            Self::Program { .. } => "chain_program",
            Self::Stopped(_) => "chain_stopped",
        }
    }

    pub(crate) fn io(what: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { what, path, source }
    }
}
