//! Books a cluster: customer and quote authority sign the same offer.

mod accounts;
mod process;

pub(crate) use process::process;
