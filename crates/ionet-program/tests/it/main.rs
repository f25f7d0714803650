//! Tests of the program's bytes, in a bare LiteSVM.
#![allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test that unwraps an error has found what it looks for; random words are cut to size on purpose"
)]
#![allow(
    clippy::large_types_passed_by_value,
    clippy::result_large_err,
    reason = "addresses and transaction results are passed around as they come"
)]

mod cu;
mod differential;
mod differential_supply;
mod examples;
mod model;
mod model_supply;
mod oracle;
mod random;
mod sealevel;
mod smoke;
mod supply;
mod table;
mod world;
