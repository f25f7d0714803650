//! Why a request is refused before any device is looked at: which field, what is wrong with it, and what it could be.

use std::fmt;

/// Values that are named at most.
const MAX_NAMED: usize = 12;

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The number is too small or too large.
    OutOfRange,
    /// No such name.
    Unknown,
    /// It contradicts another field.
    Contradiction,
    /// It has no meaning for the hardware that was asked for.
    Inapplicable,
    /// The list is too long.
    TooMany,
}

impl Problem {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OutOfRange => "out_of_range",
            Self::Unknown => "unknown",
            Self::Contradiction => "contradiction",
            Self::Inapplicable => "inapplicable",
            Self::TooMany => "too_many",
        }
    }
}

/// A request that no market could serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The field's name on the wire.
    pub field: &'static str,
    /// What is wrong.
    pub problem: Problem,
    /// The same in words.
    pub detail: String,
    /// What would be right: a range, or names, those most like what was given first.
    pub allowed: Vec<String>,
}

impl Refusal {
    /// A refusal that names what would be right.
    pub(crate) fn new(field: &'static str, problem: Problem, detail: impl Into<String>, allowed: Vec<String>) -> Self {
        Self { field, problem, detail: detail.into(), allowed }
    }

    /// A number that is not from `least` to `most`.
    pub(crate) fn range(field: &'static str, given: impl fmt::Display, least: impl fmt::Display, most: impl fmt::Display) -> Self {
        Self::new(field, Problem::OutOfRange, format!("{given} is not from {least} to {most}"), vec![format!("{least} to {most}")])
    }

    /// A name that is not among the known ones.
    pub(crate) fn unknown<'a>(field: &'static str, given: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let mut near: Vec<(usize, &str)> = known.into_iter().map(|name| (strsim::levenshtein(given, name), name)).collect();
        near.sort_unstable();
        near.truncate(MAX_NAMED);
        let allowed = near.into_iter().map(|(_, name)| name.to_owned()).collect();
        Self::new(field, Problem::Unknown, format!("{given} is not known here"), allowed)
    }
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.detail)?;
        if self.allowed.is_empty() { Ok(()) } else { write!(f, " (allowed: {})", self.allowed.join(", ")) }
    }
}
