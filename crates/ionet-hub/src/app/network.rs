//! The network as a whole.

use ionet_types::network::{Health, Network};

use crate::Hub;
use crate::error::HubResult;
use crate::translate;

impl Hub {
    /// The network: its program, coins, parameters and price.
    pub async fn network(&self) -> HubResult<Network> {
        let (network, now_unix_secs) = futures::try_join!(self.ledger().network(), self.ledger().chain_now_unix_secs())?;
        let io_price_micro_usd = self.io_price(&network, now_unix_secs).await?;
        let options = self.options();
        Ok(Network {
            local: options.local,
            version: options.version.clone(),
            program_id: translate::address(&network.addresses.program_id),
            network_address: translate::address(&network.addresses.network),
            usdc_mint: translate::address(&network.addresses.usdc_mint),
            io_mint: translate::address(&network.addresses.io_mint),
            quote_key: translate::address(&network.authorities.quote_authority),
            rpc_url: options.rpc_url.clone(),
            now_unix_secs,
            io_price_micro_usd,
            params: (&network.params).into(),
        })
    }

    /// Whether the hub can do its work.
    pub async fn health(&self) -> Health {
        let (store, chain) = futures::join!(self.store().ping(), self.ledger().chain_now_unix_secs());
        let connected_devices = u32::try_from(self.agents().connected()).unwrap_or(u32::MAX);
        Health { ok: store.is_ok() && chain.is_ok(), store: store.is_ok(), chain: chain.is_ok(), connected_devices }
    }
}
