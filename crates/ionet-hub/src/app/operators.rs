//! What the network's operator does: attests what devices offer, blocks and unblocks them.

use ionet_devices::{BlockReason, Event};
use ionet_types::DeviceId;
use ionet_types::devices::Device;
use ionet_types::market::Attestation;
use ionet_types::problem::Code;

use crate::Hub;
use crate::caller::Caller;
use crate::error::{HubError, HubResult};

/// Blocks that the operator may lift: what it set itself, and what only somebody who asks the owner can judge.
const LIFTED: [BlockReason; 2] = [BlockReason::Operator, BlockReason::ForeignUse];

impl Hub {
    /// Refuses whoever is not the operator, by its wallet's own signature.
    fn operates(&self, caller: &Caller) -> HubResult<()> {
        caller.is_wallet()?;
        if self.options().operators.contains(&caller.wallet) { Ok(()) } else { Err(Code::OperatorOnly.into()) }
    }

    /// The operator has seen proof of this, and of nothing else.
    pub async fn device_attest(&self, caller: &Caller, id: DeviceId, attestation: &Attestation) -> HubResult<Device> {
        self.operates(caller)?;
        self.store().device(id).await?.ok_or(Code::DeviceNotFound)?;
        let now_unix_secs = self.clock().now_unix_secs();
        self.store().attestation_set(id, attestation, caller.wallet, now_unix_secs).await?;
        self.market().attested(id, attestation.clone());
        self.device_show(id).await
    }

    /// The operator takes a device out of the market.
    pub async fn device_block(&self, caller: &Caller, id: DeviceId) -> HubResult<Device> {
        self.operates(caller)?;
        self.store().device(id).await?.ok_or(Code::DeviceNotFound)?;
        self.told_by_operator(id, Event::Blocked { reason: BlockReason::Operator }).await?;
        self.device_show(id).await
    }

    /// The operator lets a device back, as far as it may: what a proof or a new credential lifts, it does not.
    pub async fn device_unblock(&self, caller: &Caller, id: DeviceId) -> HubResult<Device> {
        self.operates(caller)?;
        self.store().device(id).await?.ok_or(Code::DeviceNotFound)?;
        for reason in LIFTED {
            self.told_by_operator(id, Event::Unblocked { reason }).await?;
        }
        self.device_show(id).await
    }

    async fn told_by_operator(&self, id: DeviceId, event: Event) -> HubResult<()> {
        let agents = &self.agents().0;
        let applied = agents.lives.apply(&agents.store, id, event, self.clock().now_unix_secs()).await?;
        applied.map(drop).map_err(|refused| HubError::from(Code::DeviceRefuses).saying(refused.to_string()))
    }
}
