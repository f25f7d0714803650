//! A runtime whose nodes are real processes that do nothing: one that is essential, one that is not, and children that hide.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use async_trait::async_trait;
use ionet_types::agent::{RayEndpoints, WorkloadKey, WorkloadSpec};
use tokio::task::JoinHandle;

use crate::{
    AgentError, AgentOptions, CancellationToken, DeviceKey, NodeFailure,
    agent::run_with,
    node::Node,
    processes::{ProcessId, belonging_to},
    runtime::{Progress, Runtime},
    store::{Plan, Store, Tracked},
};

/// One that was taken from its session, one that lost its environment, one that ignores the request to end.
const SCRIPT: &str = "setsid sleep 10001 & env -i sleep 10002 & (trap '' TERM; while :; do sleep 1; done) & exec sleep 10003";

#[derive(Debug, Default)]
pub(super) struct Sleeper {
    /// Port that nodes say their dashboard is on.
    pub(super) dashboard_port: u16,
    /// Starting takes this long.
    pub(super) start_takes: Duration,
}

#[async_trait]
impl Runtime for Sleeper {
    async fn prepare(&self, spec: &WorkloadSpec, progress: Progress<'_>) -> Result<(), NodeFailure> {
        progress(50, "makes the bed".to_owned());
        match spec {
            WorkloadSpec::Ray(_) => Ok(()),
            WorkloadSpec::Unknown => Err(NodeFailure::lasting("workload_not_supported", "cannot sleep like this")),
        }
    }

    fn waits_for(&self, _: &WorkloadSpec) -> Option<&'static str> {
        None
    }

    async fn plan(&self, _: &WorkloadSpec) -> Result<Plan, NodeFailure> {
        let endpoints = RayEndpoints { host: "127.0.0.1".to_owned(), gcs_port: 1, dashboard_port: self.dashboard_port };
        Ok(Plan { endpoints: Some(endpoints), ..Plan::default() })
    }

    async fn start(&self, node: &Node, _: &WorkloadSpec) -> Result<(), NodeFailure> {
        let mut main = node.command("sh");
        main.args(["-c", SCRIPT]).env("PATH", "/usr/bin:/bin");
        node.spawn("main", true, Path::new("/dev/null"), main)?;
        tokio::time::sleep(self.start_takes).await;
        let mut side = node.command("sleep");
        side.arg("10004");
        node.spawn("side", false, Path::new("/dev/null"), side)?;
        node.check_alive()
    }

    async fn give_back(&self, _: &Node) {}

    async fn revive(&self, node: &Node, _: &WorkloadSpec, process: &Tracked) -> Result<(), NodeFailure> {
        let mut side = node.command("sleep");
        side.arg("10004");
        node.spawn(&process.name, false, Path::new("/dev/null"), side).map(|_| ())
    }
}

/// An agent within the test.
pub(super) struct TestAgent {
    pub(super) device_id: String,
    pub(super) dir: PathBuf,
    shutdown: CancellationToken,
    task: Option<JoinHandle<Result<(), AgentError>>>,
    is_stopped: bool,
}

pub(super) fn options(dir: &Path, hub_url: &str) -> AgentOptions {
    AgentOptions { stop_grace: Duration::from_millis(300), ..AgentOptions::new(dir, hub_url) }
}

impl TestAgent {
    pub(super) fn start(dir: &Path, hub_url: &str, runtime: impl Runtime) -> Self {
        Self::start_with(options(dir, hub_url), runtime)
    }

    pub(super) fn start_with(options: AgentOptions, runtime: impl Runtime) -> Self {
        let shutdown = CancellationToken::new();
        let dir = options.dir.clone();
        let device_id = DeviceKey::load_or_create(&dir).unwrap().device_id();
        let task = tokio::spawn(run_with(options, Box::new(runtime), shutdown.clone()));
        Self { device_id, dir, shutdown, task: Some(task), is_stopped: false }
    }

    /// Ends the agent, not its nodes.
    pub(super) async fn stop(mut self) {
        self.shutdown.cancel();
        self.task.take().unwrap().await.unwrap().unwrap();
        self.is_stopped = true;
    }

    pub(super) fn processes(&self, key: WorkloadKey) -> Vec<ProcessId> {
        processes(&self.device_id, &self.dir, key)
    }

    pub(super) fn tracked(&self, key: WorkloadKey, name: &str) -> ProcessId {
        let record = Store::open(&self.dir).unwrap().record(key).unwrap().unwrap();
        record.processes.iter().find(|process| process.name == name).unwrap().id
    }

    /// Panics if anything of the node is left.
    pub(super) fn assert_gone(&self, key: WorkloadKey) {
        assert_eq!(self.processes(key), [], "processes are left");
        assert!(!self.dir.join("nodes").join(key.to_string()).exists(), "its directory is left");
        assert_eq!(temp_dirs_of(&self.dir, key), None, "its record is left");
    }
}

impl Drop for TestAgent {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
        if self.is_stopped {
            return;
        }
        // A failed test leaves nothing either.
        for mark in crate::processes::marks(&format!("{}/", self.device_id)) {
            for process in belonging_to(&mark, &[]) {
                let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(process.pid), nix::sys::signal::Signal::SIGKILL);
            }
        }
        let Ok(store) = Store::open(&self.dir) else { return };
        for key in store.recorded_keys().unwrap_or_default() {
            if let Ok(Some(record)) = store.record(key) {
                let _ = std::fs::remove_dir_all(record.plan.temp_dir);
            }
        }
    }
}

/// All processes of a node, found as the agent finds them.
pub(super) fn processes(device_id: &str, dir: &Path, key: WorkloadKey) -> Vec<ProcessId> {
    let record = Store::open(dir).unwrap().record(key).unwrap();
    let leaders: Vec<ProcessId> = record.iter().flat_map(|record| &record.processes).map(|process| process.id).collect();
    belonging_to(&crate::node::mark(device_id, key), &leaders)
}

pub(super) fn temp_dirs_of(dir: &Path, key: WorkloadKey) -> Option<PathBuf> {
    Some(Store::open(dir).unwrap().record(key).unwrap()?.plan.temp_dir)
}

/// The sleeping processes of a node by what they were told: the hidden ones carry numbers.
pub(super) fn sleepers(found: &[ProcessId]) -> Vec<String> {
    let mut names: Vec<String> = found
        .iter()
        .filter_map(|process| std::fs::read_to_string(format!("/proc/{}/cmdline", process.pid)).ok())
        .filter(|line| line.starts_with("sleep\x00100"))
        .map(|line| line.trim_matches('\0').replace('\0', " "))
        .collect();
    names.sort();
    names
}

/// Kills one process.
pub(super) fn kill(process: ProcessId) {
    let status = Command::new("kill").args(["-9", &process.pid.to_string()]).status().unwrap();
    assert!(status.success());
}
