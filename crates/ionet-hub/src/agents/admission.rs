//! Who may open a session: a device's key alone is not enough. See `ionet_store::admission` for the rule of credentials.

use std::net::IpAddr;

use ionet_devices::{BlockReason, Event};
use ionet_store::{Admitted, Presented, Reported};
use ionet_types::agent::{HubMessage, Introduction, workload::Token};
use ionet_types::audit::{Actor, AuditAction};
use ionet_types::joins::{CREDENTIAL_PREFIX, JoinRefusal};
use ionet_types::{Address, DeviceId};
use serde_json::json;

use super::{Shared, refused};
use crate::alarms::{Verdict, Writer};
use crate::app::{hash, secret};
use crate::options::{Admission, Limits};
use crate::pace::Paced;

/// Name of the endpoint at which a device's connections are counted.
const CONNECT: &str = "agent_connect";
/// How many devices may join.
pub(crate) struct JoinLimiters {
    addresses: Paced<IpAddr>,
    owners: Paced<Address>,
}

impl JoinLimiters {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            addresses: Paced::per_hour(limits.new_devices_per_address_per_hour),
            owners: Paced::per_hour(limits.new_devices_per_owner_per_hour),
        }
    }
}

/// A device that was let in, and the secret that it presents the next time.
pub(super) struct Entered {
    pub(super) admitted: Admitted,
    pub(super) credential: Token,
}

impl Shared {
    /// Lets a device in that has proved its key and takes over what it reports, or says why not.
    pub(super) async fn admit(
        &self,
        device: DeviceId,
        said: &Introduction,
        address: Option<IpAddr>,
        now_unix_secs: i64,
    ) -> Result<Entered, HubMessage> {
        let writer = Writer::Known(Actor::Device(device));
        match self.writes.count(&Actor::Device(device).to_string(), CONNECT, now_unix_secs) {
            Verdict::Fine => {}
            Verdict::Throttled => return Err(told(JoinRefusal::WriteRateExceeded)),
            Verdict::Alarm => {
                self.write_alarm(writer, CONNECT, now_unix_secs).await;
                return Err(told(JoinRefusal::WriteRateExceeded));
            }
        }
        match self.decide(device, said, address, now_unix_secs).await {
            Ok(Ok(entered)) => {
                // Killed between the two, the hub says it again.
                if entered.admitted.is_suspect {
                    self.suspect(device, now_unix_secs).await;
                }
                Ok(entered)
            }
            Ok(Err(refusal)) => {
                if refusal == JoinRefusal::CredentialReused {
                    tracing::error!(%device, "alarm.credential_reused: somebody holds a copy of the device's key");
                    self.suspect(device, now_unix_secs).await;
                }
                let detail = json!({ "code": refusal.code(), "address": address.map(|address| address.to_string()) });
                // Keys cost nothing, so refusals count for the address, where there is one.
                let by = address.map_or(writer, Writer::Address);
                self.refusal(by, AuditAction::DeviceRefused, &device.to_string(), detail).await;
                Err(told(refusal))
            }
            Err(error) => {
                tracing::error!(%device, error = &error as &dyn std::error::Error, "a device could not be admitted");
                Err(unavailable())
            }
        }
    }

    /// Blocks a device whose key somebody else holds.
    async fn suspect(&self, device: DeviceId, now_unix_secs: i64) {
        let blocked = Event::Blocked { reason: BlockReason::CredentialReused };
        if let Err(error) = self.tell(device, blocked, now_unix_secs).await {
            tracing::error!(%device, error = &error as &dyn std::error::Error, "a device could not be blocked");
        }
    }

    async fn decide(
        &self,
        device: DeviceId,
        said: &Introduction,
        address: Option<IpAddr>,
        now_unix_secs: i64,
    ) -> ionet_store::StoreResult<Result<Entered, JoinRefusal>> {
        let open = self.admission == Admission::Open;
        let token_hash = said.join_token.as_deref().map(hash);
        if self.store.device(device).await?.is_none() {
            // Only who may join is counted, so that nobody can use up the places of a neighbour without a token.
            let owner = match &token_hash {
                Some(token_hash) => match self.store.join_token_wallet(token_hash, now_unix_secs).await? {
                    Ok(wallet) => Some(wallet),
                    Err(refusal) => return Ok(Err(refusal)),
                },
                None if open => None,
                None => return Ok(Err(JoinRefusal::TokenMissing)),
            };
            let fits = address.is_none_or(|address| self.joins.addresses.take(&address))
                && owner.is_none_or(|owner| self.joins.owners.take(&owner));
            if !fits {
                return Ok(Err(JoinRefusal::JoinRateLimited));
            }
        }
        let credential = secret(CREDENTIAL_PREFIX);
        let presented = Presented {
            token_hash,
            credential_hash: said.credential.as_deref().map(hash),
            offered_hash: hash(&credential),
            open,
            address: &address.map_or_else(|| "none".to_owned(), |address| address.to_string()),
        };
        let reported = Reported {
            label: said.label.as_deref(),
            hardware: &said.hardware,
            location: &said.location,
            agent_version: &said.agent_version,
            declared: said.declared,
        };
        let admitted = self.store.device_admit(device, &reported, &presented, now_unix_secs).await?;
        Ok(admitted.map(|admitted| Entered { admitted, credential: Token::new(credential) }))
    }
}

fn told(refusal: JoinRefusal) -> HubMessage {
    refused(refusal.code(), &refusal.to_string())
}

/// The hub cannot take up anybody now.
pub(super) fn unavailable() -> HubMessage {
    refused("hub_unavailable", "the hub cannot take up devices at the moment: try again")
}
