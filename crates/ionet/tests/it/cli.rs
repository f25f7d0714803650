//! Help, reference and errors, as they are printed.

use std::path::Path;

use crate::support::{Home, both, pi};

#[test]
fn help_reads_well() {
    let home = Home::new();
    insta::assert_snapshot!("help", home.shown(&["--help"]));
    insta::assert_snapshot!("help_run", home.shown(&["run", "--help"]));
    insta::assert_snapshot!("help_clusters", home.shown(&["clusters", "--help"]));
}

/// docs/CLI.md is made from the command line itself; IONET_UPDATE_DOCS=1 writes it anew.
#[test]
fn the_reference_is_current() {
    let path =
        Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder to its tests")).join("../../docs/CLI.md");
    let current = ionet::cli::reference();
    if std::env::var_os("IONET_UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &current).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == current, "docs/CLI.md has drifted: run the tests once with IONET_UPDATE_DOCS=1");
}

#[test]
fn errors_say_what_why_and_what_to_do() {
    let home = Home::new();
    insta::assert_snapshot!("no_network", home.shown(&["clusters", "list"]));
    insta::assert_snapshot!("no_wallet", home.shown(&["wallet", "show"]));
    insta::assert_snapshot!("no_script", home.shown(&["run", "missing.py"]));
    insta::assert_snapshot!("bad_url", home.shown(&["tne", "--url", "localhost"]));
    insta::assert_snapshot!("bad_currency", home.shown(&["quote", "--currency", "doge"]));
    let huge = home.run(&["run", &pi(), "--nodes", "100000"]);
    assert_eq!(huge.status.code(), Some(5), "{}", both(&huge));
    assert!(both(&huge).contains("100000 nodes do not fit into this machine"), "{}", both(&huge));
    let bare = home.command(&["run", &pi()]).env("PATH", "/nonexistent").output().unwrap();
    assert_eq!(bare.status.code(), Some(1), "{}", both(&bare));
    assert!(both(&bare).contains("there is no `python3`"), "{}", both(&bare));
    // Nobody listens on this port.
    let gone = home.run(&["tne", "--url", "http://127.0.0.1:9"]);
    assert_eq!(gone.status.code(), Some(6));
    assert!(String::from_utf8(gone.stderr).unwrap().contains("does not answer"));
}

#[test]
fn a_wallet_is_made_shown_and_kept() {
    let home = Home::new();
    let made = home.json(&["wallet", "new"]);
    assert_eq!(home.json(&["wallet", "show"]), made);
    let again = home.run(&["wallet", "new"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(home.json(&["wallet", "show"]), made);
}
