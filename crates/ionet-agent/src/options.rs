//! What a supplier can choose about an agent.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use ionet_types::{Address, agent::MAX_LABEL_BYTES, market::Location};

use tokio::sync::watch;

use crate::{AgentError, Link};

/// How an agent is to run.
#[derive(Debug, Clone)]
pub struct AgentOptions {
    /// The agent's directory: its key, its state, and a directory for each node that it runs.
    pub dir: PathBuf,
    /// URL of the hub, such as `http://127.0.0.1:4466` or `https://hub.example.org`.
    pub hub_url: String,
    /// Name for people to tell devices apart.
    pub label: Option<String>,
    /// Where the device is.
    pub location: Location,
    /// Whether several customers may share the device, each with GPUs of its own. Only for devices with GPUs; others are given whole.
    pub shared: bool,
    /// The wallet that owns the device: only it may register the device on chain, stake on it and choose where its rewards go.
    pub owner: Option<Address>,
    /// What lets the device in where the network does not know it yet; not sent any more once it is known.
    pub join_token: Option<String>,
    /// Where to tell how the connection is.
    pub link: Option<watch::Sender<Link>>,
    /// Name of the network that the device belongs to. If absent, the first network that welcomes the device is remembered in `dir`.
    pub network: Option<String>,
    /// Logical CPUs to offer; all of the machine if absent.
    pub cpus: Option<u32>,
    /// Memory to offer in MiB; all of the machine if absent.
    pub memory_mb: Option<u64>,
    /// Where made runtimes (Python environments) are kept and shared between agents.
    pub runtime_cache_dir: PathBuf,
    /// Python to make environments with, 3.10 or newer.
    pub python: PathBuf,
    /// Address on which nodes listen and find each other. Loopback serves clusters whose nodes are all on this machine.
    pub node_ip: IpAddr,
    /// Shared memory for Ray's objects in MiB, where the hub does not say.
    pub object_store_mb: u64,
    /// How long processes may take to end after being asked to, before they are killed.
    pub stop_grace: Duration,
}

impl AgentOptions {
    /// Options with everything else at its default.
    pub fn new(dir: impl Into<PathBuf>, hub_url: impl Into<String>) -> Self {
        Self {
            dir: dir.into(),
            hub_url: hub_url.into(),
            label: None,
            location: Location::UNKNOWN,
            shared: false,
            owner: None,
            join_token: None,
            link: None,
            network: None,
            cpus: None,
            memory_mb: None,
            runtime_cache_dir: default_cache_dir(),
            python: PathBuf::from("python3"),
            node_ip: IpAddr::from([127, 0, 0, 1]),
            object_store_mb: 200,
            stop_grace: Duration::from_secs(3),
        }
    }

    pub(crate) fn check(&self) -> Result<(), AgentError> {
        let invalid = |option, value: String, reason: &str| AgentError::InvalidOption { option, value, reason: reason.to_owned() };
        if let Some(label) = self.label.as_ref().filter(|label| label.len() > MAX_LABEL_BYTES) {
            return Err(invalid("label", label.clone(), "at most 64 bytes"));
        }
        if self.cpus == Some(0) {
            return Err(invalid("cpus", "0".to_owned(), "at least 1"));
        }
        if self.memory_mb.is_some_and(|mb| mb < 256) {
            return Err(invalid("memory_mb", self.memory_mb.unwrap_or_default().to_string(), "at least 256"));
        }
        // Ray refuses a smaller store.
        if self.object_store_mb < 80 {
            return Err(invalid("object_store_mb", self.object_store_mb.to_string(), "at least 80"));
        }
        if self.node_ip.is_unspecified() || self.node_ip.is_multicast() {
            return Err(invalid("node_ip", self.node_ip.to_string(), "one address of this machine"));
        }
        Ok(())
    }
}

/// `$IONET_CACHE_DIR`, or `~/.cache/ionet`, or a directory for this user in the temporary directory.
pub fn default_cache_dir() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("IONET_CACHE_DIR")
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("ionet")))
        .or_else(|| set("HOME").map(|dir| dir.join(".cache/ionet")))
        .unwrap_or_else(|| std::env::temp_dir().join(format!("ionet-cache-{}", nix::unistd::Uid::effective())))
}
