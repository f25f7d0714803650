//! The processes of a node, exactly as the pinned version of Ray starts them itself: programs, arguments, environment, directories.

use std::{
    fs,
    net::IpAddr,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{
    environment::{Facts, RAY_VERSION},
    port,
};
use crate::{NodeFailure, node::Node, store::Plan};

/// Commit of the pinned version; Ray's processes tell each other.
const RAY_COMMIT: &str = "b7f4259e944bf6959f721b106adc366ddfa0c356";
const ROTATE_BYTES: u64 = 64 << 20;
const ROTATE_FILES: u32 = 3;

/// What a node offers to Ray.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resources {
    pub(super) cpus: u32,
    pub(super) gpus: u32,
    pub(super) memory_mb: u64,
    pub(super) object_store_mb: u64,
}

/// Everything that the processes of one node must agree on.
pub(super) struct Layout<'a> {
    pub(super) python: PathBuf,
    pub(super) ip: IpAddr,
    pub(super) token: &'a str,
    pub(super) is_head: bool,
    pub(super) plan: Plan,
    pub(super) gcs: (String, u16),
    pub(super) session: String,
    /// Empty before the state service is up.
    pub(super) cluster_id: String,
}

impl Layout<'_> {
    fn session_dir(&self) -> PathBuf {
        self.plan.temp_dir.join(&self.session)
    }

    fn logs(&self) -> PathBuf {
        self.session_dir().join("logs")
    }

    fn resources_dir(&self) -> PathBuf {
        self.session_dir().join("runtime_resources")
    }

    fn socket(&self, name: &str) -> PathBuf {
        self.session_dir().join("sockets").join(name)
    }

    /// File for what a process prints.
    pub(super) fn log(&self, name: &str) -> PathBuf {
        self.logs().join(name)
    }

    /// Makes the directories that Ray expects.
    pub(super) fn make_dirs(&self) -> Result<(), NodeFailure> {
        let make = || -> std::io::Result<()> {
            for dir in [self.session_dir().join("sockets"), self.logs().join("old"), self.resources_dir()] {
                fs::create_dir_all(dir)?;
            }
            // From it a job learns which of the clusters on this machine is its own.
            fs::write(self.plan.temp_dir.join("ray_current_cluster"), self.gcs_address())?;
            std::os::unix::fs::symlink(self.session_dir(), self.plan.temp_dir.join("session_latest"))
        };
        make().map_err(|error| NodeFailure::retryable("directory_unusable", format!("{}: {error}", self.plan.temp_dir.display())))
    }

    /// Directory of the Ray package.
    fn package(&self) -> PathBuf {
        let lib = self.python.parent().and_then(Path::parent).map(|venv| venv.join("lib")).unwrap_or_default();
        let versions = fs::read_dir(lib).into_iter().flatten().flatten();
        let found = versions.map(|python| python.path().join("site-packages/ray")).find(|path| path.is_dir());
        found.unwrap_or_else(|| PathBuf::from("ray"))
    }

    /// `host:port` of the state service as Ray's programs are told it.
    ///
    /// They replace a loopback address by that of the machine's network card, on which a node on loopback does not listen. The same
    /// address in IPv6 form they leave alone.
    fn gcs_address(&self) -> String {
        match self.gcs.0.parse::<IpAddr>() {
            Ok(IpAddr::V4(ip)) if ip.is_loopback() => join(&ip.to_ipv6_mapped().to_string(), self.gcs.1),
            _ => join(&self.gcs.0, self.gcs.1),
        }
    }

    fn command(&self, node: &Node, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = node.command(program);
        let bin = self.python.parent().map(Path::to_owned).unwrap_or_default();
        let path = std::env::var("PATH").unwrap_or_else(|_| "/usr/local/bin:/usr/bin:/bin".to_owned());
        command
            // Jobs find the right Python by it.
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("VIRTUAL_ENV", bin.parent().unwrap_or(&bin))
            .env("RAY_AUTH_MODE", "token")
            .env("RAY_AUTH_TOKEN", self.token)
            .env("RAY_USAGE_STATS_ENABLED", "0")
            .env("RAY_CLIENT_MODE", "0")
            .env("PYTHONUNBUFFERED", "1")
            .env("LD_PRELOAD", self.package().join("core/libjemalloc.so"))
            .env("RAY_LD_PRELOAD_ON_WORKERS", "0");
        command
    }

    /// The cluster's state service.
    pub(super) fn gcs_server(&self, node: &Node) -> Command {
        let session_dir = self.session_dir();
        let spill = json!({"type": "filesystem", "params": {"directory_path": session_dir}});
        let config = json!({
            "automatic_object_spilling_enabled": true,
            "object_spilling_config": spill.to_string(),
            "is_external_storage_type_fs": true,
        });
        let mut command = self.command(node, self.package().join("core/src/ray/gcs/gcs_server"));
        command
            .arg(format!("--log_dir={}", self.logs().display()))
            .arg(format!("--config_list={}", STANDARD.encode(config.to_string())))
            .arg(format!("--gcs_server_port={}", self.gcs.1))
            .arg(format!("--metrics-agent-port={}", self.plan.ports.get("metrics_agent").copied().unwrap_or(0)))
            .arg(format!("--node-ip-address={}", self.ip))
            .arg(format!("--session-name={}", self.session))
            .arg(format!("--ray-commit={RAY_COMMIT}"))
            .arg(format!("--session-dir={}", session_dir.display()))
            .arg(format!("--node-id={}", self.plan.node_id))
            .args(self.output_files("gcs_server", '_'));
        command
    }

    /// What Ray's processes and programs look up about their cluster: namespace, key, value.
    pub(super) fn cluster_facts(&self, facts: &Facts) -> [(&'static str, &'static str, String); 3] {
        let versions = json!({"ray_version": RAY_VERSION, "python_version": facts.python_version, "ray_init_cluster": false});
        [
            ("cluster", "CLUSTER_METADATA", versions.to_string()),
            ("dashboard", "webui:url", self.dashboard_address()),
            ("session", "session_name", self.session.clone()),
        ]
    }

    fn dashboard_address(&self) -> String {
        join(&self.ip.to_string(), self.plan.ports.get("dashboard").copied().unwrap_or(0))
    }

    /// The dashboard with the Jobs API.
    pub(super) fn dashboard(&self, node: &Node) -> Result<Command, NodeFailure> {
        let mut command = self.command(node, &self.python);
        command
            .arg(self.package().join("dashboard/dashboard.py"))
            .arg(format!("--host={}", self.ip))
            .arg(format!("--port={}", port(&self.plan, "dashboard")?))
            .arg("--port-retries=0")
            .arg(format!("--temp-dir={}", self.plan.temp_dir.display()))
            .arg(format!("--log-dir={}", self.logs().display()))
            .arg(format!("--session-dir={}", self.session_dir().display()))
            .args(rotation())
            .arg(format!("--gcs-address={}", self.gcs_address()))
            .arg(format!("--cluster-id-hex={}", self.cluster_id))
            .arg(format!("--node-ip-address={}", self.ip))
            .arg("--proxy-server-url=")
            .args(self.output_files("dashboard", '-'));
        Ok(command)
    }

    /// The process that sends what tasks print to their program.
    pub(super) fn log_monitor(&self, node: &Node) -> Command {
        let mut command = self.command(node, &self.python);
        command
            .arg("-u")
            .arg(self.package().join("_private/log_monitor.py"))
            .arg(format!("--session-dir={}", self.session_dir().display()))
            .arg(format!("--logs-dir={}", self.logs().display()))
            .arg(format!("--gcs-address={}", self.gcs_address()))
            .arg(format!("--node-ip-address={}", self.ip))
            .args(rotation())
            .args(self.output_files("log_monitor", '-'));
        command
    }

    /// The node's own manager, which starts the node's agents and workers itself.
    pub(super) fn raylet(&self, node: &Node, resources: &Resources) -> Result<Command, NodeFailure> {
        let (temp_dir, session_dir, logs) = (&self.plan.temp_dir, self.session_dir(), self.logs());
        let object_store_bytes = resources.object_store_mb << 20;
        let mut offered = vec![format!("node:{},1.0", self.ip)];
        if self.is_head {
            offered.push("node:__internal_head__,1.0".to_owned());
        }
        offered.push(format!("CPU,{}", resources.cpus));
        if resources.gpus > 0 {
            offered.push(format!("GPU,{}", resources.gpus));
        }
        offered.push(format!("memory,{}", resources.memory_mb << 20));
        offered.push(format!("object_store_memory,{object_store_bytes}"));
        let shared_memory = Path::new("/dev/shm");
        let fits = fs2::available_space(shared_memory).is_ok_and(|free| free > object_store_bytes);
        let plasma_dir = if fits { shared_memory } else { temp_dir.as_path() };

        let mut command = self.command(node, self.package().join("core/src/ray/raylet/raylet"));
        command
            .arg(format!("--raylet_socket_name={}", self.socket("raylet").display()))
            .arg(format!("--store_socket_name={}", self.socket("plasma_store").display()))
            .arg(format!("--object_manager_port={}", port(&self.plan, "object_manager")?))
            .args(["--min_worker_port=0", "--max_worker_port=0"])
            .arg(format!("--node_manager_port={}", port(&self.plan, "node_manager")?))
            .arg(format!("--node_id={}", self.plan.node_id))
            .arg(format!("--node_ip_address={}", self.ip))
            .arg(format!("--maximum_startup_concurrency={}", resources.cpus.max(1)))
            .arg(format!("--static_resource_list={}", offered.join(",")))
            .arg(format!("--python_worker_command={}", self.worker_command()?))
            .args(["--java_worker_command=", "--cpp_worker_command="])
            .arg(format!("--native_library_path={}", self.package().join("cpp/lib").display()))
            .arg(format!("--temp_dir={}", temp_dir.display()))
            .arg(format!("--session_dir={}", session_dir.display()))
            .arg(format!("--log_dir={}", logs.display()))
            .arg(format!("--resource_dir={}", self.resources_dir().display()))
            .arg(format!("--metrics-agent-port={}", port(&self.plan, "metrics_agent")?))
            .arg(format!("--metrics_export_port={}", port(&self.plan, "metrics_export")?))
            .arg(format!("--runtime_env_agent_port={}", port(&self.plan, "runtime_env_agent")?))
            // `ray start` leaves this one out; without it the raylet joins only after its Python agents are up.
            .arg(format!("--dashboard_agent_listen_port={}", port(&self.plan, "agent_listen")?))
            .arg(format!("--object_store_memory={object_store_bytes}"))
            .arg(format!("--plasma_directory={}", plasma_dir.display()))
            .arg(format!("--fallback_directory={}", session_dir.display()))
            .arg("--ray-debugger-external=0")
            .arg(format!("--gcs-address={}", self.gcs_address()))
            .arg(format!("--session-name={}", self.session))
            .arg("--labels=")
            .arg(format!("--cluster-id={}", self.cluster_id))
            .args(self.output_files("raylet", '_'))
            .arg(format!("--num_prestart_python_workers={}", resources.cpus))
            .arg(format!("--dashboard_agent_command={}", self.dashboard_agent_command()?))
            .arg(format!("--runtime_env_agent_command={}", self.runtime_env_agent_command()?))
            // By this name customers find the nodes of their cluster in Ray's own answers.
            .arg(format!("--node-name={}", node.key()));
        if self.is_head {
            command.arg("--head");
        }
        Ok(command)
    }

    fn worker_command(&self) -> Result<String, NodeFailure> {
        let workers = self.package().join("_private/workers");
        let mut words = vec![self.python.display().to_string()];
        words.push(workers.join("setup_worker.py").display().to_string());
        words.push(workers.join("default_worker.py").display().to_string());
        words.push(format!("--node-ip-address={}", self.ip));
        words.push("--node-manager-port=RAY_NODE_MANAGER_PORT_PLACEHOLDER".to_owned());
        words.push(format!("--object-store-name={}", self.socket("plasma_store").display()));
        words.push(format!("--raylet-name={}", self.socket("raylet").display()));
        words.push("--redis-address=None".to_owned());
        words.push(format!("--metrics-agent-port={}", port(&self.plan, "metrics_agent")?));
        words.extend(rotation());
        words.push(format!("--runtime-env-agent-port={}", port(&self.plan, "runtime_env_agent")?));
        words.push(format!("--gcs-address={}", self.gcs_address()));
        words.push(format!("--session-name={}", self.session));
        words.push(format!("--temp-dir={}", self.plan.temp_dir.display()));
        let webui = if self.is_head { self.dashboard_address() } else { String::new() };
        words.push(format!("--webui={webui}"));
        words.push(format!("--cluster-id={}", self.cluster_id));
        words.push("RAY_WORKER_DYNAMIC_OPTION_PLACEHOLDER".to_owned());
        line(&words)
    }

    fn dashboard_agent_command(&self) -> Result<String, NodeFailure> {
        let mut words = vec![self.python.display().to_string(), "-u".to_owned()];
        words.push(self.package().join("dashboard/agent.py").display().to_string());
        words.push(format!("--node-id={}", self.plan.node_id));
        words.push(format!("--node-ip-address={}", self.ip));
        words.push(format!("--metrics-export-port={}", port(&self.plan, "metrics_export")?));
        words.push(format!("--grpc-port={}", port(&self.plan, "metrics_agent")?));
        words.push(format!("--listen-port={}", port(&self.plan, "agent_listen")?));
        words.push("--node-manager-port=RAY_NODE_MANAGER_PORT_PLACEHOLDER".to_owned());
        words.push(format!("--object-store-name={}", self.socket("plasma_store").display()));
        words.push(format!("--raylet-name={}", self.socket("raylet").display()));
        words.push(format!("--temp-dir={}", self.plan.temp_dir.display()));
        words.push(format!("--session-dir={}", self.session_dir().display()));
        words.push(format!("--log-dir={}", self.logs().display()));
        words.extend(rotation());
        words.push(format!("--session-name={}", self.session));
        words.push(format!("--gcs-address={}", self.gcs_address()));
        words.push(format!("--cluster-id-hex={}", self.cluster_id));
        words.extend(self.output_files("dashboard_agent", '-'));
        words.push("--logging-filename=dashboard_agent.log".to_owned());
        if self.is_head {
            words.push("--head".to_owned());
        }
        line(&words)
    }

    fn runtime_env_agent_command(&self) -> Result<String, NodeFailure> {
        let mut words = vec![self.python.display().to_string(), "-u".to_owned()];
        words.push(self.package().join("_private/runtime_env/agent/main.py").display().to_string());
        words.push(format!("--node-id={}", self.plan.node_id));
        words.push(format!("--node-ip-address={}", self.ip));
        words.push(format!("--runtime-env-agent-port={}", port(&self.plan, "runtime_env_agent")?));
        words.push(format!("--session-dir={}", self.session_dir().display()));
        words.push(format!("--gcs-address={}", self.gcs_address()));
        words.push(format!("--cluster-id-hex={}", self.cluster_id));
        words.push(format!("--runtime-env-dir={}", self.resources_dir().display()));
        words.extend(rotation());
        words.push(format!("--log-dir={}", self.logs().display()));
        words.push(format!("--temp-dir={}", self.plan.temp_dir.display()));
        words.extend(self.output_files("runtime_env_agent", '-'));
        words.push("--logging-filename=runtime_env_agent.log".to_owned());
        line(&words)
    }

    /// Where a process writes what it prints; Ray's programs do not agree on how to spell it.
    fn output_files(&self, name: &str, separator: char) -> [String; 2] {
        ["out", "err"].map(|kind| format!("--std{kind}{separator}filepath={}", self.log(&format!("{name}.{kind}")).display()))
    }
}

/// A new session's name, of the form that Ray's programs expect.
pub(super) fn new_session_name() -> String {
    // A date, microseconds and a process id: only the form matters, and that the name is new.
    format!("session_2020-01-01_00-00-00_{:06}_{}", rand::random_range(0..1_000_000), std::process::id())
}

/// The last lines of the logs that may say why a node did not start.
pub(super) fn last_errors(temp_dir: &Path) -> String {
    let logs = temp_dir.join("session_latest/logs");
    let tail = |name: &str| {
        let text = fs::read(logs.join(name)).ok()?;
        let text = String::from_utf8_lossy(&text[text.len().saturating_sub(2000)..]).into_owned();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines[lines.len().saturating_sub(2)..].join("\n");
        (!last.is_empty()).then(|| format!("{name}: {last}"))
    };
    let found = ["gcs_server.err", "raylet.err", "dashboard.err", "gcs_server.out", "raylet.out"].into_iter().filter_map(tail);
    found.take(2).collect::<Vec<_>>().join("\n")
}

fn rotation() -> [String; 2] {
    [format!("--logging-rotate-bytes={ROTATE_BYTES}"), format!("--logging-rotate-backup-count={ROTATE_FILES}")]
}

fn join(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}

/// One command line of words, which the raylet cuts at spaces.
fn line(words: &[String]) -> Result<String, NodeFailure> {
    match words.iter().find(|word| word.contains([' ', '"', '\'', '\\', '\t', '\n'])) {
        Some(word) => Err(NodeFailure::lasting("path_unfit", format!("{word:?} holds a space or quote, which Ray cannot start"))),
        None => Ok(words.join(" ")),
    }
}
