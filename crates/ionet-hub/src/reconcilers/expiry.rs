//! Expires bookings that were not paid in time: what was paid goes back.

use super::all;
use crate::Hub;
use crate::error::HubResult;

pub(super) async fn reconcile(hub: &Hub) -> HubResult<()> {
    let now_unix_secs = hub.ledger().chain_now_unix_secs().await?;
    let due = hub.open_clusters().await?.into_iter().filter(|cluster| cluster.booking.expire_due(now_unix_secs));
    all(due.map(|cluster| async move {
        let outcome = hub.ledger().expire(&hub.options().operator, &cluster.booking.cluster_id).await?;
        hub.stepped(&cluster, "expire", outcome);
        Ok(())
    }))
    .await
}
