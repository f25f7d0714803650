//! What a device is to run (desired) and what it runs (observed).

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{MAX_LABEL_BYTES, MAX_TEXT_BYTES, MAX_WORKLOADS, NodeShare, ProtocolError, at_most};

/// Names one node of one cluster: the place a workload runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WorkloadKey {
    /// The cluster.
    pub cluster_id: Uuid,
    /// The node in it, from 0.
    pub node: u16,
}

impl fmt::Display for WorkloadKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.cluster_id.simple(), self.node)
    }
}

/// Everything that a device is to run. A workload that runs and is not listed is stopped: nothing else ends a paid one before its lease.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DesiredState {
    /// Grows with every change within one connection; a lower one is old news and is skipped.
    pub revision: u64,
    /// The hub's clock when this was sent, unix seconds: what the leases are read by. `None` from a hub that does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hub_unix_secs: Option<i64>,
    /// The workloads, each node of each cluster at most once.
    pub workloads: Vec<DesiredWorkload>,
}

/// One node that is to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesiredWorkload {
    /// Which node.
    #[serde(flatten)]
    pub key: WorkloadKey,
    /// Until when to run it even if the hub is never heard of again, in seconds since 1970 on the hub's clock. At that moment, if no later lease
    /// has come, it stops.
    pub lease_until_unix_secs: i64,
    /// Raised by the hub to have a failed or stopped node started anew.
    #[serde(default)]
    pub attempt: u32,
    /// What to run.
    pub spec: WorkloadSpec,
}

/// What a node runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WorkloadSpec {
    /// A node of a Ray cluster.
    Ray(RayNode),
    /// A kind that this version does not know; it is reported as failed.
    #[serde(other)]
    Unknown,
}

/// Part of a node in a Ray cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RayRole {
    /// Holds the cluster's state, the dashboard and the Jobs API; also works.
    Head,
    /// Works only.
    Worker,
}

/// A node of a Ray cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RayNode {
    /// Its part.
    pub role: RayRole,
    /// How many nodes the cluster has.
    pub nodes: u16,
    /// Secret of the cluster, the same on all nodes; without it nobody talks to Ray.
    pub token: Token,
    /// Logical CPUs to offer to Ray.
    pub cpus: u32,
    /// GPUs to offer to Ray.
    #[serde(default)]
    pub gpus: u32,
    /// Memory to offer to Ray, in MiB; Ray's own choice if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
    /// Shared memory for objects, in MiB; a modest default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_store_mb: Option<u64>,
    /// Where the head is: taken from the head's report as soon as that names it. A worker prepares itself meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<RayHeadAddress>,
    /// What of the device it may use, where others use the rest; all of the device when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<NodeShare>,
}

/// Where a worker finds its head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RayHeadAddress {
    /// Host name or IP address.
    pub host: String,
    /// Port of the cluster's state service.
    pub gcs_port: u16,
}

/// A secret that no log shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

impl Token {
    /// Shortest and longest accepted token in bytes.
    pub const BYTES: std::ops::RangeInclusive<usize> = 16..=256;

    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one who must present it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether it is of a fitting length and can stand in an HTTP header.
    pub fn is_well_formed(&self) -> bool {
        Self::BYTES.contains(&self.0.len()) && self.0.bytes().all(|b| b.is_ascii_graphic())
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(redacted)")
    }
}

/// Everything that a device runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ObservedState {
    /// Revision of the desired state that this follows; 0 before the first of this connection.
    pub desired_revision: u64,
    /// The device's clock, in seconds since 1970: the times below are read against it, whatever it shows.
    pub unix_secs: i64,
    /// The workloads.
    pub workloads: Vec<ObservedWorkload>,
}

/// One node that the device knows of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObservedWorkload {
    /// Which node.
    #[serde(flatten)]
    pub key: WorkloadKey,
    /// The attempt that this is about.
    #[serde(default)]
    pub attempt: u32,
    /// How it is.
    pub state: WorkloadState,
    /// Since when, by the device's clock, in seconds since 1970.
    pub since_unix_secs: i64,
    /// Where it answers. A head names its addresses before it is up, so that workers can be told early.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<RayEndpoints>,
    /// Version of Ray that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ray_version: Option<String>,
}

/// How a node is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum WorkloadState {
    /// The software is fetched, or a worker waits to hear where its head is.
    Preparing {
        /// How far, 0 to 100.
        percent: u8,
        /// What is done now, for a person.
        detail: String,
    },
    /// Its processes start.
    Starting,
    /// It works: a head answers the Jobs API, a worker is alive in its cluster.
    Ready,
    /// It does not work and nothing of it runs any more.
    Failed {
        /// Stable reason in snake_case.
        code: String,
        /// The reason for a person.
        message: String,
        /// Whether a new attempt on this device may go better.
        retryable: bool,
    },
    /// Its processes are being ended.
    Stopping,
    /// Nothing of it runs and its directory is gone.
    Stopped {
        /// Why.
        reason: StopReason,
    },
    /// A state that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Why a node was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The hub no longer wants it.
    NotDesired,
    /// Its lease ran out and no later one came.
    LeaseOver,
    /// A reason that this version does not know.
    #[serde(other)]
    Unknown,
}

/// Where a head answers, seen from the device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RayEndpoints {
    /// The node's IP address.
    pub host: String,
    /// Port of the cluster's state service, for the workers.
    pub gcs_port: u16,
    /// Port of the dashboard and Jobs API: the only one that the tunnel reaches.
    pub dashboard_port: u16,
}

impl RayEndpoints {
    /// What workers need of it.
    pub fn head_address(&self) -> RayHeadAddress {
        RayHeadAddress { host: self.host.clone(), gcs_port: self.gcs_port }
    }
}

impl DesiredState {
    pub(super) fn check(&self) -> Result<(), ProtocolError> {
        at_most("desired.workloads", self.workloads.len(), MAX_WORKLOADS)?;
        for (index, workload) in self.workloads.iter().enumerate() {
            if self.workloads[..index].iter().any(|earlier| earlier.key == workload.key) {
                return Err(out_of_bounds("desired.workloads", "each node at most once"));
            }
            if let WorkloadSpec::Ray(ray) = &workload.spec {
                ray.check()?;
            }
        }
        Ok(())
    }
}

impl RayNode {
    fn check(&self) -> Result<(), ProtocolError> {
        if !self.token.is_well_formed() {
            return Err(out_of_bounds("ray.token", "16 to 256 visible ASCII characters"));
        }
        if let Some(share) = &self.share {
            share.check()?;
        }
        if let Some(head) = &self.head {
            let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b':' | b'-');
            if head.host.is_empty()
                || head.host.len() > 255
                || head.host.starts_with('-')
                || !head.host.bytes().all(fits)
                || head.gcs_port == 0
            {
                return Err(out_of_bounds("ray.head", "a host name or IP address, and a port that is not 0"));
            }
        }
        Ok(())
    }
}

impl ObservedState {
    pub(super) fn check(&self) -> Result<(), ProtocolError> {
        // Stopped and failed ones are listed for a while beside those that run.
        at_most("observed.workloads", self.workloads.len(), 4 * MAX_WORKLOADS)?;
        for workload in &self.workloads {
            at_most("observed.ray_version", workload.ray_version.as_ref().map_or(0, String::len), MAX_LABEL_BYTES)?;
            at_most("observed.endpoints.host", workload.endpoints.as_ref().map_or(0, |e| e.host.len()), 255)?;
            match &workload.state {
                WorkloadState::Preparing { detail, .. } => at_most("observed.detail", detail.len(), MAX_TEXT_BYTES)?,
                WorkloadState::Failed { code, message, .. } => {
                    at_most("observed.code", code.len(), MAX_LABEL_BYTES)?;
                    at_most("observed.message", message.len(), MAX_TEXT_BYTES)?;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn out_of_bounds(field: &'static str, bound: &str) -> ProtocolError {
    ProtocolError::OutOfBounds { field, bound: bound.to_owned() }
}
