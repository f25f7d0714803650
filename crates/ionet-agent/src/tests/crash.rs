//! An agent that is killed at any moment loses nothing: the next one finds the nodes, ends what is to end, and goes on with the rest.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use ionet_types::agent::{DesiredWorkload, GpuGrant, GpuPart, NodeShare, RayRole, WorkloadSpec, WorkloadState};
use rand::Rng;
use uuid::Uuid;

use super::{
    hub::{TestHub, ray_node},
    sleeper::{Sleeper, TestAgent, options, processes, sleepers},
};
use crate::{CancellationToken, DeviceKey, agent::run_with, store::Store};

const DIR: &str = "IONET_TEST_AGENT_DIR";
const HUB: &str = "IONET_TEST_AGENT_HUB";

/// Not a test of its own: the agent that the tests below run in a process of its own.
#[tokio::test]
async fn agent_process() {
    let (Some(dir), Ok(hub)) = (std::env::var_os(DIR), std::env::var(HUB)) else { return };
    let sleeper = Sleeper { start_takes: Duration::from_millis(100), ..Sleeper::default() };
    run_with(options(Path::new(&dir), &hub), Box::new(sleeper), CancellationToken::new()).await.unwrap();
}

fn start_process(dir: &Path, hub_url: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::crash::agent_process"])
        .env(DIR, dir)
        .env(HUB, hub_url)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn kill(mut agent: Child) {
    agent.kill().unwrap();
    agent.wait().unwrap();
}

#[tokio::test]
async fn a_restarted_agent_adopts_its_nodes() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let device_id = DeviceKey::load_or_create(dir.path()).unwrap().device_id();
    let want = ray_node(Uuid::now_v7(), 0, RayRole::Head, None);
    hub.want(&device_id, vec![want.clone()]);
    let agent = start_process(dir.path(), &hub.url);
    hub.observe_ready(&device_id, want.key).await;
    let before = processes(&device_id, dir.path(), want.key);
    assert_eq!(sleepers(&before).len(), 4);
    kill(agent);
    let is_kept = |now: &[crate::processes::ProcessId]| before.iter().filter(|process| now.contains(process)).count() >= 5;
    assert!(is_kept(&processes(&device_id, dir.path(), want.key)), "nodes outlive their agent");

    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    let report = hub.next_report(&device_id).await;
    assert_eq!(report.workloads.first().map(|workload| &workload.state), Some(&WorkloadState::Ready), "known from the first report on");
    hub.observe_ready(&device_id, want.key).await;
    assert!(is_kept(&agent.processes(want.key)), "adopted, not started again");
    hub.want(&device_id, vec![]);
    hub.observe(&device_id, want.key, |workload| matches!(workload.state, WorkloadState::Stopped { .. })).await;
    agent.assert_gone(want.key);
}

/// Two customers on one machine: each has its own directory, ports and GPUs; one ends and the other notices nothing, not even that the agent
/// was killed in between.
#[tokio::test]
async fn two_leases_on_one_machine_live_apart_and_outlast_a_killed_agent() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let device_id = DeviceKey::load_or_create(dir.path()).unwrap().device_id();
    let lease = |gpus: &[(&str, GpuPart)]| {
        let mut want = ray_node(Uuid::now_v7(), 0, RayRole::Head, None);
        let WorkloadSpec::Ray(ray) = &mut want.spec else { panic!("a Ray node") };
        let gpus = gpus.iter().map(|(uuid, part)| GpuGrant { uuid: (*uuid).to_owned(), part: *part }).collect();
        ray.share = Some(NodeShare { cpu_milli: 1_000, memory_mb: 1_024, disk_mb: 0, gpus });
        want
    };
    let whole = |uuid: &'static str| (uuid, GpuPart::Whole);
    let (first, second) = (lease(&[whole("GPU-a"), whole("GPU-b")]), lease(&[("GPU-c", GpuPart::Milli { milli: 500 })]));
    hub.want(&device_id, vec![first.clone(), second.clone()]);
    let agent = start_process(dir.path(), &hub.url);
    for want in [&first, &second] {
        hub.observe_ready(&device_id, want.key).await;
    }
    let of = |want: &DesiredWorkload| processes(&device_id, dir.path(), want.key);
    let main = |want: &DesiredWorkload| {
        let record = Store::open(dir.path()).unwrap().record(want.key).unwrap().unwrap();
        record.processes.iter().find(|process| process.name == "main").unwrap().id.pid
    };
    let sees = |pid: i32, name: &str| {
        let environment = std::fs::read_to_string(format!("/proc/{pid}/environ")).unwrap();
        environment.split('\0').find_map(|entry| entry.strip_prefix(&format!("{name}=")).map(str::to_owned))
    };
    assert_eq!(sees(main(&first), "CUDA_VISIBLE_DEVICES").as_deref(), Some("GPU-a,GPU-b"));
    assert_eq!(sees(main(&second), "CUDA_VISIBLE_DEVICES").as_deref(), Some("GPU-c"));
    assert_eq!(sees(main(&second), "CUDA_MPS_ACTIVE_THREAD_PERCENTAGE").as_deref(), Some("50"));
    let runs_on = |pid: i32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:")).unwrap().trim().to_owned()
    };
    if cfg!(target_os = "linux") && std::thread::available_parallelism().unwrap().get() > 1 {
        assert_ne!(runs_on(main(&first)), runs_on(main(&second)), "a processor each");
    }
    assert_ne!(sees(main(&first), "HOME"), sees(main(&second), "HOME"));
    assert_ne!(sees(main(&first), "TMPDIR"), sees(main(&second), "TMPDIR"));

    kill(agent);
    let (before_first, before_second) = (of(&first), of(&second));
    assert_eq!((sleepers(&before_first).len(), sleepers(&before_second).len()), (4, 4), "nodes outlive their agent");
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    let report = hub.next_report(&device_id).await;
    assert_eq!(report.workloads.len(), 2, "both are known from the first report on: {report:?}");

    // What somebody has is not given to another one, whatever the hub says; what is given back is.
    let greedy = lease(&[whole("GPU-b")]);
    hub.want(&device_id, vec![first.clone(), second.clone(), greedy.clone()]);
    let refused = hub.observe(&device_id, greedy.key, |workload| matches!(workload.state, WorkloadState::Failed { .. })).await;
    assert!(matches!(&refused.state, WorkloadState::Failed { code, retryable: true, .. } if code == "gpu_taken"), "{refused:?}");
    hub.want(&device_id, vec![second.clone()]);
    hub.observe(&device_id, first.key, |workload| matches!(workload.state, WorkloadState::Stopped { .. })).await;
    agent.assert_gone(first.key);
    let again = lease(&[whole("GPU-b"), ("GPU-c", GpuPart::Milli { milli: 500 })]);
    hub.want(&device_id, vec![second.clone(), again.clone()]);
    hub.observe_ready(&device_id, again.key).await;
    let now = of(&second);
    assert!(before_second.iter().all(|process| now.contains(process)), "the other one was not touched");
    hub.want(&device_id, vec![]);
    for want in [&second, &again] {
        hub.observe(&device_id, want.key, |workload| matches!(workload.state, WorkloadState::Stopped { .. })).await;
        agent.assert_gone(want.key);
    }
}

#[tokio::test]
async fn nodes_without_a_record_are_found_by_their_mark() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    let device_id = agent.device_id.clone();
    let want = ray_node(Uuid::now_v7(), 0, RayRole::Head, None);
    hub.want(&device_id, vec![want.clone()]);
    hub.observe_ready(&device_id, want.key).await;
    let before = agent.processes(want.key).len();
    let dir_of_nodes = dir.path().join("nodes");
    agent.stop().await;
    // The record is lost while the processes run, and the hub does not want the node any more.
    let temp_dir = super::sleeper::temp_dirs_of(dir.path(), want.key).unwrap();
    std::fs::remove_file(dir_of_nodes.join(format!("{}.json", want.key))).unwrap();
    hub.want(&device_id, vec![]);
    // Some of its children may have been starting still.
    assert!(processes(&device_id, dir.path(), want.key).len() >= before);
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    for _ in 0..1000 {
        if agent.processes(want.key).is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(agent.processes(want.key), []);
    // Its name was lost with the record.
    std::fs::remove_dir_all(temp_dir).unwrap();
}

#[tokio::test]
async fn killed_at_random_moments_it_still_reaches_the_end() {
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let device_id = DeviceKey::load_or_create(dir.path()).unwrap().device_id();
    let mut wanted = Vec::new();
    let mut all = Vec::new();
    for round in 0..12u16 {
        let agent = start_process(dir.path(), &hub.url);
        hub.next_report(&device_id).await;
        if round % 3 == 2 {
            wanted.clear();
        } else {
            let want = ray_node(Uuid::now_v7(), round, RayRole::Head, None);
            all.push(want.key);
            wanted.push(want);
        }
        hub.want(&device_id, wanted.clone());
        let moment = rand::rng().random_range(0..500);
        tokio::time::sleep(Duration::from_millis(moment)).await;
        kill(agent);
    }
    let last = ray_node(Uuid::now_v7(), 99, RayRole::Head, None);
    hub.want(&device_id, vec![last.clone()]);
    let agent = TestAgent::start(dir.path(), &hub.url, Sleeper::default());
    hub.next_report(&device_id).await;
    hub.observe_ready(&device_id, last.key).await;
    for key in all {
        for _ in 0..600 {
            if agent.processes(key).is_empty() && super::sleeper::temp_dirs_of(&agent.dir, key).is_none() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        agent.assert_gone(key);
    }
    assert_eq!(sleepers(&agent.processes(last.key)).len(), 4, "started once, not twice");
    hub.want(&device_id, vec![]);
    hub.observe(&device_id, last.key, |workload| matches!(workload.state, WorkloadState::Stopped { .. })).await;
    agent.assert_gone(last.key);
}
