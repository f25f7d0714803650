//! Calls about prices, terms, and what the operator says of devices.

use anyhow::Result;
use ionet_types::DeviceId;
use ionet_types::devices::Device;
use ionet_types::hardware::HardwareModel;
use ionet_types::market::{Attestation, DeviceTerms, Preflight, PriceBoard, PriceHistory, SetTermsRequest};
use ionet_types::quotes::QuoteRequest;
use ionet_types::stakes::EmptyRequest;
use serde::Serialize;

use super::Client;

/// Which part of the price index.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryQuery {
    /// A model; the whole network when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hardware: Option<HardwareModel>,
    /// Days instead of hours.
    pub days: bool,
}

impl Client {
    /// What a request would get, or what is in its way.
    pub async fn preflight(&self, request: &QuoteRequest) -> Result<Preflight> {
        self.post("/v1/preflights", request).await
    }

    /// All prices of now.
    pub async fn prices(&self) -> Result<PriceBoard> {
        self.get("/v1/prices").await
    }

    /// The price index.
    pub async fn price_history(&self, query: &HistoryQuery) -> Result<PriceHistory> {
        self.get_query("/v1/prices/history", query).await
    }

    /// On which terms one's device is offered.
    pub async fn device_terms(&self, device: DeviceId) -> Result<DeviceTerms> {
        self.get(&format!("/v1/devices/{device}/terms")).await
    }

    /// Sets them.
    pub async fn set_device_terms(&self, device: DeviceId, request: &SetTermsRequest) -> Result<DeviceTerms> {
        self.post(&format!("/v1/devices/{device}/terms"), request).await
    }

    /// Says what the operator has seen proof of.
    pub async fn attest_device(&self, device: DeviceId, attestation: &Attestation) -> Result<Device> {
        self.post(&format!("/v1/devices/{device}/attestation"), attestation).await
    }

    /// Takes a device out of the market, as the operator.
    pub async fn block_device(&self, device: DeviceId) -> Result<Device> {
        self.post(&format!("/v1/devices/{device}/block"), &EmptyRequest {}).await
    }

    /// Lets a device back in, as the operator.
    pub async fn unblock_device(&self, device: DeviceId) -> Result<Device> {
        self.post(&format!("/v1/devices/{device}/unblock"), &EmptyRequest {}).await
    }
}
