//! Expires an unpaid booking; what was paid goes back.

mod accounts;
mod process;

pub(crate) use process::process;
