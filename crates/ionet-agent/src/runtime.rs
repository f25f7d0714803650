//! What a kind of workload must be able to do, whatever it is.

use async_trait::async_trait;
use ionet_types::agent::WorkloadSpec;

use crate::{
    NodeFailure,
    node::Node,
    store::{Plan, Tracked},
};

/// Takes how far a preparation is: percent, and what is done now.
pub(crate) type Progress<'a> = &'a (dyn Fn(u8, String) + Send + Sync);

/// Runs workloads of some kinds.
#[async_trait]
pub(crate) trait Runtime: Send + Sync + 'static {
    /// Fetches what is needed. May take minutes, may be dropped and called again.
    async fn prepare(&self, spec: &WorkloadSpec, progress: Progress<'_>) -> Result<(), NodeFailure>;

    /// Whether the node must wait for the hub to say more, and what it waits for.
    fn waits_for(&self, spec: &WorkloadSpec) -> Option<&'static str>;

    /// Chooses ports and names. Starts and makes nothing.
    async fn plan(&self, spec: &WorkloadSpec) -> Result<Plan, NodeFailure>;

    /// Starts the processes and returns when the node is ready. May be dropped: the caller clears the node then.
    async fn start(&self, node: &Node, spec: &WorkloadSpec) -> Result<(), NodeFailure>;

    /// Gives back what was made on the machine for a node, once nothing of it runs any more. May be repeated.
    async fn give_back(&self, node: &Node);

    /// Starts a process again that the node can live without for a moment.
    async fn revive(&self, node: &Node, spec: &WorkloadSpec, process: &Tracked) -> Result<(), NodeFailure>;
}
