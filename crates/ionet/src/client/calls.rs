//! The calls, one for each endpoint that the commands use.

use anyhow::Result;
use ionet_types::clusters::{BookRequest, Booked, Cluster};
use ionet_types::devices::Device;
use ionet_types::epochs::{Epoch, Supply};
use ionet_types::hardware::HardwareList;
use ionet_types::keys::{CreateKeyRequest, CreatedKey, KeyList};
use ionet_types::network::{FaucetGift, FaucetRequest, Health, Network};
use ionet_types::page::Page;
use ionet_types::payments::{ExtensionRequest, Payment, PaymentRequest, PreparedExtension, PreparedPayment};
use ionet_types::quotes::{Quote, QuoteRequest};
use ionet_types::rewards::{Claimed, Estimate, EstimateRequest, NewClaims, Readiness, Reward, RewardLine};
use ionet_types::tne::Tne;
use ionet_types::transactions::{Receipt, Record, SubmitRequest, Submitted, TransactionDetail};
use ionet_types::{Address, ClusterId, DeviceId, KeyId, TransactionSignature};
use reqwest::Method;
use serde::Serialize;

use super::Client;

/// Which part of a list is wanted.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ListQuery {
    /// Where the last page ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Most items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Only records of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only records of this cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<ClusterId>,
}

impl Client {
    /// The network.
    pub async fn network(&self) -> Result<Network> {
        self.get("/v1/network").await
    }

    /// Whether the network can do its work.
    pub async fn health(&self) -> Result<Health> {
        self.get("/v1/health").await
    }

    /// What can be hired.
    pub async fn hardware(&self) -> Result<HardwareList> {
        self.get("/v1/hardware").await
    }

    /// What a cluster would cost.
    pub async fn quote(&self, request: &QuoteRequest) -> Result<Quote> {
        self.post("/v1/quotes", request).await
    }

    /// Reserves devices and prepares the booking.
    pub async fn book(&self, request: &BookRequest) -> Result<Booked> {
        self.post("/v1/clusters", request).await
    }

    /// One's clusters.
    pub async fn clusters(&self, query: &ListQuery) -> Result<Page<Cluster>> {
        self.get_query("/v1/clusters", query).await
    }

    /// A cluster.
    pub async fn cluster(&self, id: ClusterId) -> Result<Cluster> {
        self.get(&format!("/v1/clusters/{id}")).await
    }

    /// Ends a cluster early.
    pub async fn end_cluster(&self, id: ClusterId) -> Result<Cluster> {
        self.call(|| self.request(Method::DELETE, &format!("/v1/clusters/{id}"))).await
    }

    /// A cluster's records and balance.
    pub async fn receipt(&self, id: ClusterId) -> Result<Receipt> {
        self.get(&format!("/v1/clusters/{id}/receipt")).await
    }

    /// Prepares a payment.
    pub async fn prepare_payment(&self, id: ClusterId, request: &PaymentRequest) -> Result<PreparedPayment> {
        self.post(&format!("/v1/clusters/{id}/payments"), request).await
    }

    /// Prepares an extension.
    pub async fn prepare_extension(&self, id: ClusterId, request: &ExtensionRequest) -> Result<PreparedExtension> {
        self.post(&format!("/v1/clusters/{id}/extensions"), request).await
    }

    /// What was paid and what came back.
    pub async fn payments(&self, query: &ListQuery) -> Result<Page<Payment>> {
        self.get_query("/v1/payments", query).await
    }

    /// Sends a signed transaction and waits until it landed.
    pub async fn submit(&self, base64: String) -> Result<Submitted> {
        self.post("/v1/transactions", &SubmitRequest { transaction: base64 }).await
    }

    /// The program's records.
    pub async fn records(&self, query: &ListQuery) -> Result<Page<Record>> {
        self.get_query("/v1/transactions", query).await
    }

    /// The records of one transaction.
    pub async fn transaction(&self, signature: TransactionSignature) -> Result<TransactionDetail> {
        self.get(&format!("/v1/transactions/{signature}")).await
    }

    /// Total network earnings.
    pub async fn tne(&self) -> Result<Tne> {
        self.get("/v1/tne").await
    }

    /// What was minted, earned and claimed.
    pub async fn supply(&self) -> Result<Supply> {
        self.get("/v1/supply").await
    }

    /// The epochs.
    pub async fn epochs(&self, query: &ListQuery) -> Result<Page<Epoch>> {
        self.get_query("/v1/epochs", query).await
    }

    /// An epoch.
    pub async fn epoch(&self, epoch: u64) -> Result<Epoch> {
        self.get(&format!("/v1/epochs/{epoch}")).await
    }

    /// An epoch's published file.
    pub async fn epoch_file(&self, epoch: u64) -> Result<Vec<u8>> {
        let answer = self.send(|| self.request(Method::GET, &format!("/v1/epochs/{epoch}/file"))).await?;
        Ok(answer.bytes().await?.to_vec())
    }

    /// What one's devices and co-stakes have earned.
    pub async fn rewards(&self) -> Result<Vec<Reward>> {
        self.get("/v1/rewards").await
    }

    /// Pays out what can be claimed.
    pub async fn claim_rewards(&self, claims: &NewClaims) -> Result<Vec<Claimed>> {
        self.post("/v1/rewards/claims", claims).await
    }

    /// What a device earned, epoch by epoch.
    pub async fn reward_lines(&self, device: DeviceId, query: &ListQuery) -> Result<Page<RewardLine>> {
        self.get_query(&format!("/v1/devices/{device}/rewards"), query).await
    }

    /// Whether a device would be nominated now.
    pub async fn readiness(&self, device: DeviceId) -> Result<Readiness> {
        self.get(&format!("/v1/devices/{device}/readiness")).await
    }

    /// What a device would earn.
    pub async fn reward_estimate(&self, request: &EstimateRequest) -> Result<Estimate> {
        self.get_query("/v1/rewards/estimate", request).await
    }

    /// The network's devices.
    pub async fn devices(&self, query: &ListQuery) -> Result<Page<Device>> {
        self.get_query("/v1/devices", query).await
    }

    /// A device.
    pub async fn device(&self, id: DeviceId) -> Result<Device> {
        self.get(&format!("/v1/devices/{id}")).await
    }

    /// One's API keys.
    pub async fn keys(&self) -> Result<KeyList> {
        self.get("/v1/keys").await
    }

    /// Makes an API key.
    pub async fn create_key(&self, request: &CreateKeyRequest) -> Result<CreatedKey> {
        self.post("/v1/keys", request).await
    }

    /// Ends an API key.
    pub async fn revoke_key(&self, id: KeyId) -> Result<()> {
        self.send(|| self.request(Method::DELETE, &format!("/v1/keys/{id}"))).await.map(drop)
    }

    /// Coins of a local network.
    pub async fn faucet(&self, wallet: Address) -> Result<FaucetGift> {
        self.post("/v1/faucet", &FaucetRequest { wallet }).await
    }
}
