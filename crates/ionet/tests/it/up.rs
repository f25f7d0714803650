//! `ionet up`, and the other commands from a second process.

use std::io::{Read as _, Write as _};

use crate::support::{Home, Network, both, pi, ray_is_here};

#[test]
fn the_other_commands_work_from_a_second_process() {
    let home = Home::new();
    let mut network = Network::spawn(&home, &["--agents", "2", "--prices", "list"]);
    let told = network.announcement();
    let url = told["url"].as_str().unwrap().to_owned();

    // The chain's websocket is where Solana's clients look for it.
    let rpc: std::net::SocketAddr = told["rpc_url"].as_str().unwrap().trim_start_matches("http://").parse().unwrap();
    let mut websocket = std::net::TcpStream::connect((rpc.ip(), rpc.port() + 1)).unwrap();
    let upgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    websocket.write_all(upgrade.as_bytes()).unwrap();
    let mut answer = [0; 12];
    websocket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");
    // Both ports of the pair must be free.
    let taken = home.path().join("taken");
    let port = (rpc.port() - 1).to_string();
    let second = home.run(&["up", "--dir", taken.to_str().unwrap(), "--rpc-port", &port]);
    assert_eq!(second.status.code(), Some(1), "{}", both(&second));
    assert!(both(&second).contains("choose another with --rpc-port"), "{}", both(&second));

    // A second network in the same place is refused and harms nothing.
    let second = home.run(&["up"]);
    assert_eq!(second.status.code(), Some(1), "{}", both(&second));
    assert!(String::from_utf8(second.stderr).unwrap().contains("another process"));

    assert_eq!(home.json(&["network"])["local"], true);
    assert_eq!(home.json(&["wallet", "show"])["address"], told["wallet"]);
    home.json(&["wallet", "fund"]);
    let before = home.json(&["wallet", "balance"]);
    let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while home.json(&["hardware"])["items"].as_array().unwrap().iter().all(|offer| offer["free_devices"] != 2) {
        assert!(std::time::Instant::now() < until, "the agents do not connect");
    }
    assert_eq!(home.json(&["devices", "list"])["items"].as_array().unwrap().len(), 2);
    let quote = home.json(&["quote", "--nodes", "2", "--minutes", "120"]);
    assert_eq!(quote["total"]["base_units"], "466118");

    let cluster = home.json(&["clusters", "book", "--nodes", "2", "--minutes", "120", "--name", "second process"]);
    let id = cluster["id"].as_str().unwrap();
    assert_eq!(cluster["status"], "booked");
    let partly = home.json(&["clusters", "pay", id, "--amount", "0.1"]);
    assert_eq!((&partly["status"], &partly["paid"]["base_units"]), (&"partially_paid".into(), &"100000".into()));

    // What the network refuses arrives with its code and moves nothing.
    let too_much = home.run(&["clusters", "pay", id, "--amount", "1000"]);
    assert_eq!(too_much.status.code(), Some(5), "{}", both(&too_much));
    assert!(String::from_utf8(too_much.stderr).unwrap().contains("code: overpayment"));
    let typo = home.run(&["clusters", "pay", id, "--amount", "0.1234567"]);
    assert_eq!(typo.status.code(), Some(2), "{}", both(&typo));
    let unknown = home.run(&["clusters", "show", "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21"]);
    assert_eq!(unknown.status.code(), Some(5));
    assert!(String::from_utf8(unknown.stderr).unwrap().contains("code: cluster_not_found"));
    assert_eq!(home.json(&["clusters", "show", id])["paid"]["base_units"], "100000");

    // Another wallet does not see it; an API key of this one does.
    let other = home.path().join("other.json");
    let other = other.to_str().unwrap();
    home.json(&["wallet", "new", "--wallet", other]);
    let foreign = home.run(&["clusters", "show", id, "--wallet", other]);
    assert_eq!(foreign.status.code(), Some(5), "{}", both(&foreign));
    let key = home.json(&["keys", "create", "test"]);
    let with_key =
        home.command(&["clusters", "show", id, "--json"]).env("IONET_API_KEY", key["secret"].as_str().unwrap()).output().unwrap();
    assert!(with_key.status.success(), "{}", both(&with_key));
    home.json(&["keys", "revoke", key["key"]["id"].as_str().unwrap()]);
    assert_eq!(home.json(&["keys", "list"])["items"], serde_json::json!([]));

    let receipt = home.json(&["clusters", "receipt", id]);
    assert_eq!(receipt["balance"]["ok"], true);
    assert_eq!(home.json(&["payments", "list"])["items"].as_array().unwrap().len(), 1);
    let records = home.json(&["transactions", "list", "--cluster", id]);
    let signature = records["items"][0]["signature"].as_str().unwrap();
    assert_eq!(home.json(&["transactions", "show", signature])["signature"], signature);
    assert_eq!(home.json(&["tne"])["total_micro_usd"], "0");
    let after = home.json(&["wallet", "balance"]);
    let usdc = |balance: &serde_json::Value| balance["usdc"]["base_units"].as_str().unwrap().parse::<u64>().unwrap();
    assert_eq!(usdc(&before) - usdc(&after), 100_000);
    // The same for a person.
    for args in [
        &["clusters", "list"][..],
        &["payments", "list"],
        &["devices", "list"],
        &["transactions", "list"],
        &["hardware"],
        &["tne"],
        &["network"],
    ] {
        let output = home.run(args);
        assert!(output.status.success() && !output.stdout.is_empty(), "{args:?}: {}", both(&output));
    }

    assert!(network.interrupt().success());
    let gone = home.run(&["clusters", "list"]);
    assert_eq!(gone.status.code(), Some(6), "{}", both(&gone));
    let gone = home.run(&["tne", "--url", &url]);
    assert_eq!(gone.status.code(), Some(6), "{}", both(&gone));
}

#[test]
fn run_uses_the_network_that_is_up_and_extends_work() {
    if !ray_is_here() {
        return;
    }
    let home = Home::new();
    let mut network = Network::spawn(&home, &["--agents", "2", "--prices", "list"]);
    network.announcement();
    let output = home.run(&["run", &pi(), "--nodes", "2", "--minutes", "120", "--keep", "--json"]);
    assert!(output.status.success(), "{}", both(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let id = report["cluster"]["id"].as_str().unwrap();
    let longer = home.json(&["clusters", "extend", id, "--minutes", "60"]);
    assert_eq!((&longer["minutes_hired"], &longer["status"]), (&180.into(), &"running".into()));
    home.json(&["clusters", "end", id]);
    let settled = home.json(&["clusters", "watch", id, "--until", "settled"]);
    assert_eq!(settled["settled"], true);
    let receipt = home.json(&["clusters", "receipt", id]);
    assert_eq!(receipt["balance"]["ok"], true, "{receipt:#}");
    // Three hours paid, one kept: two devices for two hours come back.
    assert_eq!(receipt["balance"]["refunded"]["base_units"], "455860");
    assert_eq!(home.json(&["tne"])["total_micro_usd"], "227930");
    // Stopped in good order it ends the nodes first; killed it would leave them to a lease.
    assert!(network.interrupt().success());
}
