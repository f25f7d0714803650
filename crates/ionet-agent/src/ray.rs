//! Runs nodes of Ray clusters.
//!
//! `ray start` is not used: it imports Ray for a second, starts one process after the other, waits a tenth of a second or a whole one
//! between looks, and listens on all addresses. Here the processes that it would start are started directly and at once, as the pinned
//! version of Ray starts them, with all ports chosen before, and Ray's state service is asked over gRPC how far things are. A worker
//! starts as soon as the head's port is known and waits for the head only where it must.
//!
//! Not started: the autoscaler's monitor, which has nothing to scale, and the Ray Client server.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use ionet_types::agent::{Gpu, GpuPart, NodeShare, RayEndpoints, RayNode, RayRole, WorkloadSpec};
use ionet_types::market::GpuInstance;
use tokio::{
    net::TcpStream,
    time::{Instant, sleep},
};

use crate::{
    AgentOptions, NodeFailure,
    gpus::{self, mig::Mig},
    node::Node,
    ports,
    runtime::{Progress, Runtime},
    store::{Plan, Tracked},
};

mod environment;
mod gcs;
mod processes;

pub use environment::{RAY_VERSION, RayEnvironment};

use gcs::Gcs;
use processes::{Layout, Resources};

/// How long a node may take to become ready.
const START_TIMEOUT: Duration = Duration::from_mins(2);
/// Pause between two looks at how far a node is.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Runs Ray from a Python environment that it makes itself.
pub(crate) struct RayRuntime {
    environment: RayEnvironment,
    node_ip: IpAddr,
    object_store_mb: u64,
    memory_mb: Option<u64>,
    mig: Mig,
    /// Looks at the machine's GPUs.
    gpus: fn() -> Vec<Gpu>,
}

impl RayRuntime {
    pub(crate) fn new(options: &AgentOptions) -> Self {
        Self {
            environment: RayEnvironment::new(options.runtime_cache_dir.clone(), options.python.clone()),
            node_ip: options.node_ip,
            object_store_mb: options.object_store_mb,
            memory_mb: options.memory_mb,
            mig: Mig::default(),
            gpus: || crate::probe::gpus().0,
        }
    }

    /// The same on a machine of which these are the GPUs.
    #[cfg(test)]
    pub(crate) fn on(self, gpus: fn() -> Vec<Gpu>) -> Self {
        Self { gpus, ..self }
    }

    fn layout<'a>(&'a self, node: &Node, ray: &'a RayNode, session: String, cluster_id: String) -> Result<Layout<'a>, NodeFailure> {
        Ok(Layout {
            python: self.environment.python()?,
            ip: self.node_ip,
            token: ray.token.reveal(),
            is_head: ray.role == RayRole::Head,
            plan: node.plan(),
            gcs: self.gcs_address(node, ray)?,
            session,
            cluster_id,
        })
    }

    /// `host:port` of the cluster's state service.
    fn gcs_address(&self, node: &Node, ray: &RayNode) -> Result<(String, u16), NodeFailure> {
        match (ray.role, &ray.head) {
            (RayRole::Head, _) => Ok((self.node_ip.to_string(), port(&node.plan(), "gcs")?)),
            (RayRole::Worker, Some(head)) => Ok((head.host.clone(), head.gcs_port)),
            (RayRole::Worker, None) => Err(NodeFailure::retryable("head_unknown", "the worker was not told where its head is")),
        }
    }

    fn resources(&self, ray: &RayNode) -> Resources {
        let object_store_mb = ray.object_store_mb.unwrap_or(self.object_store_mb);
        // As Ray does: some is left for everything else on the machine.
        let memory_mb = ray.memory_mb.or(self.memory_mb).unwrap_or_else(|| crate::probe::machine_memory_mb() * 7 / 10);
        Resources { cpus: ray.cpus, gpus: ray.gpus, memory_mb: memory_mb.saturating_sub(object_store_mb).max(64), object_store_mb }
    }

    async fn start_head(&self, node: &Node, ray: &RayNode) -> Result<(), NodeFailure> {
        let session = processes::new_session_name();
        let early = self.layout(node, ray, session.clone(), String::new())?;
        early.make_dirs()?;
        node.spawn("gcs", true, &early.log("gcs_server.out"), early.gcs_server(node))?;
        let gcs = wait("the cluster's state service", node, || async { Gcs::connect(&early.gcs, ray.token.reveal()).await.ok() }).await?;
        let layout = self.layout(node, ray, session, gcs.cluster_id().to_owned())?;
        node.spawn("dashboard", false, &layout.log("dashboard.out"), layout.dashboard(node)?)?;
        for (namespace, key, value) in layout.cluster_facts(&self.environment.facts()?) {
            gcs.put(namespace, key, value).await.map_err(|error| NodeFailure::retryable("ray_state_unusable", error))?;
        }
        node.spawn("raylet", true, &layout.log("raylet.out"), layout.raylet(node, &self.resources(ray))?)?;
        let node_id = node.plan().node_id;
        wait("the head to join its cluster", node, || async { gcs.is_alive(&node_id).await.ok().filter(|alive| *alive).map(|_| ()) })
            .await?;
        let dashboard = (self.node_ip, port(&node.plan(), "dashboard")?);
        wait("the Jobs API", node, || async { answers(dashboard, ray.token.reveal()).await.then_some(()) }).await?;
        // Only now: programs need it, the start does not.
        node.spawn("log_monitor", false, &layout.log("log_monitor.out"), layout.log_monitor(node))?;
        // The Jobs API hands jobs to this one.
        let job_agent = (self.node_ip, port(&node.plan(), "agent_listen")?);
        wait("the head's agent", node, || async { TcpStream::connect(job_agent).await.ok().map(|_| ()) }).await
    }

    async fn start_worker(&self, node: &Node, ray: &RayNode) -> Result<(), NodeFailure> {
        let address = self.gcs_address(node, ray)?;
        // The head may just be starting.
        let gcs = wait("the head's state service", node, || async { Gcs::connect(&address, ray.token.reveal()).await.ok() }).await?;
        let session = wait("the head's session", node, || async { gcs.get("session", "session_name").await.ok().flatten() }).await?;
        let layout = self.layout(node, ray, session, gcs.cluster_id().to_owned())?;
        layout.make_dirs()?;
        node.spawn("raylet", true, &layout.log("raylet.out"), layout.raylet(node, &self.resources(ray))?)?;
        node.spawn("log_monitor", false, &layout.log("log_monitor.out"), layout.log_monitor(node))?;
        let node_id = node.plan().node_id;
        wait("the worker to join its cluster", node, || async { gcs.is_alive(&node_id).await.ok().filter(|alive| *alive).map(|_| ()) })
            .await
    }
}

#[async_trait]
impl Runtime for RayRuntime {
    async fn prepare(&self, spec: &WorkloadSpec, progress: Progress<'_>) -> Result<(), NodeFailure> {
        match spec {
            WorkloadSpec::Ray(ray) if ray.token.is_well_formed() => self.environment.ensure(progress).await,
            WorkloadSpec::Ray(_) => Err(NodeFailure::lasting("token_invalid", "the cluster's token is not well formed")),
            WorkloadSpec::Unknown => Err(NodeFailure::lasting("workload_not_supported", "this agent does not know this kind of workload")),
        }
    }

    fn waits_for(&self, spec: &WorkloadSpec) -> Option<&'static str> {
        match spec {
            WorkloadSpec::Ray(RayNode { role: RayRole::Worker, head: None, .. }) => Some("its head's address"),
            _ => None,
        }
    }

    async fn plan(&self, spec: &WorkloadSpec) -> Result<Plan, NodeFailure> {
        let WorkloadSpec::Ray(ray) = spec else {
            return Err(NodeFailure::lasting("workload_not_supported", "this agent does not know this kind of workload"));
        };
        let mut uses = vec!["node_manager", "object_manager", "metrics_agent", "metrics_export", "agent_listen", "runtime_env_agent"];
        if ray.role == RayRole::Head {
            uses.extend(["gcs", "dashboard"]);
        }
        let free = ports::choose(self.node_ip, uses.len()).ok_or_else(|| NodeFailure::retryable("no_free_port", "no free ports"))?;
        let ports: std::collections::BTreeMap<String, u16> = uses.iter().map(|name| (*name).to_owned()).zip(free).collect();
        let endpoints = (ray.role == RayRole::Head).then(|| RayEndpoints {
            host: self.node_ip.to_string(),
            gcs_port: ports["gcs"],
            dashboard_port: ports["dashboard"],
        });
        let node_id = hex::encode(rand::random::<[u8; 28]>());
        let version = Some(RAY_VERSION.to_owned());
        let plan = Plan { endpoints, ports, node_id, version, ..Plan::default() };
        let Some(share) = ray.share.clone().filter(|share| !share.gpus.is_empty()) else { return Ok(plan) };
        let there = tokio::task::spawn_blocking(self.gpus).await.unwrap_or_default();
        gpus::check(&share, &there)?;
        let of = |gpu: &&Gpu| share.gpus.iter().any(|grant| gpu.uuid.as_deref() == Some(&grant.uuid));
        Ok(Plan { gpu_memory_mb: there.iter().find(of).map(|gpu| gpu.memory_mb), ..plan })
    }

    async fn start(&self, node: &Node, spec: &WorkloadSpec) -> Result<(), NodeFailure> {
        let WorkloadSpec::Ray(ray) = spec else {
            return Err(NodeFailure::lasting("workload_not_supported", "this agent does not know this kind of workload"));
        };
        let begun = Instant::now();
        if let Some((gpu, size, start)) = instance(node.plan().share.as_ref()) {
            let name = self.mig.make(&gpu, size, start).await?;
            let kept = node.update(true, |record| record.plan.instance = Some(name));
            kept.map_err(|error| NodeFailure::retryable("agent_file_unusable", error))?;
        }
        let started = match ray.role {
            RayRole::Head => self.start_head(node, ray).await,
            RayRole::Worker => self.start_worker(node, ray).await,
        };
        match started {
            Ok(()) => {
                tracing::info!(node = %node.key(), ms = begun.elapsed().as_millis(), role = ?ray.role, "Ray is ready");
                Ok(())
            }
            Err(failure) => {
                let said = processes::last_errors(&node.plan().temp_dir);
                Err(NodeFailure { message: format!("{}\n{said}", failure.message).trim_end().to_owned(), ..failure })
            }
        }
    }

    async fn give_back(&self, node: &Node) {
        if let Some((gpu, size, start)) = instance(node.plan().share.as_ref())
            && let Err(failure) = self.mig.remove(&gpu, size, start).await
        {
            // Whoever gets this place next removes it first.
            tracing::warn!(node = %node.key(), code = failure.code, message = failure.message, "a hardware instance could not be removed");
        }
    }

    async fn revive(&self, node: &Node, spec: &WorkloadSpec, process: &Tracked) -> Result<(), NodeFailure> {
        let WorkloadSpec::Ray(ray) = spec else { return Ok(()) };
        let unreachable = |error: gcs::GcsError| NodeFailure::retryable("ray_state_unusable", error);
        let gcs = Gcs::connect(&self.gcs_address(node, ray)?, ray.token.reveal()).await.map_err(unreachable)?;
        let session = gcs.get("session", "session_name").await.map_err(unreachable)?.unwrap_or_default();
        let layout = self.layout(node, ray, session, gcs.cluster_id().to_owned())?;
        let command = match process.name.as_str() {
            "dashboard" => layout.dashboard(node)?,
            "log_monitor" => layout.log_monitor(node),
            _ => return Ok(()),
        };
        node.spawn(&process.name, false, &layout.log(&format!("{}.out", process.name)), command).map(|_| ())
    }
}

/// The hardware instance that a share is, if it is one: of which GPU, its size, and where it begins.
fn instance(share: Option<&NodeShare>) -> Option<(String, GpuInstance, u8)> {
    share?.gpus.iter().find_map(|grant| match grant.part {
        GpuPart::Instance { size, start } => Some((grant.uuid.clone(), size, start)),
        _ => None,
    })
}

fn port(plan: &Plan, name: &str) -> Result<u16, NodeFailure> {
    plan.ports.get(name).copied().ok_or_else(|| NodeFailure::retryable("plan_damaged", format!("no port for {name}")))
}

/// Looks again and again until there is an answer, the node dies, or it takes too long.
async fn wait<T, F: Future<Output = Option<T>>>(what: &str, node: &Node, mut look: impl FnMut() -> F) -> Result<T, NodeFailure> {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            tracing::debug!(node = %node.key(), what, ms = begun.elapsed().as_millis(), "waited");
            return Ok(found);
        }
        node.check_alive()?;
        if begun.elapsed() > START_TIMEOUT {
            return Err(NodeFailure::retryable("start_timed_out", format!("waited for {what} for {} s", START_TIMEOUT.as_secs())));
        }
        sleep(LOOK_EVERY).await;
    }
}

/// Whether the Jobs API answers to the cluster's token.
async fn answers(address: (IpAddr, u16), token: &str) -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let ask = async {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET /api/jobs/ HTTP/1.0\r\nhost: {}:{}\r\nauthorization: Bearer {token}\r\n\r\n", address.0, address.1);
        stream.write_all(request.as_bytes()).await?;
        let mut status = [0; 12];
        stream.read_exact(&mut status).await?;
        Ok::<bool, std::io::Error>(status.starts_with(b"HTTP/1.") && status.ends_with(b" 200"))
    };
    matches!(tokio::time::timeout(Duration::from_secs(10), ask).await, Ok(Ok(true)))
}
