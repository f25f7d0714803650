//! The on-chain program as it is deployed: the committed artefact of `program/`, and its checksum.
//!
//! The program is compiled by `cargo xtask program build` for another machine and in a workspace of its own; every host (local chain,
//! deployment, tests) takes the same bytes from here. `cargo xtask program verify` rebuilds them and compares.

/// The program's ELF image, SBF v0.
pub const ELF: &[u8] = include_bytes!("../../../program/artifact/ionet.so");

/// SHA-256 of [`ELF`], lower-case hexadecimal.
pub const SHA256: &str = include_str!("../../../program/artifact/ionet.so.sha256").trim_ascii();

/// The rules probe's ELF image, SBF v0: every rule of `ionet-rules` callable alone, for tests only, never deployed.
pub const RULES_PROBE_ELF: &[u8] = include_bytes!("../../../program/artifact/rules_probe.so");
