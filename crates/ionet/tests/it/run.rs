//! `ionet run`, the whole way: a network of its own, a real Ray job on two nodes, the receipt.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::{Home, both, pi, ray_is_here};

#[test]
fn one_command_books_pays_runs_and_settles_in_both_currencies() {
    if !ray_is_here() {
        return;
    }
    let home = Home::new();
    for currency in ["usdc", "io"] {
        let output = home.run(&["run", &pi(), "--nodes", "2", "--currency", currency, "--json"]);
        assert!(output.status.success(), "{}", both(&output));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        check_report(&report, &currency.to_uppercase());
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("node 0") && stderr.contains("node 1") && stderr.contains("pi ~ 3.1"), "{stderr}");
        println!("{currency}: {}", report["timings_millis"]);
        assert_nothing_left(home.path());
    }
}

#[test]
fn a_job_that_fails_is_settled_all_the_same() {
    if !ray_is_here() {
        return;
    }
    let home = Home::new();
    let script = home.path().join("fails.py");
    std::fs::write(&script, "import sys\nprint('before the end', *sys.argv[1:], flush=True)\nsys.exit(7)\n").unwrap();
    let output = home.run(&["run", script.to_str().unwrap(), "--nodes", "1", "--", "two words"]);
    assert_eq!(output.status.code(), Some(3), "{}", both(&output));
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(stdout.contains("before the end two words"), "{}", both(&output));
    let last = stdout.trim_end().lines().last().unwrap();
    assert!(last.starts_with("balance: paid ") && last.ends_with("  ok"), "{last}");
    assert_nothing_left(home.path());
}

#[test]
fn ctrl_c_ends_the_cluster_and_settles_it() {
    if !ray_is_here() {
        return;
    }
    let home = Home::new();
    let script = home.path().join("sleeps.py");
    std::fs::write(&script, "import time\nprint('asleep', flush=True)\ntime.sleep(3600)\n").unwrap();
    let child = home
        .command(&["run", script.to_str().unwrap(), "--nodes", "1", "--minutes", "180", "--json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let output = interrupt_when_it_says(child, "asleep");
    assert_eq!(output.status.code(), Some(130), "{}", both(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["balance"]["ok"], true);
    assert_eq!(report["cluster"]["end_reason"], "customer_ended");
    // All but the first hour of three comes back.
    assert_eq!(report["balance"]["refunded"]["base_units"], "226896");
    assert_nothing_left(home.path());
}

fn interrupt_when_it_says(mut child: std::process::Child, word: &str) -> Output {
    use std::io::{BufRead, BufReader, Read};

    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(word) {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "it ended before it said {word}: {said}");
    }
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.id().try_into().unwrap()), nix::sys::signal::Signal::SIGINT).unwrap();
    let rest = std::thread::spawn(move || {
        let mut rest = Vec::new();
        stderr.read_to_end(&mut rest).unwrap();
        rest
    });
    let mut output = child.wait_with_output().unwrap();
    output.stderr = rest.join().unwrap();
    output
}

fn check_report(report: &Value, currency: &str) {
    assert_eq!(report["job"]["status"], "SUCCEEDED", "{report:#}");
    assert_eq!(report["balance"]["ok"], true, "{report:#}");
    assert_eq!(report["cluster"]["settled"], true);
    let kinds: Vec<&str> = report["records"].as_array().unwrap().iter().map(|record| record["kind"].as_str().unwrap()).collect();
    // An hour is sold whole, so ending within it refunds nothing; only dollars are repurchased.
    let expected: &[&str] = match currency {
        "USDC" => &["book_product", "pay", "pay", "start", "worked", "repurchase", "earn"],
        _ => &["book_product", "pay", "pay", "start", "worked", "earn"],
    };
    let without_refund: Vec<&str> = kinds.iter().copied().filter(|kind| *kind != "refund").collect();
    assert_eq!(without_refund, expected, "{report:#}");
    for record in report["records"].as_array().unwrap() {
        assert!(record["signature"].as_str().is_some_and(|signature| signature.len() > 60), "{record}");
    }
    let amount = |part: &str| -> u64 {
        assert_eq!(report["balance"][part]["currency"], currency);
        report["balance"][part]["base_units"].as_str().unwrap().parse().unwrap()
    };
    assert_eq!(amount("paid"), amount("worked") + amount("refunded") + amount("fees"));
    assert!(amount("paid") > 0 && amount("worked") > 0 && amount("escrow") == 0);
    if currency == "USDC" {
        // 2 devices x 1 h x 0.115 USDC, 2 % and 0.25 % of it.
        assert_eq!((amount("paid"), amount("worked")), (235_175, 230_000));
    }
}

/// No process of this home's agents is left.
fn assert_nothing_left(home: &Path) {
    let home = home.canonicalize().unwrap().display().to_string();
    let left: Vec<String> = std::fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| {
            std::fs::read(entry.ok()?.path().join("environ")).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        })
        .filter(|environment| environment.contains(&home) && environment.contains("RAY_"))
        .collect();
    assert!(left.is_empty(), "{} processes are left", left.len());
}
