//! Admits a verifier, or empties its place.

mod accounts;
mod process;

pub(crate) use process::process;
