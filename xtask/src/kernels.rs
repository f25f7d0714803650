//! `cargo xtask kernels`: compiles the kernels that cards run. The crate's own test does it, because it compares them at every other time.

use crate::shell::{self, cargo};

pub(crate) fn run() -> anyhow::Result<()> {
    let mut command = cargo();
    command.args(["test", "--release", "--quiet", "-p", "ionet-cuda", "the_committed_kernels"]);
    shell::run(command.env("IONET_WRITE_KERNELS", "1"))
}
