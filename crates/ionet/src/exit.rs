//! How commands end: exit codes, and errors that say what is wrong, why, and what to do.

use std::fmt;
use std::process::ExitCode;

/// What an exit code of `ionet` means. Stable: scripts rely on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Something failed; the message says what, why and what to do.
    Error = 1,
    /// The command line was not understood. Also what `clap` exits with.
    Usage = 2,
    /// Everything worked, but the job itself failed.
    JobFailed = 3,
    /// The money of the cluster does not balance, or did not settle in time. Never expected.
    BalanceWrong = 4,
    /// The network refused what was asked (a 4xx answer); the message has its code.
    Refused = 5,
    /// No network answers where one was expected.
    Unreachable = 6,
    /// Stopped with Ctrl-C; the cluster was ended and settled.
    Interrupted = 130,
}

impl Exit {
    /// Every code with its meaning, for help and documentation.
    pub const ALL: [(Self, &'static str); 8] = [
        (Self::Ok, "done"),
        (Self::Error, "failed; the message says what, why and what to do"),
        (Self::Usage, "the command line was not understood"),
        (Self::JobFailed, "the job failed (the cluster was settled all the same)"),
        (Self::BalanceWrong, "the cluster's money does not balance or did not settle in time"),
        (Self::Refused, "the network refused; the message has its code"),
        (Self::Unreachable, "no network answers"),
        (Self::Interrupted, "stopped with Ctrl-C; the cluster was ended and settled"),
    ];
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error on its way to a person: what went wrong, and what to do about it.
///
/// Put it at the head of an `anyhow` chain; its causes are printed below it.
#[derive(Debug)]
pub struct Failure {
    /// What is wrong, as one sentence without a full stop.
    pub what: String,
    /// What to do, if there is something to do.
    pub hint: Option<String>,
    /// Stable code of the network's answer, when it was the network that refused.
    pub code: Option<String>,
    /// What the process exits with.
    pub exit: Exit,
}

impl Failure {
    /// A plain failure.
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), hint: None, code: None, exit: Exit::Error }
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the exit code.
    #[must_use]
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// Sets the network's stable code.
    #[must_use]
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

/// Finds the first [`Failure`] in a chain of errors.
pub fn failure(error: &anyhow::Error) -> Option<&Failure> {
    error.chain().find_map(|cause| cause.downcast_ref::<Failure>()).or_else(|| error.downcast_ref::<Failure>())
}

/// What the process exits with for this error.
pub fn exit_of(error: &anyhow::Error) -> Exit {
    failure(error).map_or(Exit::Error, |failure| failure.exit)
}

/// The error as a person reads it: what, then why (each cause once), then what to do.
pub fn render(error: &anyhow::Error) -> String {
    let mut lines = vec![format!("error: {error}")];
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let why = cause.to_string();
        if !said.contains(&why) {
            lines.push(format!("  because: {why}"));
            said.push_str(&why);
        }
    }
    if let Some(failure) = failure(error) {
        if let Some(code) = &failure.code {
            lines.push(format!("  code: {code}"));
        }
        if let Some(hint) = &failure.hint {
            lines.push(format!("  hint: {hint}"));
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use anyhow::Context;

    use super::*;

    #[test]
    fn an_error_says_what_why_and_what_to_do() {
        let error = Err::<(), _>(std::io::Error::other("No such file"))
            .context(Failure::new("cannot read the wallet").hint("make one with `ionet wallet new`").exit(Exit::Usage))
            .unwrap_err();
        assert_eq!(render(&error), "error: cannot read the wallet\n  because: No such file\n  hint: make one with `ionet wallet new`");
        assert_eq!(exit_of(&error), Exit::Usage);
        assert_eq!(exit_of(&anyhow::anyhow!("plain")), Exit::Error);
    }

    #[test]
    fn a_failure_below_a_context_is_found() {
        let error = anyhow::Error::new(Failure::new("no such cluster").code("cluster_not_found").exit(Exit::Refused)).context("ending it");
        assert_eq!(exit_of(&error), Exit::Refused);
        assert_eq!(render(&error), "error: ending it\n  because: no such cluster\n  code: cluster_not_found");
    }
}
