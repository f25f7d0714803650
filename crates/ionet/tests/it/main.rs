//! The command as its user meets it: the built binary, real networks, real Ray.

mod cli;
mod kills;
mod run;
mod support;
mod up;
