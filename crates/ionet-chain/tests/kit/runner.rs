//! Runs `main.mjs` for the tests of this crate and of those above it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Installs the committed package set beside the build, once per lock file. Returns its folder, nothing where node is not installed.
pub(crate) fn install() -> Option<PathBuf> {
    for tool in ["node", "npm"] {
        if Command::new(tool).arg("--version").output().is_err() {
            println!("skipped: {tool} is not installed");
            return None;
        }
    }
    let source = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder to its tests"))
        .join("../ionet-chain/tests/kit");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ionet-chain-kit");
    fs::create_dir_all(&target).unwrap();
    // Tests of several processes share the folder.
    let only_me = File::create(target.join("install.lock")).unwrap();
    only_me.lock().unwrap();
    for file in ["package.json", "package-lock.json", "main.mjs"] {
        let wanted = fs::read(source.join(file)).unwrap();
        if fs::read(target.join(file)).ok().as_ref() != Some(&wanted) {
            fs::write(target.join(file), wanted).unwrap();
        }
    }
    let lock = fs::read(source.join("package-lock.json")).unwrap();
    let installed = target.join("installed-lock.json");
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        let output = Command::new("npm").args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&target).output().unwrap();
        assert!(output.status.success(), "npm ci: {}", String::from_utf8_lossy(&output.stderr));
        fs::write(installed, lock).unwrap();
    }
    Some(target)
}

/// What `main.mjs` prints when called with `args`.
pub(crate) async fn node(folder: &Path, args: &[&str]) -> Value {
    let output = tokio::process::Command::new("node").arg("main.mjs").args(args).current_dir(folder).output().await.unwrap();
    assert!(output.status.success(), "node main.mjs {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
