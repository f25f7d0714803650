//! `ionet stakes` and `ionet slashes` on a network that `ionet up` keeps running.

use crate::support::{Home, Network, both};

#[test]
fn devices_of_this_machine_are_registered_staked_on_and_shared() {
    let home = Home::new();
    let mut network = Network::spawn(&home, &["--agents", "2", "--cpus-per-node", "1"]);
    let told = network.announcement();
    home.json(&["wallet", "fund"]);
    let until = std::time::Instant::now() + std::time::Duration::from_mins(1);
    while home.json(&["devices", "list"])["items"].as_array().unwrap().len() != 2 {
        assert!(std::time::Instant::now() < until, "the agents do not connect");
    }

    assert_eq!(home.json(&["devices", "list", "--mine", "--limit", "1"])["items"].as_array().unwrap().len(), 1);
    // `ionet up` made this wallet the owner of both.
    assert_eq!(home.json(&["stakes", "register", "--all"]).as_array().unwrap().len(), 2);
    assert_eq!(home.json(&["stakes", "register", "--all"]).as_array().unwrap().len(), 0);
    let mine = home.json(&["stakes", "list"]);
    let stake = &mine["items"][0];
    assert_eq!((&stake["role"], &stake["payout"]), (&"owner".into(), &told["wallet"]));
    assert_eq!((&stake["minimum"]["display"], &stake["minimum_met"]), (&"200 IO".into(), &false.into()));
    let device = stake["device"].as_str().unwrap();
    home.json(&["stakes", "add", device, "250"]);
    home.json(&["stakes", "withdraw", device, "20"]);
    home.json(&["stakes", "withdraw", device]);
    let shown = home.json(&["stakes", "show", device]);
    assert_eq!((&shown["owner_stake"]["display"], &shown["minimum_met"]), (&"200 IO".into(), &true.into()));

    let other = home.path().join("other.json");
    let other = other.to_str().unwrap();
    let partner = home.json(&["wallet", "new", "--wallet", other])["address"].as_str().unwrap().to_owned();
    home.json(&["wallet", "fund", "--wallet", other]);
    let stranger = home.run(&["stakes", "add", device, "1", "--wallet", other]);
    assert_eq!(stranger.status.code(), Some(5), "{}", both(&stranger));
    assert!(both(&stranger).contains("code: device_not_yours"), "{}", both(&stranger));
    home.json(&["stakes", "offer", device, "100", "--share", "12.5"]);
    assert_eq!(home.json(&["stakes", "offers"])["items"][0]["share_bps"], 1_250);
    home.json(&["stakes", "accept", device, "60", "--wallet", other]);
    assert_eq!(home.json(&["stakes", "list", "--wallet", other])["items"][0]["role"], "co_staker");
    home.json(&["stakes", "payout", device, &partner, "--wallet", other]);
    home.json(&["stakes", "notice", device, "--wallet", other]);
    let early = home.run(&["stakes", "withdraw-co", device, "--wallet", other]);
    assert!(both(&early).contains("wait_not_over") && both(&early).contains("ionet stakes show"), "{}", both(&early));

    // What cannot be taken back is done on purpose only.
    let asked = home.run(&["stakes", "unstake", device]);
    assert_eq!(asked.status.code(), Some(2), "{}", both(&asked));
    assert_eq!(home.json(&["stakes", "show", device])["unstaking_since_unix_secs"], serde_json::Value::Null);
    home.json(&["stakes", "unstake", device, "--yes"]);
    assert!(home.json(&["stakes", "show", device])["withdrawable_at_unix_secs"].is_i64());

    assert_eq!(home.json(&["slashes", "list"])["items"], serde_json::json!([]));
    let none = home.run(&["slashes", "show", "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21"]);
    assert!(both(&none).contains("code: case_not_found"), "{}", both(&none));
    for args in [
        &["stakes", "list"][..],
        &["devices", "list", "--mine"],
        &["stakes", "show", device],
        &["stakes", "offers"],
        &["stakes", "multipliers"],
    ] {
        let output = home.run(args);
        assert!(output.status.success() && !output.stdout.is_empty(), "{args:?}: {}", both(&output));
    }
    assert!(network.interrupt().success());
}
