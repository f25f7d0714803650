//! `cargo xtask docs`: writes the generated files anew. The tests compare them with the code, so they cannot drift.

use crate::shell::{cargo, run};

/// Crates whose tests hold a generated file against the code.
const WITH_GENERATED_FILES: [&str; 3] = ["ionet-api", "ionet-program", "ionet"];

pub(crate) fn regenerate() -> anyhow::Result<()> {
    for package in WITH_GENERATED_FILES {
        // Each drift test writes its file instead of comparing it when asked to.
        run(cargo().env("IONET_UPDATE_DOCS", "1").args(["test", "--release", "--quiet", "-p", package, "drift"]))?;
    }
    Ok(())
}
