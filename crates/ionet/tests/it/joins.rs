//! From a bare machine to a device of one's own: by token, by code; the doctor; and the log of it all.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Home, Network, both};

#[test]
fn a_machine_joins_by_token_and_by_code_and_the_log_tells_of_it() {
    let home = Home::new();
    let mut network = Network::spawn(&home, &["--agents", "1", "--cpus-per-node", "1"]);
    let told = network.announcement();
    let url = told["url"].as_str().unwrap();
    let dir = |name: &str| home.path().join(name).display().to_string();
    let (first, second) = (dir("first"), dir("second"));

    // Without a token there is no way in.
    let stranger =
        home.run(&["agent", "join", "--hub", url, "--agent-dir", &first, "--no-service", "--force", "--token", "ionet_join_none"]);
    assert_eq!(stranger.status.code(), Some(5), "{}", both(&stranger));
    assert!(both(&stranger).contains("code: join_token_invalid"), "{}", both(&stranger));

    let made = home.json(&["joins", "create", "rack", "--devices", "1"]);
    let token = made["secret"].as_str().unwrap();
    let join = ["agent", "join", "--hub", url, "--agent-dir", &first, "--no-service", "--force", "--label", "first", "--token", token];
    let joined = home.json(&join);
    assert!(joined["service"]["missing"]["command"].as_str().unwrap().contains(" agent run "), "{joined}");
    assert!(
        joined["findings"].as_array().unwrap().iter().any(|finding| finding["check"] == "hub" && finding["severity"] == "ok"),
        "{joined}"
    );
    let again = home.json(&["agent", "join", "--hub", url, "--agent-dir", &first, "--no-service", "--force"]);
    assert_eq!(again["device"], joined["device"], "who has joined needs no token");

    // By code, approved from the wallet.
    let mut command = home.command(&["agent", "join", "--hub", url, "--agent-dir", &second, "--no-service", "--force", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let code = lines
        .by_ref()
        .map(Result::unwrap)
        .find_map(|line| line.split_once("joins approve ").map(|(_, rest)| rest[..9].to_owned()))
        .unwrap();
    // Kept open, so that what it says does not break.
    let rest = std::thread::spawn(move || lines.map_while(Result::ok).collect::<Vec<_>>().join("\n"));
    assert_eq!(home.json(&["joins", "show", &code])["status"], "pending");
    assert_eq!(home.json(&["joins", "approve", &code])["status"], "approved");
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{} {}", both(&output), rest.join().unwrap());
    let by_code: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(by_code["wallet"], told["wallet"]);

    let mine = home.json(&["devices", "list", "--mine"]);
    assert_eq!(mine["items"].as_array().unwrap().len(), 3, "{mine}");
    let doctor = home.run(&["agent", "doctor", "--agent-dir", &first, "--json"]);
    let report: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    assert_eq!((&report["device"]["id"], &report["device"]["label"]), (&joined["device"], &"first".into()), "{report}");
    assert!(report["readiness"]["checks"].is_array());
    let sick = home.run(&["agent", "doctor", "--agent-dir", &dir("third"), "--hub", "http://127.0.0.1:9"]);
    assert_eq!(sick.status.code(), Some(1), "{}", both(&sick));
    assert!(both(&sick).contains("it cannot be reached"), "{}", both(&sick));

    // The log, over the network and from the hub's own file.
    let head = home.json(&["audit", "head"]);
    let kept = format!("{}:{}", head["sequence"], head["hash"].as_str().unwrap());
    let whole = home.json(&["audit", "verify", "--head", &kept]);
    assert!(whole["whole"] == true && whole["entries_compared"].as_u64().unwrap() >= 4, "{whole}");
    let file = home.path().join("network/store/hub.sqlite").display().to_string();
    assert_eq!(home.json(&["audit", "verify", "--file", &file, "--head", &kept])["whole"], true);
    let other = format!("{}:{}", head["sequence"], "00".repeat(32));
    let broken = home.run(&["audit", "verify", "--file", &file, "--head", &other]);
    assert_eq!(broken.status.code(), Some(1), "{}", both(&broken));
    for args in [&["audit", "list"][..], &["joins", "list"]] {
        let output = home.run(args);
        assert!(output.status.success() && !output.stdout.is_empty(), "{args:?}: {}", both(&output));
    }
    let id = made["token"]["id"].as_str().unwrap();
    home.json(&["joins", "revoke", id]);
    assert!(network.interrupt().success());
}
