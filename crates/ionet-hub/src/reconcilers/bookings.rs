//! Chain to store: which bookings have landed, which never will, which are settled.

use super::all;
use crate::Hub;
use crate::error::HubResult;

/// How long after its offer ended a booking that is not on chain is forgotten, seconds: endpoints may lag.
const FORGET_AFTER_SECS: i64 = 30;

pub(super) async fn reconcile(hub: &Hub) -> HubResult<()> {
    let now_unix_secs = hub.ledger().chain_now_unix_secs().await?;
    let rows = hub.store().clusters_open().await?;
    let bookings = hub.bookings(rows.iter().map(|row| row.offer.id)).await?;
    all(rows.into_iter().zip(bookings).map(|(row, booking)| async move {
        let id = row.offer.id;
        match booking {
            Some(booking) => {
                if !row.landed {
                    hub.store().cluster_landed(id).await?;
                    hub.signals().changed(id);
                }
                if booking.book.is_settled() {
                    hub.store().cluster_release(id).await?;
                    hub.store().cluster_settled(id).await?;
                    hub.signals().deployments.notify_one();
                    hub.signals().changed(id);
                }
            }
            None if !row.landed && now_unix_secs > row.offer.valid_until_unix_secs.saturating_add(FORGET_AFTER_SECS) => {
                tracing::info!(cluster = %id, "a booking was never signed and is forgotten");
                let devices = hub.store().reservations_of(id).await?;
                let _changing: Vec<_> = devices.iter().map(|reservation| hub.market().changing(reservation.device_id)).collect();
                hub.store().cluster_forget(id).await?;
                hub.signals().changed(id);
            }
            None => {}
        }
        Ok(())
    }))
    .await
}
