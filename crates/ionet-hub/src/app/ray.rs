//! A cluster's Ray, reached through the connection of the device that runs its head.

use ionet_types::ClusterId;
use ionet_types::agent::WorkloadKey;
use ionet_types::problem::Code;

use crate::Hub;
use crate::agents::{RayRequest, RayResponse};
use crate::caller::Caller;
use crate::error::HubResult;

impl Hub {
    /// Sends a request to the dashboard and Jobs API of one of the caller's clusters.
    pub async fn ray_request(&self, caller: &Caller, id: ClusterId, request: RayRequest) -> HubResult<RayResponse> {
        if !matches!(request.method.as_str(), "GET" | "HEAD" | "OPTIONS") {
            caller.may_write()?;
        }
        // The nodes of a part are in the Ray of the whole.
        let id = self.owned(caller, id).await?.offer.part_of.unwrap_or(id);
        let reservations = self.store().reservations_of(id).await?;
        let head = reservations.iter().find(|reservation| reservation.node == 0).ok_or(Code::RayNotReady)?;
        let key = WorkloadKey { cluster_id: id.0, node: 0 };
        self.agents().tunnel(head.device_id, key, request).await
    }
}
