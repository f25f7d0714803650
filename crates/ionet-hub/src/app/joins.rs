//! Join tokens and device codes: how a wallet lets devices in. Tokens are made and devices approved with the wallet's own session, never by
//! a key.

use std::net::IpAddr;

use ionet_devices::{BlockReason, Event};
use ionet_store::{CodeDecision, CodeInsert, CodeLimits, NewDeviceCode, NewJoinToken};
use ionet_types::agent::MAX_LABEL_BYTES;
use ionet_types::joins::{
    ACTIVATE_PATH, ApprovalRequest, CreateJoinTokenRequest, CreatedJoinToken, DEVICE_CODE_PREFIX, DeviceCode, DeviceCodeAnswer,
    DeviceCodeRequest, DeviceCodeStatus, DeviceCodeTokenRequest, JOIN_TOKEN_PREFIX, JoinToken, JoinTokenList, MAX_JOIN_TOKEN_DEVICES,
    MAX_JOIN_TOKEN_NAME_BYTES, MAX_SECRET_BYTES, PendingDevice, UserCode,
};
use ionet_types::problem::Code;
use ionet_types::{Address, DeviceId, JoinTokenId};

use super::sign_in::{hash, secret};
use crate::Hub;
use crate::caller::Caller;
use crate::error::{HubError, HubResult};

/// How long a token holds unless its maker says otherwise: 7 days.
const DEFAULT_EXPIRES_IN_SECS: u32 = 7 * 24 * 3_600;
/// How long a token may hold: a minute to a year.
const EXPIRES_IN_SECS: std::ops::RangeInclusive<u32> = 60..=365 * 24 * 3_600;
/// Characters of the secret that the list shows.
const SHOWN: usize = JOIN_TOKEN_PREFIX.len() + 6;
/// How long a device code holds: 10 minutes.
const CODE_SECS: u32 = 10 * 60;
/// How long a device waits between two questions.
pub(crate) const CODE_INTERVAL_SECS: u32 = 5;
/// How long the token holds that an approved device gets: the device uses it at once.
const CODE_TOKEN_SECS: u32 = 10 * 60;
/// How often a user code is drawn that is taken already, before something must be wrong.
const CODE_DRAWS: u32 = 16;

impl Hub {
    /// Makes a join token. Its secret is in this answer and nowhere else.
    pub async fn join_token_create(&self, caller: &Caller, request: &CreateJoinTokenRequest) -> HubResult<CreatedJoinToken> {
        caller.is_wallet()?;
        self.join_token_issue(caller.wallet, request).await
    }

    /// Makes a join token for a wallet, for whoever runs the hub and devices in one process.
    pub async fn join_token_issue(&self, wallet: Address, request: &CreateJoinTokenRequest) -> HubResult<CreatedJoinToken> {
        let CreateJoinTokenRequest { name, max_devices, expires_in_secs } = request;
        if name.is_empty() || name.len() > MAX_JOIN_TOKEN_NAME_BYTES || name.chars().any(char::is_control) {
            return Err(HubError::field(format!("name is 1 to {MAX_JOIN_TOKEN_NAME_BYTES} bytes without control characters")));
        }
        if !(1..=MAX_JOIN_TOKEN_DEVICES).contains(max_devices) {
            return Err(HubError::field(format!("max_devices is 1 to {MAX_JOIN_TOKEN_DEVICES}")));
        }
        let expires_in_secs = expires_in_secs.unwrap_or(DEFAULT_EXPIRES_IN_SECS);
        if !EXPIRES_IN_SECS.contains(&expires_in_secs) {
            return Err(HubError::field("expires_in_secs is a minute to a year"));
        }
        let secret = secret(JOIN_TOKEN_PREFIX);
        let token = self.new_token(name.clone(), &secret, *max_devices, expires_in_secs);
        let new = NewJoinToken { token: token.clone(), wallet, secret_hash: hash(&secret) };
        if self.store().join_token_insert(&new).await? { Ok(CreatedJoinToken { token, secret }) } else { Err(Code::JoinTokenLimit.into()) }
    }

    fn new_token(&self, name: String, secret: &str, max_devices: u32, expires_in_secs: u32) -> JoinToken {
        let now_unix_secs = self.clock().now_unix_secs();
        JoinToken {
            id: JoinTokenId::new(),
            name,
            prefix: secret[..SHOWN].to_owned(),
            max_devices,
            devices_joined: 0,
            uses_left: max_devices,
            created_at_unix_secs: now_unix_secs,
            expires_at_unix_secs: now_unix_secs.saturating_add(i64::from(expires_in_secs)),
            revoked_at_unix_secs: None,
        }
    }

    /// The caller's join tokens.
    pub async fn join_token_list(&self, caller: &Caller) -> HubResult<JoinTokenList> {
        Ok(JoinTokenList { items: self.store().join_tokens(caller.wallet, self.clock().now_unix_secs()).await? })
    }

    /// Revokes a join token, at once and for good. Devices that joined with it stay.
    pub async fn join_token_revoke(&self, caller: &Caller, id: JoinTokenId) -> HubResult<()> {
        caller.is_wallet()?;
        let revoked = self.store().join_token_revoke(caller.wallet, id, self.clock().now_unix_secs()).await?;
        if revoked { Ok(()) } else { Err(Code::JoinTokenNotFound.into()) }
    }

    /// A device at this network address asks for a code.
    pub async fn device_code_create(&self, request: &DeviceCodeRequest, address: IpAddr) -> HubResult<DeviceCode> {
        let label = request.label.as_deref();
        if label.is_some_and(|label| label.is_empty() || label.len() > MAX_LABEL_BYTES || label.chars().any(char::is_control)) {
            return Err(HubError::field(format!("label is 1 to {MAX_LABEL_BYTES} bytes without control characters")));
        }
        let limits = self.options().limits;
        let limits = CodeLimits { per_address: limits.device_codes_per_address, total: limits.device_codes };
        let now_unix_secs = self.clock().now_unix_secs();
        let device_code = secret(DEVICE_CODE_PREFIX);
        for _ in 0..CODE_DRAWS {
            let Some(user_code) = UserCode::from_random(rand::random()) else { continue };
            let pending = PendingDevice {
                user_code,
                label: request.label.clone(),
                address: address.to_string(),
                asked_at_unix_secs: now_unix_secs,
                expires_at_unix_secs: now_unix_secs.saturating_add(i64::from(CODE_SECS)),
                status: DeviceCodeStatus::Pending,
            };
            let new = NewDeviceCode { pending, secret_hash: hash(&device_code) };
            match self.store().device_code_insert(&new, limits).await? {
                CodeInsert::Taken => {}
                CodeInsert::Limit => return Err(Code::DeviceCodeLimit.into()),
                CodeInsert::Done => {
                    let verification_url = format!("{}{ACTIVATE_PATH}?code={user_code}", self.options().public_url.trim_end_matches('/'));
                    let (expires_in_secs, interval_secs) = (CODE_SECS, CODE_INTERVAL_SECS);
                    return Ok(DeviceCode { device_code, user_code, verification_url, expires_in_secs, interval_secs });
                }
            }
        }
        Err(HubError::internal("no user code was free in as many draws as always suffice"))
    }

    /// A device asks whether its code was approved. Once that is so, the answer holds a join token for it, the first time only.
    pub async fn device_code_token(&self, request: &DeviceCodeTokenRequest) -> HubResult<DeviceCodeAnswer> {
        let device_code = &request.device_code;
        if !device_code.starts_with(DEVICE_CODE_PREFIX) || device_code.len() > MAX_SECRET_BYTES {
            return Err(Code::DeviceCodeUnknown.into());
        }
        let (code_hash, now_unix_secs) = (hash(device_code), self.clock().now_unix_secs());
        let status = self.store().device_code_status(&code_hash, now_unix_secs).await?.ok_or(Code::DeviceCodeUnknown)?;
        let answer = |status| DeviceCodeAnswer { status, interval_secs: CODE_INTERVAL_SECS, join_token: None, wallet: None };
        if status == DeviceCodeStatus::Pending && !self.questions().take(&code_hash) {
            return Ok(answer(DeviceCodeStatus::SlowDown));
        }
        if status != DeviceCodeStatus::Approved {
            return Ok(answer(status));
        }
        let secret = secret(JOIN_TOKEN_PREFIX);
        let token = self.new_token("approved by code".to_owned(), &secret, 1, CODE_TOKEN_SECS);
        // Somebody with the same secret may have been faster.
        let Some(wallet) = self.store().device_code_give(&code_hash, &token, hash(&secret)).await? else {
            return Ok(answer(DeviceCodeStatus::Expired));
        };
        Ok(DeviceCodeAnswer { join_token: Some(secret), wallet: Some(wallet), ..answer(DeviceCodeStatus::Approved) })
    }

    /// The device that a user code stands for.
    pub async fn device_code_show(&self, caller: &Caller, user_code: UserCode) -> HubResult<PendingDevice> {
        self.may_try_code(caller)?;
        let pending = self.store().device_code(user_code, self.clock().now_unix_secs()).await?;
        pending.ok_or_else(|| Code::DeviceCodeUnknown.into())
    }

    /// Lets the device that shows this code join as the caller's, or turns it away.
    pub async fn device_code_decide(&self, caller: &Caller, user_code: UserCode, request: ApprovalRequest) -> HubResult<PendingDevice> {
        self.may_try_code(caller)?;
        let now_unix_secs = self.clock().now_unix_secs();
        match self.store().device_code_decide(user_code, caller.wallet, request.approve, now_unix_secs).await? {
            CodeDecision::Unknown => Err(Code::DeviceCodeUnknown.into()),
            CodeDecision::Decided => Err(Code::DeviceCodeDecided.into()),
            CodeDecision::Done => {
                let pending = self.store().device_code(user_code, now_unix_secs).await?;
                pending.ok_or_else(|| Code::DeviceCodeUnknown.into())
            }
        }
    }

    /// Codes have 34 bits: nobody may try many.
    fn may_try_code(&self, caller: &Caller) -> HubResult<()> {
        caller.is_wallet()?;
        if self.code_tries().take(&caller.wallet) { Ok(()) } else { Err(Code::RateLimited.into()) }
    }

    /// Lets one of the caller's devices enrol again: its credentials are forgotten, and the block that their reuse brought is lifted.
    pub async fn credential_reset(&self, caller: &Caller, device: DeviceId) -> HubResult<()> {
        caller.is_wallet()?;
        match self.store().credential_reset(device, caller.wallet, self.clock().now_unix_secs()).await? {
            Some(true) => {
                let unblocked = Event::Unblocked { reason: BlockReason::CredentialReused };
                self.agents().0.tell(device, unblocked, self.clock().now_unix_secs()).await?;
                self.signals().deployments.notify_one();
                Ok(())
            }
            Some(false) => Err(Code::DeviceNotYours.into()),
            None => Err(Code::DeviceNotFound.into()),
        }
    }
}
