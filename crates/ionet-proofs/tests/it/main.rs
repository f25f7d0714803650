//! Whole examinations: honest devices pass, lying ones are caught, and the evidence shows it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;
mod honest;
