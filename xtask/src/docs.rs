//! `cargo xtask docs`: writes the generated files anew. The tests compare them with the code, so they cannot drift.

use crate::shell::{cargo, run};

/// Crates whose tests hold a generated file against the code, and part of those tests' names. Asked to, they write instead of comparing.
const DRIFT_TESTS: [(&str, &str); 3] = [("ionet-api", "drift"), ("ionet-program", "drift"), ("ionet", "the_reference_is_current")];

pub(crate) fn regenerate() -> anyhow::Result<()> {
    for (package, test) in DRIFT_TESTS {
        run(cargo().env("IONET_UPDATE_DOCS", "1").args(["test", "--release", "--quiet", "-p", package, test]))?;
    }
    Ok(())
}
