//! The command as its user meets it: the built binary, real networks, real Ray.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod cli;
mod joins;
mod kills;
mod run;
mod scale;
mod stakes;
mod support;
mod up;
