//! What the agent must know again after a crash, as files: what the hub wants, and what was begun for it.
//!
//! Every file is replaced whole, so that a crash leaves the old or the new one.

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use ionet_types::agent::{DesiredState, NodeShare, RayEndpoints, StopReason, WorkloadKey, workload::Token};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{AgentError, clock::Timeline, processes::ProcessId};

/// What was begun for a node. Written before the first process starts; removed after the last one is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) key: WorkloadKey,
    pub(crate) attempt: u32,
    pub(crate) phase: Phase,
    pub(crate) since_unix_secs: i64,
    /// The machine's start under which the processes run.
    pub(crate) boot_id: String,
    pub(crate) plan: Plan,
    pub(crate) processes: Vec<Tracked>,
}

/// How far a node is, as its record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// Its processes start.
    Starting,
    /// It works.
    Ready,
    /// It does not work, and nothing of it runs.
    Failed {
        /// Stable reason in snake_case.
        code: String,
        /// The reason for a person.
        message: String,
        /// Whether a new attempt on this device may go better.
        retryable: bool,
    },
    /// It was ended, and nothing of it runs.
    Stopped {
        /// Why.
        reason: StopReason,
    },
}

/// What was chosen for a node before it starts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Plan {
    /// Directory of the node's processes, with a short path because sockets lie in it.
    pub(crate) temp_dir: PathBuf,
    /// Where the node answers.
    pub(crate) endpoints: Option<RayEndpoints>,
    /// Its ports by use.
    pub(crate) ports: BTreeMap<String, u16>,
    /// Name of the node within its cluster.
    pub(crate) node_id: String,
    /// Version of what runs.
    pub(crate) version: Option<String>,
    /// What of the machine it has, where others have the rest; kept as it began with, whatever the hub says later.
    #[serde(default)]
    pub(crate) share: Option<NodeShare>,
    /// The machine's processors that it runs on; empty for any.
    #[serde(default)]
    pub(crate) cores: Vec<u16>,
    /// CUDA's name of the hardware instance that was made for it.
    #[serde(default)]
    pub(crate) instance: Option<String>,
    /// Memory of the GPU that it has a part of, MiB.
    #[serde(default)]
    pub(crate) gpu_memory_mb: Option<u64>,
}

/// One process that the agent started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tracked {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) id: ProcessId,
    /// Whether the node is dead without it.
    pub(crate) is_essential: bool,
}

/// What the hub wants, and the time that its leases are read by: in one file, so that they are never of different age.
#[derive(Serialize, Deserialize)]
struct Told<D> {
    #[serde(flatten)]
    desired: D,
    /// Absent in a file of an older agent.
    #[serde(default = "Option::default")]
    clock: Option<Timeline>,
}

/// The agent's directory.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    dir: PathBuf,
}

impl Store {
    /// Opens the directory, makes it if needed.
    pub(crate) fn open(dir: &Path) -> Result<Self, AgentError> {
        let private = |path: &Path| fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
        for path in [dir.to_owned(), dir.join("nodes")] {
            private(&path).map_err(AgentError::file("cannot make", &path))?;
        }
        // Node directories are given to programs that change their working directory.
        let dir = dir.canonicalize().map_err(AgentError::file("cannot find", dir))?;
        Ok(Self { dir })
    }

    /// A directory that is only looked at.
    pub(crate) fn at(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The network that the device belongs to.
    pub(crate) fn network(&self) -> Result<Option<String>, AgentError> {
        self.read("network.json")
    }

    pub(crate) fn set_network(&self, network: &str) -> Result<(), AgentError> {
        self.write("network.json", &network, true)
    }

    /// The secret that the hub gave this device last; `None` before it gave one.
    pub(crate) fn credential(&self) -> Result<Option<Token>, AgentError> {
        let secret: Option<String> = self.read("credential.json")?;
        Ok(secret.map(Token::new))
    }

    /// Keeps a new secret before it is ever used: not even a loss of power may bring the old one back.
    pub(crate) fn set_credential(&self, credential: &Token) -> Result<(), AgentError> {
        self.write("credential.json", &credential.reveal(), true)
    }

    /// What the hub last wanted and the time as it was written with it, `None` before it ever said.
    pub(crate) fn desired(&self) -> Result<Option<(DesiredState, Option<Timeline>)>, AgentError> {
        let told: Option<Told<DesiredState>> = self.read("desired.json")?;
        Ok(told.map(|told| (told.desired, told.clock)))
    }

    pub(crate) fn set_desired(&self, desired: &DesiredState, clock: &Timeline) -> Result<(), AgentError> {
        self.write("desired.json", &Told { desired, clock: Some(clock.clone()) }, true)
    }

    pub(crate) fn record(&self, key: WorkloadKey) -> Result<Option<Record>, AgentError> {
        self.read(&record_name(key))
    }

    /// `durable`: not even a loss of power may undo it. What only describes processes need not be: they would be gone as well.
    pub(crate) fn set_record(&self, record: &Record, durable: bool) -> Result<(), AgentError> {
        self.write(&record_name(record.key), record, durable)
    }

    pub(crate) fn remove_record(&self, key: WorkloadKey) -> Result<(), AgentError> {
        let path = self.dir.join(record_name(key));
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(AgentError::file("cannot remove", path)(error)),
            _ => Ok(()),
        }
    }

    /// The nodes that something was begun for.
    pub(crate) fn recorded_keys(&self) -> Result<Vec<WorkloadKey>, AgentError> {
        let dir = self.dir.join("nodes");
        let entries = fs::read_dir(&dir).map_err(AgentError::file("cannot read", &dir))?;
        Ok(entries.flatten().filter_map(|entry| parse_key(entry.file_name().to_str()?.strip_suffix(".json")?)).collect())
    }

    /// What was begun for other nodes than this.
    pub(crate) fn other_records(&self, key: WorkloadKey) -> Result<Vec<Record>, AgentError> {
        let others = self.recorded_keys()?.into_iter().filter(|other| *other != key);
        others.filter_map(|other| self.record(other).transpose()).collect()
    }

    /// The directory of a node: its working directory and home.
    pub(crate) fn node_dir(&self, key: WorkloadKey) -> PathBuf {
        self.dir.join("nodes").join(key.to_string())
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, AgentError> {
        let path = self.dir.join(name);
        match fs::read(&path) {
            Ok(bytes) => match serde_json::from_slice(&bytes) {
                Ok(value) => Ok(Some(value)),
                Err(error) => Err(AgentError::Damaged { path, reason: error.to_string() }),
            },
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(AgentError::file("cannot read", path)(error)),
        }
    }

    fn write(&self, name: &str, value: &impl Serialize, durable: bool) -> Result<(), AgentError> {
        let path = self.dir.join(name);
        let draft = self.dir.join(format!("{name}.new"));
        let replace = || -> std::io::Result<()> {
            let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(&serde_json::to_vec(value)?)?;
            if durable {
                file.sync_all()?;
            }
            fs::rename(&draft, &path)?;
            if durable {
                fs::File::open(path.parent().unwrap_or(&self.dir))?.sync_all()?;
            }
            Ok(())
        };
        replace().map_err(AgentError::file("cannot write", &path))
    }
}

fn record_name(key: WorkloadKey) -> String {
    format!("nodes/{key}.json")
}

/// Reads the text form of a key.
pub(crate) fn parse_key(text: &str) -> Option<WorkloadKey> {
    let (cluster_id, node) = text.split_once('.')?;
    let key = WorkloadKey { cluster_id: uuid::Uuid::try_parse(cluster_id).ok()?, node: node.parse().ok()? };
    (key.to_string() == text).then_some(key)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn record(node: u16) -> Record {
        Record {
            key: WorkloadKey { cluster_id: uuid::Uuid::from_u128(5), node },
            attempt: 1,
            phase: Phase::Failed { code: "x".into(), message: "y".into(), retryable: true },
            since_unix_secs: 3,
            boot_id: "b".into(),
            plan: Plan { temp_dir: "/tmp/ionet-1".into(), ports: [("gcs".to_owned(), 1)].into(), ..Plan::default() },
            processes: vec![Tracked { name: "a".into(), id: ProcessId { pid: 1, start_ticks: 2 }, is_essential: true }],
        }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("new")).unwrap();
        assert_eq!((store.desired().unwrap(), store.network().unwrap()), (None, None));
        let desired = DesiredState { revision: 9, ..DesiredState::default() };
        let clock = Timeline { boot_id: "b".into(), steady_secs: 5, unix_secs: 1_800_000_000 };
        store.set_desired(&desired, &clock).unwrap();
        store.set_network("local").unwrap();
        assert!(store.credential().unwrap().is_none());
        store.set_credential(&Token::new("ionet_dev_first")).unwrap();
        store.set_credential(&Token::new("ionet_dev_second")).unwrap();
        store.set_record(&record(1), true).unwrap();
        store.set_record(&record(2), false).unwrap();
        fs::create_dir(store.node_dir(record(1).key)).unwrap();

        let store = Store::open(&dir.path().join("new")).unwrap();
        assert_eq!(store.desired().unwrap(), Some((desired.clone(), Some(clock))));
        assert_eq!(store.network().unwrap().as_deref(), Some("local"));
        assert_eq!(store.credential().unwrap().unwrap().reveal(), "ionet_dev_second");
        assert_eq!(store.record(record(2).key).unwrap(), Some(record(2)));
        let mut keys = store.recorded_keys().unwrap();
        keys.sort();
        assert_eq!(keys, [record(1).key, record(2).key]);
        store.remove_record(record(1).key).unwrap();
        store.remove_record(record(1).key).unwrap();
        assert_eq!(store.recorded_keys().unwrap(), [record(2).key]);
        let mode = |name: &str| fs::metadata(dir.path().join("new").join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("desired.json"), mode("credential.json"), mode(".")), (0o600, 0o600, 0o700), "tokens lie in it");
    }

    #[test]
    fn what_an_older_agent_wrote_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let key = record(1).key;
        let workload = serde_json::json!({"cluster_id": key.cluster_id, "node": 1, "lease_until_unix_secs": 7, "spec": {"kind": "x"}});
        let text = serde_json::json!({"revision": 3, "workloads": [workload]}).to_string();
        fs::write(dir.path().join("desired.json"), text).unwrap();
        let (desired, clock) = store.desired().unwrap().unwrap();
        assert_eq!((desired.revision, desired.workloads[0].key, clock), (3, key, None));
    }

    #[test]
    fn damage_is_told_and_not_taken_for_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        fs::write(dir.path().join("desired.json"), r#"{"revision":"#).unwrap();
        assert_eq!(store.desired().unwrap_err().code(), "agent_file_damaged");
    }
}
