//! Takes a co-stake out.

mod accounts;
mod process;

pub(crate) use process::process;
