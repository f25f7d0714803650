//! The council decides a case.

mod accounts;
mod process;

pub(crate) use process::process;
