//! The calls around joining: tokens, device codes, credentials, and the audit log.

use anyhow::Result;
use ionet_types::audit::{AuditEntry, AuditHead, AuditLinkList};
use ionet_types::joins::{
    ApprovalRequest, CreateJoinTokenRequest, CreatedJoinToken, DeviceCode, DeviceCodeAnswer, DeviceCodeRequest, DeviceCodeTokenRequest,
    JoinTokenList, PendingDevice, UserCode,
};
use ionet_types::page::Page;
use ionet_types::stakes::EmptyRequest;
use ionet_types::{DeviceId, JoinTokenId};
use reqwest::Method;

use super::{Client, ListQuery};

impl Client {
    /// Makes a join token.
    pub async fn create_join_token(&self, request: &CreateJoinTokenRequest) -> Result<CreatedJoinToken> {
        self.post("/v1/join-tokens", request).await
    }

    /// One's join tokens.
    pub async fn join_tokens(&self) -> Result<JoinTokenList> {
        self.get("/v1/join-tokens").await
    }

    /// Ends a join token.
    pub async fn revoke_join_token(&self, id: JoinTokenId) -> Result<()> {
        self.send(|| self.request(Method::DELETE, &format!("/v1/join-tokens/{id}"))).await.map(drop)
    }

    /// Asks for a code for this device.
    pub async fn create_device_code(&self, request: &DeviceCodeRequest) -> Result<DeviceCode> {
        self.post("/v1/device-codes", request).await
    }

    /// Asks whether this device's code was approved.
    pub async fn device_code_token(&self, request: &DeviceCodeTokenRequest) -> Result<DeviceCodeAnswer> {
        self.post("/v1/device-codes/token", request).await
    }

    /// The device that a code stands for.
    pub async fn device_code(&self, code: UserCode) -> Result<PendingDevice> {
        self.get(&format!("/v1/device-codes/{code}")).await
    }

    /// Lets the device that a code stands for join, or turns it away.
    pub async fn decide_device_code(&self, code: UserCode, approve: bool) -> Result<PendingDevice> {
        self.post(&format!("/v1/device-codes/{code}/approval"), &ApprovalRequest { approve }).await
    }

    /// Lets a device enrol again.
    pub async fn reset_credential(&self, device: DeviceId) -> Result<()> {
        self.send(|| self.request(Method::POST, &format!("/v1/devices/{device}/credential/reset")).json(&EmptyRequest {})).await.map(drop)
    }

    /// The audit log's last entry.
    pub async fn audit_head(&self) -> Result<AuditHead> {
        self.get("/v1/audit/head").await
    }

    /// The digests of the audit log's entries after this one.
    pub async fn audit_links(&self, after: u64) -> Result<AuditLinkList> {
        self.get(&format!("/v1/audit/links?after={after}")).await
    }

    /// The entries of the audit log that concern the caller.
    pub async fn audit(&self, query: &ListQuery) -> Result<Page<AuditEntry>> {
        self.get_query("/v1/audit", query).await
    }
}
