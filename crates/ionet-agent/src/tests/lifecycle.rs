//! What is wanted runs, what is not wanted does not, and a paid node is never ended early.

use std::time::Duration;

use ionet_types::agent::{DesiredWorkload, ObservedWorkload, RayRole, StopReason, WorkloadKey, WorkloadSpec, WorkloadState};
use uuid::Uuid;

use super::{
    hub::{TestHub, ray_node},
    sleeper::{Sleeper, TestAgent, kill, sleepers, temp_dirs_of},
};
use crate::clock::machine_unix_secs as unix_secs;

fn workload() -> DesiredWorkload {
    ray_node(Uuid::now_v7(), 0, RayRole::Head, None)
}

fn is_stopped(workload: &ObservedWorkload) -> bool {
    matches!(workload.state, WorkloadState::Stopped { .. })
}

#[tokio::test]
async fn a_node_comes_up_and_leaves_nothing() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    let hello = hub.hello(&agent.device_id).await;
    let said = hello.introduction.said();
    assert!(said.hardware.cpus >= 1 && said.label.is_none());
    let (first, second) = (workload(), workload());
    hub.want(&agent.device_id, vec![first.clone(), second.clone()]);
    let observed = hub.observe_ready(&agent.device_id, first.key).await;
    hub.observe_ready(&agent.device_id, second.key).await;
    assert_eq!(observed.endpoints.unwrap().host, "127.0.0.1");
    assert_eq!(sleepers(&agent.processes(first.key)), ["sleep 10001", "sleep 10002", "sleep 10003", "sleep 10004"]);
    let temp_dir = temp_dirs_of(&agent.dir, first.key).unwrap();
    assert!(temp_dir.exists() && agent.dir.join("nodes").join(first.key.to_string()).exists());

    hub.want(&agent.device_id, vec![second.clone()]);
    let observed = hub.observe(&agent.device_id, first.key, is_stopped).await;
    assert_eq!(observed.state, WorkloadState::Stopped { reason: StopReason::NotDesired });
    agent.assert_gone(first.key);
    assert!(!temp_dir.exists());
    assert_eq!(sleepers(&agent.processes(second.key)).len(), 4, "the other one goes on");
    hub.want(&agent.device_id, vec![]);
    hub.observe(&agent.device_id, second.key, is_stopped).await;
    agent.assert_gone(second.key);
}

#[tokio::test]
async fn a_dead_process_fails_the_node_and_a_new_attempt_mends_it() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    let mut want = workload();
    hub.want(&agent.device_id, vec![want.clone()]);
    hub.observe_ready(&agent.device_id, want.key).await;

    kill(agent.tracked(want.key, "main"));
    let failed = hub.observe(&agent.device_id, want.key, |workload| matches!(workload.state, WorkloadState::Failed { .. })).await;
    let WorkloadState::Failed { code, retryable, .. } = failed.state else { panic!("not failed") };
    assert_eq!((code.as_str(), retryable, failed.attempt), ("process_died", true, 0));
    assert_eq!(agent.processes(want.key), [], "a failed node does not go on in part");

    want.attempt = 1;
    hub.want(&agent.device_id, vec![want.clone()]);
    let ready = hub.observe(&agent.device_id, want.key, |workload| workload.state == WorkloadState::Ready).await;
    assert_eq!(ready.attempt, 1);
    assert_eq!(sleepers(&agent.processes(want.key)).len(), 4);
    hub.want(&agent.device_id, vec![]);
    hub.observe(&agent.device_id, want.key, is_stopped).await;
    agent.assert_gone(want.key);
}

#[tokio::test]
async fn a_side_process_is_started_again() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    let want = workload();
    hub.want(&agent.device_id, vec![want.clone()]);
    hub.observe_ready(&agent.device_id, want.key).await;
    let before = agent.tracked(want.key, "side");
    kill(before);
    for _ in 0..600 {
        if agent.tracked(want.key, "side") != before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_ne!(agent.tracked(want.key, "side"), before);
    assert_eq!(sleepers(&agent.processes(want.key)).len(), 4);
    assert_eq!(hub.observe_ready(&agent.device_id, want.key).await.attempt, 0);
    hub.want(&agent.device_id, vec![]);
    hub.observe(&agent.device_id, want.key, is_stopped).await;
}

#[tokio::test]
async fn without_a_hub_a_node_runs_as_long_as_its_lease() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    let (mut short, long) = (workload(), workload());
    hub.want(&agent.device_id, vec![short.clone(), long.clone()]);
    hub.observe_ready(&agent.device_id, short.key).await;
    hub.observe_ready(&agent.device_id, long.key).await;
    short.lease_until_unix_secs = unix_secs() + 4;
    hub.want(&agent.device_id, vec![short.clone(), long.clone()]);
    let heard = || crate::store::Store::open(&agent.dir).unwrap().desired().unwrap().unwrap().0.workloads[0].lease_until_unix_secs;
    while heard() != short.lease_until_unix_secs {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let address = hub.url.trim_start_matches("http://").to_owned();
    drop(hub);

    while !agent.processes(short.key).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(unix_secs() >= short.lease_until_unix_secs, "a paid node was ended early");
    assert_eq!(sleepers(&agent.processes(long.key)).len(), 4, "a paid node was ended");

    // The hub comes back and still wants both, one with a late renewal: what is over stays over until a new attempt.
    let hub = TestHub::start_at("test", &address).await;
    hub.want(&agent.device_id, vec![DesiredWorkload { lease_until_unix_secs: unix_secs() + 60, ..short.clone() }, long.clone()]);
    let observed = hub.observe(&agent.device_id, short.key, is_stopped).await;
    assert_eq!(observed.state, WorkloadState::Stopped { reason: StopReason::LeaseOver });
    hub.observe_ready(&agent.device_id, long.key).await;
    let renewed = DesiredWorkload { lease_until_unix_secs: unix_secs() + 60, attempt: 1, ..short.clone() };
    hub.want(&agent.device_id, vec![renewed, long.clone()]);
    hub.observe(&agent.device_id, short.key, |workload| workload.state == WorkloadState::Ready).await;
    hub.want(&agent.device_id, vec![]);
    for key in [short.key, long.key] {
        hub.observe(&agent.device_id, key, is_stopped).await;
        agent.assert_gone(key);
    }
}

/// The machine's clock may be a day ahead of the hub's, or behind, and the agent may begin anew: a lease is a length of time.
#[tokio::test]
async fn a_lease_lasts_as_long_whatever_the_clocks_show() {
    for off_secs in [-86_400, 86_400] {
        let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
        let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
        let hub_unix_secs = unix_secs() + off_secs;
        let leased = |secs| DesiredWorkload { lease_until_unix_secs: hub_unix_secs + secs, ..workload() };
        let (short, long) = (leased(6), leased(3_600));
        let begun = std::time::Instant::now();
        hub.want_at(&agent.device_id, Some(hub_unix_secs), vec![short.clone(), long.clone()]);
        for key in [short.key, long.key] {
            hub.observe_ready(&agent.device_id, key).await;
        }
        let device_id = agent.device_id.clone();
        drop(hub);
        agent.stop().await;
        let agent = TestAgent::start(dir.path(), "http://127.0.0.1:9", Sleeper::default());
        while !agent.processes(short.key).is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(begun.elapsed() >= Duration::from_secs(5), "ended early, {off_secs}");
        assert!(begun.elapsed() < Duration::from_mins(1), "not ended in time, {off_secs}");
        assert_eq!(sleepers(&agent.processes(long.key)).len(), 4, "a paid node was ended, {off_secs}");
        assert_eq!(agent.device_id, device_id);
        agent.stop().await;
        let hub = TestHub::start("test").await;
        let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
        hub.want_at(&agent.device_id, Some(hub_unix_secs), vec![]);
        hub.observe(&agent.device_id, long.key, is_stopped).await;
        agent.assert_gone(long.key);
    }
}

#[tokio::test]
async fn an_unknown_kind_fails_for_good() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    let want = DesiredWorkload { spec: WorkloadSpec::Unknown, ..workload() };
    hub.want(&agent.device_id, vec![want.clone()]);
    let failed = hub.observe(&agent.device_id, want.key, |workload| matches!(workload.state, WorkloadState::Failed { .. })).await;
    let WorkloadState::Failed { code, retryable, .. } = failed.state else { panic!("not failed") };
    assert_eq!((code.as_str(), retryable), ("workload_not_supported", false));
}

#[tokio::test]
async fn a_node_that_is_not_wanted_any_more_is_not_started_to_the_end() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let slow = Sleeper { start_takes: Duration::from_hours(1), ..Sleeper::default() };
    let agent = TestAgent::start(dir.path(), &hub.url, slow);
    let want = workload();
    hub.want(&agent.device_id, vec![want.clone()]);
    let starting = hub.observe(&agent.device_id, want.key, |workload| workload.state == WorkloadState::Starting).await;
    assert!(starting.endpoints.is_some(), "a head names its addresses before it is up");
    while agent.processes(want.key).is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    hub.want(&agent.device_id, vec![]);
    hub.observe(&agent.device_id, want.key, is_stopped).await;
    agent.assert_gone(WorkloadKey { ..want.key });
}
