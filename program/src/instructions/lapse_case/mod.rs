//! Carries out what time decided of a case.

mod accounts;
mod process;

pub(crate) use process::process;
