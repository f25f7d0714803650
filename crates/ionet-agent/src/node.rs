//! The hands of a node: starts its processes, watches them, and in the end leaves nothing of it behind.

use std::{
    ffi::OsStr,
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use ionet_types::agent::WorkloadKey;

use crate::{
    AgentError, NodeFailure, cores, gpus,
    processes::{self, MARK, ProcessId},
    store::{Plan, Record, Store, Tracked},
};

/// Variables of the agent's environment that a node's processes get as well: how to reach the world, and how to speak.
const PASSED_ON: &[&str] = &[
    "LANG",
    "LC_ALL",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_CONFIG_FILE",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "LD_LIBRARY_PATH",
    "NVIDIA_VISIBLE_DEVICES",
    gpus::CUDA_VISIBLE,
];

/// The variables of this process that may be passed on.
pub(crate) fn passed_on() -> impl Iterator<Item = (&'static str, std::ffi::OsString)> {
    PASSED_ON.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)))
}

/// Children that have to be waited for, so that the kernel can forget them.
#[derive(Debug, Default, Clone)]
pub(crate) struct Reaper(Arc<Mutex<Vec<Child>>>);

impl Reaper {
    fn add(&self, child: Child) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(child);
    }

    /// Forgets the children that have ended.
    pub(crate) fn reap(&self) {
        let mut children = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        children.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }
}

/// One node on this device, for one attempt.
#[derive(Debug)]
pub(crate) struct Node {
    store: Store,
    reaper: Reaper,
    mark: String,
    record: Mutex<Record>,
}

impl Node {
    pub(crate) fn new(store: Store, reaper: Reaper, device_id: &str, record: Record) -> Self {
        let mark = mark(device_id, record.key);
        Self { store, reaper, mark, record: Mutex::new(record) }
    }

    /// Which node it is.
    pub(crate) fn key(&self) -> WorkloadKey {
        self.with(|record| record.key)
    }

    pub(crate) fn plan(&self) -> Plan {
        self.with(|record| record.plan.clone())
    }

    pub(crate) fn record(&self) -> Record {
        self.with(Record::clone)
    }

    /// The directory in which the node's processes work.
    pub(crate) fn dir(&self) -> PathBuf {
        self.store.node_dir(self.key())
    }

    /// Changes the record, on disk first.
    pub(crate) fn update(&self, durable: bool, change: impl FnOnce(&mut Record)) -> Result<(), AgentError> {
        let mut record = self.record.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut changed = record.clone();
        change(&mut changed);
        self.store.set_record(&changed, durable)?;
        *record = changed;
        Ok(())
    }

    /// Makes the node's directories.
    pub(crate) fn make_dirs(&self) -> Result<(), NodeFailure> {
        let temp_dir = self.plan().temp_dir;
        for dir in [self.dir(), temp_dir.clone(), temp_dir.join("tmp")] {
            fs::create_dir_all(&dir)
                .map_err(|error| NodeFailure::retryable("directory_unusable", format!("{}: {error}", dir.display())))?;
        }
        Ok(())
    }

    /// A command with the node's environment and nothing else of the agent's.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(passed_on())
            .env("HOME", self.dir())
            .env("TMPDIR", self.plan().temp_dir.join("tmp"))
            .current_dir(self.dir());
        let plan = self.plan();
        if let Some(share) = &plan.share {
            command.envs(gpus::environment(share, plan.instance.as_deref(), plan.gpu_memory_mb));
        }
        command
    }

    /// Starts a process of the node, which outlives the agent. `log` takes what it prints.
    pub(crate) fn spawn(&self, name: &str, is_essential: bool, log: &Path, mut command: Command) -> Result<ProcessId, NodeFailure> {
        let cannot = |error: &dyn std::fmt::Display| NodeFailure::retryable("process_start_failed", format!("{name}: {error}"));
        let output = fs::OpenOptions::new().create(true).append(true).open(log).map_err(|error| cannot(&error))?;
        let errors = output.try_clone().map_err(|error| cannot(&error))?;
        command.env(MARK, &self.mark).stdin(Stdio::null()).stdout(output).stderr(errors);
        new_session(&mut command, cores::keeper(&self.plan().cores));
        let child = command.spawn().map_err(|error| cannot(&error))?;
        let pid = child.id().cast_signed();
        self.reaper.add(child);
        // Not reaped before this: its entry is there even if it has ended.
        let id = ProcessId::of(pid).ok_or_else(|| cannot(&"ended at once"))?;
        let tracked = Tracked { name: name.to_owned(), id, is_essential };
        self.update(false, |record| {
            record.processes.retain(|process| process.name != tracked.name);
            record.processes.push(tracked);
        })
        .map_err(|error| cannot(&error))?;
        tracing::debug!(node = %self.key(), name, pid, "process started");
        Ok(id)
    }

    /// The names of the started processes that have ended, essential ones first.
    pub(crate) fn ended(&self) -> Vec<Tracked> {
        let mut ended: Vec<Tracked> =
            self.with(|record| record.processes.iter().filter(|process| !process.id.is_running()).cloned().collect());
        ended.sort_by_key(|process| !process.is_essential);
        ended
    }

    /// Fails if the node cannot live any more.
    pub(crate) fn check_alive(&self) -> Result<(), NodeFailure> {
        match self.ended().first().filter(|process| process.is_essential) {
            Some(process) => Err(NodeFailure::retryable("process_died", format!("{} ended unexpectedly", process.name))),
            None => Ok(()),
        }
    }

    /// Ends all of the node's processes and removes its directories. Safe to repeat, also after a crash in the middle.
    pub(crate) async fn clear(&self, grace: Duration) {
        let record = self.record();
        let leaders: Vec<ProcessId> =
            if record.boot_id == processes::boot_id() { record.processes.iter().map(|process| process.id).collect() } else { Vec::new() };
        let find = {
            let (mark, reaper) = (self.mark.clone(), self.reaper.clone());
            move || {
                reaper.reap();
                processes::belonging_to(&mark, &leaders)
            }
        };
        processes::end_all(grace, find).await;
        for dir in [Some(self.dir()), is_temp_dir(&record.plan.temp_dir).then_some(record.plan.temp_dir)].into_iter().flatten() {
            remove_dir(&dir).await;
        }
    }

    fn with<T>(&self, read: impl FnOnce(&Record) -> T) -> T {
        read(&self.record.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// The mark that all processes of a node carry.
pub(crate) fn mark(device_id: &str, key: WorkloadKey) -> String {
    format!("{device_id}/{key}")
}

/// A new name for a node's temporary directory: short, because paths of sockets have at most 107 bytes.
pub(crate) fn new_temp_dir() -> PathBuf {
    Path::new("/tmp").join(format!("ionet-{:08x}", rand::random::<u32>()))
}

/// Only what has such a name is ever removed, whatever a damaged file says.
fn is_temp_dir(path: &Path) -> bool {
    path.parent() == Some(Path::new("/tmp"))
        && path.file_name().and_then(OsStr::to_str).is_some_and(|name| name.starts_with("ionet-") && name.len() == 14)
}

async fn remove_dir(dir: &Path) {
    // A process that ended a moment ago may still have written something.
    for _ in 0..20 {
        let removed = tokio::task::spawn_blocking({
            let dir = dir.to_owned();
            move || fs::remove_dir_all(dir)
        });
        match removed.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => return,
            result => tracing::debug!(dir = %dir.display(), ?result, "directory not removed yet"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tracing::warn!(dir = %dir.display(), "directory cannot be removed");
}

#[expect(unsafe_code, reason = "there is no safe way to start a process in a session of its own")]
fn new_session(command: &mut Command, keep_to_cores: impl Fn() + Send + Sync + 'static) {
    // SAFETY: between fork and exec only the system calls `setsid` and `sched_setaffinity` are made, which are async-signal-safe; the set of
    // processors was made before, and no memory is taken or given back.
    unsafe {
        command.pre_exec(move || {
            keep_to_cores();
            nix::unistd::setsid().map(|_| ()).map_err(Into::into)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_temporary_directories_are_removed() {
        assert!(is_temp_dir(&new_temp_dir()));
        for path in ["", "/", "/tmp", "/tmp/x", "/tmp/ionet-", "/tmp/ionet-x/../..", "/home/ionet-00000000", "/tmp/../ionet-00000000"] {
            assert!(!is_temp_dir(Path::new(path)), "{path}");
        }
    }
}
