//! Tests of the program's bytes, in a bare LiteSVM.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation, reason = "a test that unwraps an error has found what it looks for")]

mod cu;
mod differential;
mod model;
mod random;
mod sealevel;
mod smoke;
mod table;
mod world;
