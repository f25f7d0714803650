//! Extends the hired time, paid at once.

mod accounts;
mod process;

pub(crate) use process::process;
