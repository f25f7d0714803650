//! On which terms an owner offers a device: what it asks at least, and for how long it is hired at least.

use ionet_market::strategy::{Strategy, StrategyError};
use ionet_types::DeviceId;
use ionet_types::market::{DeviceTerms, SetTermsRequest};
use ionet_types::problem::Code;

use crate::Hub;
use crate::caller::Caller;
use crate::error::{HubError, HubResult};

impl Hub {
    /// The caller's own device, and nobody else's.
    async fn own_device(&self, caller: &Caller, id: DeviceId) -> HubResult<()> {
        let row = self.store().device(id).await?.ok_or(Code::DeviceNotFound)?;
        if row.owner == Some(caller.wallet) { Ok(()) } else { Err(Code::DeviceNotYours.into()) }
    }

    /// The terms of the caller's device. What others ask is their own business: customers see prices, not floors.
    pub async fn device_terms(&self, caller: &Caller, id: DeviceId) -> HubResult<DeviceTerms> {
        self.own_device(caller, id).await?;
        Ok(viewed(self.market().lock().strategy(id)))
    }

    /// Sets the terms of the caller's device, or takes them back: hires that run are not touched.
    pub async fn device_terms_set(&self, caller: &Caller, id: DeviceId, request: &SetTermsRequest) -> HubResult<DeviceTerms> {
        caller.may_write()?;
        self.own_device(caller, id).await?;
        let refused = |error: StrategyError| HubError::field(error.to_string()).of("strategy");
        let strategy = request.strategy.as_deref().map(Strategy::parse).transpose().map_err(refused)?;
        let text = strategy.as_ref().map(serde_json::to_string).transpose().map_err(HubError::internal)?;
        let now_unix_secs = self.clock().now_unix_secs();
        self.store().device_terms_set(id, text.as_deref(), caller.wallet, now_unix_secs).await?;
        self.market().offered(id, strategy.clone());
        Ok(viewed(strategy.as_ref()))
    }
}

fn viewed(strategy: Option<&Strategy>) -> DeviceTerms {
    DeviceTerms { strategy: strategy.map(|strategy| serde_json::json!(strategy)) }
}
