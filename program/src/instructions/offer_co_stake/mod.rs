//! Offers a co-stake, or takes the offer back.

mod accounts;
mod process;

pub(crate) use process::process;
