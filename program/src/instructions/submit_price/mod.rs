//! Takes an oracle's price.

mod accounts;
mod process;

pub(crate) use process::process;
