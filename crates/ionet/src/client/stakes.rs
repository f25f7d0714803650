//! The calls of the supply side: stakes and slashing cases.

use anyhow::Result;
use ionet_types::devices::{Device, DeviceCounts, DeviceReputation};
use ionet_types::page::Page;
use ionet_types::proofs::Proof;
use ionet_types::slashes::{AppealRequest, SlashCase, SlashCaseList};
use ionet_types::stakes::{
    CoStakeOfferList, CoStakeOfferRequest, CoStakeRequest, EmptyRequest, MultiplierTable, PayoutRequest, PreparedStep, RegistrationRequest,
    Stake, StakeList, StakeRequest, WithdrawalRequest,
};
use ionet_types::{CaseId, DeviceId};
use serde::Serialize;

use super::{Client, ListQuery};

impl Client {
    /// One page of the devices that name the caller as their owner.
    pub async fn own_devices(&self, query: &ListQuery) -> Result<Page<Device>> {
        self.get_query("/v1/devices?mine=true", query).await
    }

    /// What a device's past is worth.
    pub async fn device_reputation(&self, device: DeviceId) -> Result<DeviceReputation> {
        self.get(&format!("/v1/devices/{device}/reputation")).await
    }

    /// How many devices are in each state.
    pub async fn device_counts(&self) -> Result<DeviceCounts> {
        self.get("/v1/device-counts").await
    }

    /// What a device was asked to prove.
    pub async fn proofs(&self, device: DeviceId, query: &ListQuery) -> Result<Page<Proof>> {
        self.get_query(&format!("/v1/devices/{device}/proofs"), query).await
    }

    /// The transcript of a failed proof, as the hub wrote it.
    pub async fn proof_transcript(&self, number: u64) -> Result<String> {
        let transcript: Box<serde_json::value::RawValue> = self.get(&format!("/v1/proofs/{number}/transcript")).await?;
        Ok(transcript.get().to_owned())
    }

    /// Takes one's device out of the market.
    pub async fn pause_device(&self, device: DeviceId) -> Result<Device> {
        self.post(&format!("/v1/devices/{device}/pause"), &EmptyRequest {}).await
    }

    /// Brings one's device back.
    pub async fn resume_device(&self, device: DeviceId) -> Result<Device> {
        self.post(&format!("/v1/devices/{device}/resume"), &EmptyRequest {}).await
    }

    /// Gives one's device up.
    pub async fn terminate_device(&self, device: DeviceId) -> Result<Device> {
        self.post(&format!("/v1/devices/{device}/termination"), &EmptyRequest {}).await
    }

    /// One's stakes.
    pub async fn stakes(&self) -> Result<StakeList> {
        self.get("/v1/stakes").await
    }

    /// A device's stake.
    pub async fn stake(&self, device: DeviceId) -> Result<Stake> {
        self.get(&format!("/v1/stakes/{device}")).await
    }

    /// Co-stakes on offer.
    pub async fn co_stake_offers(&self) -> Result<CoStakeOfferList> {
        self.get("/v1/co-stakes/offers").await
    }

    /// The multiplier table.
    pub async fn multipliers(&self) -> Result<MultiplierTable> {
        self.get("/v1/multipliers").await
    }

    /// Prepares a registration.
    pub async fn prepare_registration(&self, device: DeviceId, request: &RegistrationRequest) -> Result<PreparedStep> {
        self.prepare_step(device, "registration", request).await
    }

    /// Prepares a stake.
    pub async fn prepare_stake(&self, device: DeviceId, request: &StakeRequest) -> Result<PreparedStep> {
        self.prepare_step(device, "stake", request).await
    }

    /// Prepares a withdrawal.
    pub async fn prepare_withdrawal(&self, device: DeviceId, request: &WithdrawalRequest) -> Result<PreparedStep> {
        self.prepare_step(device, "withdrawal", request).await
    }

    /// Prepares the beginning of unstaking.
    pub async fn prepare_unstake(&self, device: DeviceId) -> Result<PreparedStep> {
        self.prepare_step(device, "unstake", &EmptyRequest {}).await
    }

    /// Prepares another payout wallet.
    pub async fn prepare_payout(&self, device: DeviceId, request: &PayoutRequest) -> Result<PreparedStep> {
        self.prepare_step(device, "payout", request).await
    }

    /// Prepares an offer of a co-stake.
    pub async fn prepare_co_stake_offer(&self, device: DeviceId, request: &CoStakeOfferRequest) -> Result<PreparedStep> {
        self.prepare_step(device, "co-stake/offer", request).await
    }

    /// Prepares a co-stake.
    pub async fn prepare_co_stake(&self, device: DeviceId, request: &CoStakeRequest) -> Result<PreparedStep> {
        self.prepare_step(device, "co-stake", request).await
    }

    /// Prepares the notice of a co-stake.
    pub async fn prepare_notice(&self, device: DeviceId) -> Result<PreparedStep> {
        self.prepare_step(device, "co-stake/notice", &EmptyRequest {}).await
    }

    /// Prepares the withdrawal of a co-stake.
    pub async fn prepare_co_stake_withdrawal(&self, device: DeviceId) -> Result<PreparedStep> {
        self.prepare_step(device, "co-stake/withdrawal", &EmptyRequest {}).await
    }

    /// Slashing cases; of one device, if asked.
    pub async fn slashes(&self, device: Option<DeviceId>) -> Result<SlashCaseList> {
        let query: Vec<_> = device.map(|device| ("device", device.to_string())).into_iter().collect();
        self.get_query("/v1/slashes", &query).await
    }

    /// A slashing case.
    pub async fn slash(&self, case: CaseId) -> Result<SlashCase> {
        self.get(&format!("/v1/slashes/{case}")).await
    }

    /// Prepares an appeal.
    pub async fn prepare_appeal(&self, case: CaseId, request: &AppealRequest) -> Result<PreparedStep> {
        self.post(&format!("/v1/slashes/{case}/appeal"), request).await
    }

    async fn prepare_step(&self, device: DeviceId, step: &str, request: &impl Serialize) -> Result<PreparedStep> {
        self.post(&format!("/v1/devices/{device}/{step}"), request).await
    }
}
