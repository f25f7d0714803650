//! The real thing: two agents, a head and a worker, a job through the tunnel, and nothing left in the end.

use std::time::{Duration, Instant};

use ionet_types::agent::{
    DesiredWorkload, Gpu, GpuGrant, GpuPart, NodeShare, ObservedWorkload, RayRole, WorkloadKey, WorkloadSpec, WorkloadState,
};
use uuid::Uuid;

use super::{
    hub::{TestHub, ray_node},
    sleeper::{TestAgent, kill, options, temp_dirs_of},
};
use crate::{AgentOptions, NodeFailure, RAY_VERSION, RayEnvironment, default_cache_dir, ray::RayRuntime};

/// Says on how many nodes its tasks ran.
const PROGRAM: &str = "import ray, time; ray.init(); \
    f = ray.remote(lambda: (time.sleep(0.2), ray.get_runtime_context().get_node_id())[1]).options(scheduling_strategy='SPREAD'); \
    ids = set(); end = time.time() + 60\n\
while len(ids) < 2 and time.time() < end: ids |= set(ray.get([f.remote() for _ in range(4)]))\n\
print('ran on', len(ids), 'nodes')";

/// Makes Ray's environment; `false`, with the reason printed, where that cannot be had.
async fn has_ray() -> bool {
    let environment = RayEnvironment::new(default_cache_dir(), "python3".into());
    match environment.ensure(&|percent, detail| eprintln!("{percent:3} % {detail}")).await {
        Ok(()) => true,
        Err(NodeFailure {
            code: code @ ("python_missing" | "python_too_old" | "ray_install_failed" | "python_environment_failed"),
            message,
            ..
        }) => {
            eprintln!("SKIPPED: no Ray here ({code}): {message}");
            false
        }
        Err(failure) => panic!("{failure}"),
    }
}

fn agent(dir: &std::path::Path, hub: &TestHub) -> TestAgent {
    let options = options(dir, &hub.url);
    let runtime = RayRuntime::new(&options);
    TestAgent::start_with(options, runtime)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_of_two_runs_a_job_and_leaves_nothing() {
    let _ = tracing_subscriber::fmt().with_test_writer().with_env_filter(tracing_subscriber::EnvFilter::from_default_env()).try_init();
    if !has_ray().await {
        return;
    }
    let hub = TestHub::start("test").await;
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let [head, worker] = [agent(dirs[0].path(), &hub), agent(dirs[1].path(), &hub)];
    hub.hello(&head.device_id).await;
    hub.hello(&worker.device_id).await;
    let cluster_id = Uuid::now_v7();
    let [head_key, worker_key] = [WorkloadKey { cluster_id, node: 0 }, WorkloadKey { cluster_id, node: 1 }];

    let begun = Instant::now();
    hub.want(&head.device_id, vec![ray_node(cluster_id, 0, RayRole::Head, None)]);
    hub.want(&worker.device_id, vec![ray_node(cluster_id, 1, RayRole::Worker, None)]);
    let named = hub.observe(&head.device_id, head_key, |workload| workload.endpoints.is_some()).await;
    let address = named.endpoints.as_ref().unwrap().head_address();
    hub.want(&worker.device_id, vec![ray_node(cluster_id, 1, RayRole::Worker, Some(address))]);
    hub.observe_ready(&worker.device_id, worker_key).await;
    eprintln!("worker ready after {} ms", begun.elapsed().as_millis());
    let ready = hub.observe_ready(&head.device_id, head_key).await;
    eprintln!("head ready after {} ms", begun.elapsed().as_millis());
    assert_eq!(ready.ray_version.as_deref(), Some(RAY_VERSION));
    let endpoints = ready.endpoints.unwrap();

    // Only who has the token gets in; the tunnel has it.
    let direct = format!("http://127.0.0.1:{}/api/jobs/", endpoints.dashboard_port);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    assert_eq!(client.get(&direct).send().await.unwrap().status(), 401);
    assert!(!client.get(&direct).bearer_auth("wrong-wrong-wrong").send().await.unwrap().status().is_success());
    assert_eq!(hub.fetch(&head.device_id, head_key, "GET", "/api/jobs/", "").await.0, 200);
    let (status, nodes) = hub.fetch(&head.device_id, head_key, "GET", "/api/v0/nodes", "").await;
    assert_eq!((status, nodes.matches("\"ALIVE\"").count()), (200, 2), "{nodes}");

    let job = submit("test", PROGRAM);
    let (status, answer) = hub.fetch(&head.device_id, head_key, "POST", "/api/jobs/", &job).await;
    assert_eq!(status, 200, "{answer}");
    let log = finished(&hub, &head, head_key, "test").await;
    assert!(log.contains("ran on 2 nodes"), "{log}");
    eprintln!("job done after {} ms", begun.elapsed().as_millis());

    // A dead raylet is told at once, long before Ray itself would notice.
    let temp_dirs = [temp_dirs_of(&head.dir, head_key).unwrap(), temp_dirs_of(&worker.dir, worker_key).unwrap()];
    kill(worker.tracked(worker_key, "raylet"));
    let killed = Instant::now();
    hub.observe(&worker.device_id, worker_key, |workload| matches!(workload.state, WorkloadState::Failed { .. })).await;
    eprintln!("death told after {} ms", killed.elapsed().as_millis());

    hub.want(&head.device_id, vec![]);
    hub.want(&worker.device_id, vec![]);
    hub.observe(&head.device_id, head_key, |workload: &ObservedWorkload| matches!(workload.state, WorkloadState::Stopped { .. })).await;
    for (agent, key) in [(&head, head_key), (&worker, worker_key)] {
        for _ in 0..600 {
            if temp_dirs_of(&agent.dir, key).is_none() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        agent.assert_gone(key);
    }
    for dir in temp_dirs {
        assert!(!dir.exists());
        let left = processes_that_name(&dir.display().to_string());
        assert_eq!(left, Vec::<String>::new());
    }
}

/// Says which GPUs a task that wants all of its cluster's sees, and which share of one.
const LOOK: &str = "import ray, os; ray.init(); n = int(ray.cluster_resources()['GPU']); \
    look = ray.remote(num_gpus=n)(lambda: [os.environ.get(k) for k in ('CUDA_VISIBLE_DEVICES', 'CUDA_MPS_ACTIVE_THREAD_PERCENTAGE')]); \
    print('has', n, 'and sees', *ray.get(look.remote()))";

/// Two customers on one machine at once: each Ray has its own GPUs, by their UUIDs, and goes on when the other one ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_clusters_on_one_machine_see_their_own_gpus() {
    if !has_ray().await {
        return;
    }
    let (hub, dir) = (TestHub::start("test").await, tempfile::tempdir().unwrap());
    let options = AgentOptions { shared: true, ..options(dir.path(), &hub.url) };
    let runtime = RayRuntime::new(&options).on(|| {
        let gpu = |uuid: &str| Gpu { uuid: Some(uuid.to_owned()), memory_mb: 80_000, ..Gpu::default() };
        ["GPU-a", "GPU-b", "GPU-c"].map(gpu).to_vec()
    });
    let agent = TestAgent::start_with(options, runtime);
    assert!(hub.hello(&agent.device_id).await.introduction.said().shared);
    let lease = |gpus: &[(&str, GpuPart)]| {
        let mut want = ray_node(Uuid::now_v7(), 0, RayRole::Head, None);
        let WorkloadSpec::Ray(ray) = &mut want.spec else { panic!("a Ray node") };
        let gpus: Vec<_> = gpus.iter().map(|(uuid, part)| GpuGrant { uuid: (*uuid).to_owned(), part: *part }).collect();
        ray.gpus = u32::try_from(gpus.len()).unwrap();
        ray.share = Some(NodeShare { cpu_milli: 1_000, memory_mb: 1_024, disk_mb: 0, gpus });
        want
    };
    let first = lease(&[("GPU-a", GpuPart::Whole), ("GPU-c", GpuPart::Whole)]);
    let second = lease(&[("GPU-b", GpuPart::Milli { milli: 250 })]);
    let missing = lease(&[("GPU-z", GpuPart::Whole)]);
    hub.want(&agent.device_id, vec![first.clone(), second.clone(), missing.clone()]);
    let refused = hub.observe(&agent.device_id, missing.key, |workload| matches!(workload.state, WorkloadState::Failed { .. })).await;
    assert!(matches!(&refused.state, WorkloadState::Failed { code, retryable: false, .. } if code == "gpu_missing"), "{refused:?}");
    for want in [&first, &second] {
        hub.observe_ready(&agent.device_id, want.key).await;
    }
    let look = async |want: &DesiredWorkload, id: &str| {
        let (status, answer) = hub.fetch(&agent.device_id, want.key, "POST", "/api/jobs/", &submit(id, LOOK)).await;
        assert_eq!(status, 200, "{answer}");
        finished(&hub, &agent, want.key, id).await
    };
    let (of_first, of_second) = (look(&first, "one").await, look(&second, "one").await);
    // Ray hands them out in any order.
    let both = ["GPU-a,GPU-c", "GPU-c,GPU-a"].map(|names| format!("has 2 and sees {names} None"));
    assert!(both.iter().any(|said| of_first.contains(said)), "{of_first}");
    assert!(of_second.contains("has 1 and sees GPU-b 25"), "{of_second}");

    let (key, device) = (first.key, &agent.device_id);
    hub.want(device, vec![second.clone()]);
    hub.observe(device, key, |workload: &ObservedWorkload| matches!(workload.state, WorkloadState::Stopped { .. })).await;
    agent.assert_gone(key);
    let again = look(&second, "two").await;
    assert!(again.contains("has 1 and sees GPU-b 25"), "{again}");
    hub.want(device, vec![]);
    hub.observe(device, second.key, |workload: &ObservedWorkload| matches!(workload.state, WorkloadState::Stopped { .. })).await;
    agent.assert_gone(second.key);
}

/// A request to run the program, which comes as an argument so that nothing has to be uploaded.
fn submit(id: &str, program: &str) -> String {
    let encoded = hex::encode(program);
    let entrypoint = format!("python -c \"exec(bytes.fromhex('{encoded}').decode())\"");
    serde_json::json!({"entrypoint": entrypoint, "submission_id": id}).to_string()
}

/// Waits for the job's end; returns what it printed.
async fn finished(hub: &TestHub, head: &TestAgent, key: WorkloadKey, id: &str) -> String {
    let begun = Instant::now();
    loop {
        let (_, job) = hub.fetch(&head.device_id, key, "GET", &format!("/api/jobs/{id}"), "").await;
        let (_, log) = hub.fetch(&head.device_id, key, "GET", &format!("/api/jobs/{id}/logs"), "").await;
        match serde_json::from_str::<serde_json::Value>(&job).ok().and_then(|job| job["status"].as_str().map(str::to_owned)).as_deref() {
            Some("SUCCEEDED") => return log,
            Some("FAILED" | "STOPPED") => panic!("{job} {log}"),
            _ => assert!(begun.elapsed() < super::hub::PATIENCE, "{job}"),
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn processes_that_name(text: &str) -> Vec<String> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = entries.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
    lines.map(|line| String::from_utf8_lossy(&line).into_owned()).filter(|line| line.contains(text)).collect()
}
