//! Which device served which node, from when until when, and whether it failed: written down as it is seen, and what is predicted is learnt
//! from it. What is seen is compared with what is written, so a run that was interrupted is made up for by the next.

use std::collections::BTreeSet;

use ionet_store::Hire;
use ionet_types::{ClusterId, DeviceId};

use crate::Hub;
use crate::error::{HubError, HubResult};

/// A node that works for a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Serving {
    pub(crate) cluster: ClusterId,
    pub(crate) node: u16,
    pub(crate) device: DeviceId,
    /// Minutes that its cluster is still hired for.
    pub(crate) minutes_left: u32,
}

impl Hub {
    /// `serving` are the nodes of all clusters that run; `failed` those for which the network failed a cluster.
    pub(crate) async fn hires_note(&self, serving: &BTreeSet<Serving>, failed: &BTreeSet<(ClusterId, u16)>) -> HubResult<()> {
        let now_unix_secs = self.clock().now_unix_secs();
        let open = self.store().hires_open().await?;
        let running: BTreeSet<ClusterId> = serving.iter().map(|node| node.cluster).collect();
        let at = |hire: &Hire| (hire.cluster_id, hire.node, hire.device_id);
        let serves: BTreeSet<_> = serving.iter().map(|node| (node.cluster, node.node, node.device)).collect();
        for hire in open.iter().filter(|hire| !serves.contains(&at(hire))) {
            // Its cluster runs on without it; or the network failed the cluster because of this node.
            let lost = running.contains(&hire.cluster_id) || failed.contains(&(hire.cluster_id, hire.node));
            self.store().hire_end(hire.cluster_id, hire.node, hire.device_id, lost, now_unix_secs).await?;
        }
        let known: BTreeSet<_> = open.iter().map(at).collect();
        for node in serving.iter().filter(|node| !known.contains(&(node.cluster, node.node, node.device))) {
            let Some(features) = self.features(node.device, now_unix_secs) else { continue };
            let hire = Hire {
                cluster_id: node.cluster,
                node: node.node,
                device_id: node.device,
                features: serde_json::to_string(&features).map_err(HubError::internal)?,
                minutes_hired: node.minutes_left,
                from_unix_secs: now_unix_secs,
                ended_at_unix_secs: None,
                failed: None,
            };
            self.store().hire_begin(&hire).await?;
        }
        Ok(())
    }

    /// How a device stands now; `None` of one that the hub has not seen since it started.
    fn features(&self, device: DeviceId, now_unix_secs: i64) -> Option<ionet_predict::Features> {
        let seen = self.agents().0.directory.seen_one(device)?;
        let reputation = self.agents().0.lives.reputation(device).score(now_unix_secs, crate::devices::reputation::PARAMS);
        let state = self.market().lock();
        let cell = state.cell(device)?;
        Some(state.survival.features(device, cell, reputation, &seen.hardware, now_unix_secs))
    }
}
