//! Settles what was worked and gives back what was not: refund, repurchase, earn, until nothing is left.

use super::all;
use crate::Hub;
use crate::error::HubResult;

pub(super) async fn reconcile(hub: &Hub) -> HubResult<()> {
    let is_due = |booking: &ionet_ledger::BookingView| booking.refund_due() || booking.repurchase_due() || booking.earn_due();
    let due = hub.open_clusters().await?.into_iter().filter(|cluster| is_due(&cluster.booking));
    all(due.map(|cluster| async move {
        let (ledger, operator, id) = (hub.ledger(), &hub.options().operator, &cluster.booking.cluster_id);
        // The customer first.
        if cluster.booking.refund_due() {
            hub.stepped(&cluster, "refund", ledger.refund(operator, id).await?);
        }
        if cluster.booking.repurchase_due() {
            hub.stepped(&cluster, "repurchase", ledger.repurchase(operator, id).await?);
        }
        // What was repurchased just now is due as well.
        hub.stepped(&cluster, "earn", ledger.earn(operator, id).await?);
        hub.signals().bookings.notify_one();
        Ok(())
    }))
    .await
}
