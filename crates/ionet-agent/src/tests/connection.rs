//! An agent belongs to one network, has its directory for itself, and comes back when the hub does.

use ionet_types::agent::{HubMessage, RayRole, Token, WorkloadState};
use tokio::sync::watch;
use uuid::Uuid;

use super::{
    hub::{PATIENCE, TestHub, ray_node},
    sleeper::{Sleeper, TestAgent, options, sleepers},
};
use crate::{AgentOptions, CancellationToken, Link, has_joined, run};

#[tokio::test]
async fn a_hub_of_another_network_is_not_obeyed() {
    let (hub, dir) = (TestHub::start("one").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    let want = ray_node(Uuid::now_v7(), 0, RayRole::Head, None);
    hub.want(&agent.device_id, vec![want.clone()]);
    hub.observe_ready(&agent.device_id, want.key).await;
    let address = hub.url.trim_start_matches("http://").to_owned();
    drop(hub);

    let other = TestHub::start_at("two", &address).await;
    other.want(&agent.device_id, vec![]);
    tokio::time::sleep(std::time::Duration::from_secs(3)).await;
    assert!(other.last_report(&agent.device_id).is_none());
    assert_eq!(sleepers(&agent.processes(want.key)).len(), 4);
    drop(other);

    let hub = TestHub::start_at("one", &address).await;
    hub.want(&agent.device_id, vec![]);
    hub.observe(&agent.device_id, want.key, |workload| matches!(workload.state, WorkloadState::Stopped { .. })).await;
    agent.assert_gone(want.key);
}

#[tokio::test]
async fn a_directory_has_one_agent() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    hub.hello(&agent.device_id).await;
    let second = run(options(dir.path(), &hub.url), CancellationToken::new()).await;
    assert_eq!(second.unwrap_err().code(), "agent_dir_in_use");
    agent.stop().await;
    let again = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    hub.next_report(&again.device_id).await;
}

#[tokio::test]
async fn the_last_credential_is_kept_before_it_is_used_and_told_at_the_next_connection() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let options = AgentOptions { join_token: Some("ionet_join_1".to_owned()), ..options(dir.path(), &hub.url) };
    let connect = async |hub: &TestHub, given: &[&str]| {
        let (told, mut link) = watch::channel(Link::default());
        let (stop, options) = (CancellationToken::new(), AgentOptions { hub_url: hub.url.clone(), link: Some(told), ..options.clone() });
        let agent = tokio::spawn(run(options, stop.clone()));
        link.wait_for(|link| matches!(link, Link::Connected { .. })).await.unwrap();
        let device_id = crate::DeviceKey::load_or_create(dir.path()).unwrap().device_id();
        let said = hub.hello(&device_id).await.introduction.into_said();
        for secret in given {
            hub.say(&device_id, HubMessage::Credential { credential: Token::new(*secret) });
            let kept = serde_json::to_string(secret).unwrap();
            let file = dir.path().join("credential.json");
            let begun = std::time::Instant::now();
            while std::fs::read_to_string(&file).ok().as_ref() != Some(&kept) {
                assert!(begun.elapsed() < PATIENCE, "the credential is not kept");
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            assert_eq!(*link.borrow_and_update(), Link::Connected { has_credential: true });
        }
        stop.cancel();
        agent.await.unwrap().unwrap();
        (said.join_token, said.credential)
    };
    let text = |text: &str| Some(text.to_owned());
    assert!(!has_joined(dir.path()));
    assert_eq!(connect(&hub, &["ionet_dev_first", "ionet_dev_second"]).await, (text("ionet_join_1"), None));
    assert!(has_joined(dir.path()));
    let address = hub.url.trim_start_matches("http://").to_owned();
    drop(hub);
    let hub = TestHub::start_at("test", &address).await;
    assert_eq!(connect(&hub, &[]).await, (None, text("ionet_dev_second")), "and the token is not told again");
    drop(hub);
    let hub = TestHub::start_at("test", &address).await;
    assert_eq!(connect(&hub, &["ionet_dev_third"]).await, (None, text("ionet_dev_second")), "no new one came");
    drop(hub);
    let hub = TestHub::start_at("test", &address).await;
    assert_eq!(connect(&hub, &[]).await.1, text("ionet_dev_third"));
}

#[tokio::test]
async fn unfit_options_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let good = AgentOptions::new(dir.path(), "http://127.0.0.1:1");
    for (options, code) in [
        (AgentOptions { cpus: Some(0), ..good.clone() }, "agent_option_invalid"),
        (AgentOptions { memory_mb: Some(1), ..good.clone() }, "agent_option_invalid"),
        (AgentOptions { object_store_mb: 1, ..good.clone() }, "agent_option_invalid"),
        (AgentOptions { label: Some("x".repeat(65)), ..good.clone() }, "agent_option_invalid"),
        (AgentOptions { node_ip: "0.0.0.0".parse().unwrap(), ..good.clone() }, "agent_option_invalid"),
        (AgentOptions { hub_url: "nowhere".to_owned(), ..good.clone() }, "hub_url_invalid"),
    ] {
        assert_eq!(run(options, CancellationToken::new()).await.unwrap_err().code(), code);
    }
}
