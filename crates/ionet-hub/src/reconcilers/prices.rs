//! The market's prices, and the operator's own oracle of the coin's price: submits its price before the last one goes stale. On a local network it also keeps the payer able to pay.

use crate::Hub;
use crate::app::PAYER_MIN_LAMPORTS;
use crate::error::HubResult;
use solana_signer::Signer as _;

pub(super) async fn reconcile(hub: &Hub) -> HubResult<()> {
    hub.market_refresh().await?;
    hub.prices_update().await?;
    hub.survival_update().await?;
    let (ledger, options) = (hub.ledger(), hub.options());
    if options.local {
        ledger.ensure_lamports(&options.operator, PAYER_MIN_LAMPORTS / 2).await?;
    }
    let Some(price) = options.oracle_price else { return Ok(()) };
    let (network, now_unix_secs) = futures::try_join!(ledger.network(), ledger.chain_now_unix_secs())?;
    let last = ledger.oracle().await?.last(&options.operator.oracle.pubkey());
    let fresh_secs = i64::from(network.params.price_max_age_secs / 2);
    let is_fresh = last.is_some_and(|last| last.price == price && now_unix_secs.saturating_sub(last.at_unix_secs) < fresh_secs);
    if !is_fresh {
        ledger.submit_price(&options.operator, price).await?;
        // What waited for a fresh price can go on.
        hub.signals().settlement.notify_one();
    }
    Ok(())
}
