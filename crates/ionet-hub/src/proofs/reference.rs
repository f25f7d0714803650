//! What a device claims to be, and what one of these should measure.

use ionet_proofs::reference::{GENERIC_CPU, by_driver_name, by_name};
use ionet_rules::rewards::Measurement;
use ionet_types::DeviceId;
use ionet_types::agent::{Hardware, HardwareKind};

use crate::Hub;
use crate::error::HubResult;

/// A claimed model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reference {
    /// Its name in published epochs.
    pub(crate) name: String,
    /// What the device should measure, all its processors together; a zero asks nothing.
    pub(crate) measurement: Measurement,
}

impl Hub {
    /// What a connected device is held to: the model that it is registered as on chain, or else what its driver names.
    pub(crate) async fn reference_of(&self, device: DeviceId, hardware: &Hardware) -> HubResult<Reference> {
        let key = solana_address::Address::new_from_array(device.0);
        let (registered, table) = futures::try_join!(self.ledger().device(&key), self.ledger().multipliers())?;
        let model = registered.and_then(|registered| table.name(registered.model).map(str::to_owned));
        Ok(claimed(model.as_deref(), hardware))
    }

    /// What a device of this registered model is held to in an epoch; nothing where nothing is measured.
    pub(crate) async fn reference_in_epoch(&self, device: DeviceId, model: Option<&str>, kind: HardwareKind) -> HubResult<Reference> {
        if self.options().measuring.is_none() {
            let name = model.map_or_else(|| format!("unlisted {}", kind_name(kind)), str::to_owned);
            return Ok(Reference { name, measurement: Measurement::default() });
        }
        let hardware = self.store().device(device).await?.map_or_else(|| Hardware { kind, ..Hardware::default() }, |row| row.hardware);
        Ok(claimed(model, &hardware))
    }
}

/// What a device is held to. One name stands for one set of values, because published epochs name the values once for all of a model.
fn claimed(model: Option<&str>, hardware: &Hardware) -> Reference {
    let gpus = u32::try_from(hardware.gpus.len()).unwrap_or(u32::MAX);
    let named = |processors: u32, row: &ionet_proofs::reference::Reference| {
        let name = if processors > 1 { format!("{processors} x {}", row.model) } else { row.model.to_owned() };
        Reference { name, measurement: row.times(processors) }
    };
    let listed = model.and_then(by_name).or_else(|| match hardware.kind {
        HardwareKind::Gpu => hardware.gpus.first().and_then(|gpu| by_driver_name(&gpu.model)),
        HardwareKind::Cpu => by_driver_name(&hardware.cpu_model),
    });
    match (listed, hardware.kind) {
        (Some(row), HardwareKind::Gpu) => named(gpus.max(1), row),
        (Some(row), HardwareKind::Cpu) => named(1, row),
        // A card that the table does not know earns nothing for being there; it is asked for no particular speed.
        (None, HardwareKind::Gpu) => Reference { name: "unlisted gpu".to_owned(), measurement: Measurement::default() },
        (None, HardwareKind::Cpu) => {
            let cpus = hardware.cpus.max(1);
            Reference { name: format!("{cpus} x {}", GENERIC_CPU.model), measurement: GENERIC_CPU.times(cpus) }
        }
    }
}

const fn kind_name(kind: HardwareKind) -> &'static str {
    match kind {
        HardwareKind::Cpu => "cpu",
        HardwareKind::Gpu => "gpu",
    }
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::Gpu;

    use super::*;

    #[test]
    fn a_device_is_held_to_what_it_claims() {
        let gpu = |model: &str| Gpu { model: model.to_owned(), ..Gpu::default() };
        let eight = Hardware { kind: HardwareKind::Gpu, gpus: vec![gpu("NVIDIA GeForce RTX 4090"); 8], ..Hardware::default() };
        let found = claimed(None, &eight);
        assert_eq!((found.name.as_str(), found.measurement.gflops), ("8 x RTX 4090", 8 * 82_600));
        let registered = claimed(Some("RTX 3090"), &eight);
        assert_eq!(registered.name, "8 x RTX 3090", "the registration counts, whatever the driver says");
        let cpu = claimed(None, &Hardware { cpus: 4, ..Hardware::default() });
        assert_eq!(cpu.name, "4 x CPU");
        let apple = claimed(None, &Hardware { cpu_model: "Apple M3 Pro".to_owned(), ..Hardware::default() });
        assert_eq!(apple.name, "M3 Pro");
        let unknown = Hardware { kind: HardwareKind::Gpu, gpus: vec![gpu("Unheard-of 9000")], ..Hardware::default() };
        assert_eq!(claimed(None, &unknown).measurement, Measurement::default());
    }
}
