//! The council strikes a root.

mod accounts;
mod process;

pub(crate) use process::process;
