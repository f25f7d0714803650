//! The price list: which models the network rents out, and for how much.

use std::collections::BTreeSet;

use ionet_rules::booking::MAX_RATE;
use ionet_types::MicroUsd;
use ionet_types::agent::Hardware;
use ionet_types::hardware::{HardwareKind, HardwareModel};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One model and its price.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// The name to book it by.
    pub hardware: HardwareModel,
    /// Its kind.
    pub kind: HardwareKind,
    /// Its name for a person.
    pub name: String,
    /// Price of one device for one hour, micro-USD.
    pub rate_micro_usd: MicroUsd,
    /// Which devices are of this model. GPU: all of these words occur in the name that the driver gives (letter case aside).
    /// CPU: all of them occur in the CPU's name; an entry without words takes every device without a GPU that no other entry takes.
    #[serde(default)]
    pub words: Vec<String>,
}

/// The models that the network rents out. The first entry that fits a device is its model, entries without words last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Model>", into = "Vec<Model>")]
pub struct PriceList {
    models: Vec<Model>,
}

/// Why a price list is refused.
#[derive(Debug, Error)]
pub enum PriceListError {
    /// Not JSON of the right shape.
    #[error("the price list is not readable: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Two entries for one model.
    #[error("the price list has {0} twice")]
    Twice(HardwareModel),
    /// A price of zero, or beyond what a booking can hold.
    #[error("the price of {0} is out of range")]
    RateOutOfRange(HardwareModel),
    /// A GPU model that would take every GPU.
    #[error("{0} needs words to tell its devices by")]
    WordsMissing(HardwareModel),
}

impl PriceList {
    /// A list of these models, checked.
    pub fn new(models: Vec<Model>) -> Result<Self, PriceListError> {
        let mut seen = BTreeSet::new();
        for model in &models {
            if !seen.insert(&model.hardware) {
                return Err(PriceListError::Twice(model.hardware.clone()));
            }
            if model.rate_micro_usd.0 == 0 || model.rate_micro_usd.0 > MAX_RATE {
                return Err(PriceListError::RateOutOfRange(model.hardware.clone()));
            }
            if model.kind == HardwareKind::Gpu && model.words.is_empty() {
                return Err(PriceListError::WordsMissing(model.hardware.clone()));
            }
        }
        Ok(Self { models })
    }

    /// The list in a JSON text: an array of [`Model`]s.
    pub fn from_json(text: &str) -> Result<Self, PriceListError> {
        Self::new(serde_json::from_str(text)?)
    }

    /// The models.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// The entry of a model.
    pub fn model(&self, hardware: &HardwareModel) -> Option<&Model> {
        self.models.iter().find(|model| model.hardware == *hardware)
    }

    /// The entry that a device with this hardware belongs to; `None` when the network has no price for it. A device with several
    /// GPUs belongs to a model only if all of them do.
    pub fn classify(&self, hardware: &Hardware) -> Option<&Model> {
        let kind = HardwareKind::from(hardware.kind);
        let fits = |model: &&Model| {
            model.kind == kind
                && match kind {
                    HardwareKind::Cpu => has_words(&hardware.cpu_model, &model.words),
                    HardwareKind::Gpu => !hardware.gpus.is_empty() && hardware.gpus.iter().all(|gpu| has_words(&gpu.model, &model.words)),
                }
        };
        let named = self.models.iter().filter(|model| !model.words.is_empty());
        let rest = self.models.iter().filter(|model| model.words.is_empty());
        named.chain(rest).find(fits)
    }
}

fn has_words(name: &str, words: &[String]) -> bool {
    let name = name.to_ascii_lowercase();
    words.iter().all(|word| name.contains(&word.to_ascii_lowercase()))
}

impl Default for PriceList {
    /// What a network starts with until its operator writes a list: the documented example's 0.115 USD for a CPU device, and round
    /// prices for common GPUs.
    fn default() -> Self {
        let model = |hardware: &str, kind, name: &str, rate_micro_usd, words: &[&str]| Model {
            hardware: hardware.parse().expect("a literal in the model's alphabet"),
            kind,
            name: name.to_owned(),
            rate_micro_usd: MicroUsd(rate_micro_usd),
            words: words.iter().map(|word| (*word).to_owned()).collect(),
        };
        let models = vec![
            model("cpu", HardwareKind::Cpu, "CPU", 115_000, &[]),
            model("b200", HardwareKind::Gpu, "NVIDIA B200", 4_500_000, &["b200"]),
            model("h200", HardwareKind::Gpu, "NVIDIA H200", 2_500_000, &["h200"]),
            model("h100", HardwareKind::Gpu, "NVIDIA H100", 2_000_000, &["h100"]),
            model("a100-80gb", HardwareKind::Gpu, "NVIDIA A100 80 GB", 1_200_000, &["a100", "80gb"]),
            model("a100", HardwareKind::Gpu, "NVIDIA A100", 900_000, &["a100"]),
            model("l40s", HardwareKind::Gpu, "NVIDIA L40S", 800_000, &["l40s"]),
            model("rtx-4090", HardwareKind::Gpu, "NVIDIA GeForce RTX 4090", 350_000, &["rtx 4090"]),
            model("rtx-3090", HardwareKind::Gpu, "NVIDIA GeForce RTX 3090", 200_000, &["rtx 3090"]),
        ];
        Self::new(models).expect("the built-in list is checked by a test")
    }
}

impl TryFrom<Vec<Model>> for PriceList {
    type Error = PriceListError;

    fn try_from(models: Vec<Model>) -> Result<Self, PriceListError> {
        Self::new(models)
    }
}

impl From<PriceList> for Vec<Model> {
    fn from(list: PriceList) -> Self {
        list.models
    }
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::{Gpu, HardwareKind as AgentKind, Isolation};

    use super::*;

    fn device(kind: AgentKind, gpus: &[&str]) -> Hardware {
        Hardware {
            kind,
            cpu_model: "AMD EPYC 9454".to_owned(),
            cpus: 8,
            machine_cpus: 8,
            memory_mb: 1 << 14,
            machine_memory_mb: 1 << 14,
            gpus: gpus.iter().map(|model| Gpu { model: (*model).to_owned(), memory_mb: 1 << 15, ..Gpu::default() }).collect(),
            disk_mb: 1 << 20,
            disk_free_mb: 1 << 19,
            os: "Linux".to_owned(),
            kernel: "6".to_owned(),
            arch: "x86_64".to_owned(),
            isolation: Isolation::None,
            ..Hardware::default()
        }
    }

    #[test]
    fn devices_find_their_model() {
        let list = PriceList::default();
        let model = |hardware: &Hardware| list.classify(hardware).map(|model| model.hardware.to_string());
        assert_eq!(model(&device(AgentKind::Cpu, &[])).as_deref(), Some("cpu"));
        assert_eq!(model(&device(AgentKind::Gpu, &["NVIDIA H100 80GB HBM3"])).as_deref(), Some("h100"));
        assert_eq!(model(&device(AgentKind::Gpu, &["NVIDIA A100-SXM4-80GB"])).as_deref(), Some("a100-80gb"));
        assert_eq!(model(&device(AgentKind::Gpu, &["NVIDIA A100-SXM4-40GB"])).as_deref(), Some("a100"));
        assert_eq!(model(&device(AgentKind::Gpu, &["NVIDIA H100 PCIe", "NVIDIA L40S"])), None);
        assert_eq!(model(&device(AgentKind::Gpu, &["Unheard-of 9000"])), None);
        assert_eq!(model(&device(AgentKind::Gpu, &[])), None);
    }

    #[test]
    fn a_list_is_checked() {
        let entry = r#"{"hardware":"cpu","kind":"cpu","name":"CPU","rate_micro_usd":"115000"}"#;
        assert!(PriceList::from_json(&format!("[{entry}]")).is_ok());
        assert!(matches!(PriceList::from_json(&format!("[{entry},{entry}]")), Err(PriceListError::Twice(_))));
        assert!(matches!(
            PriceList::from_json(&entry.replace("115000", "0").replace('{', "[{").replace('}', "}]")),
            Err(PriceListError::RateOutOfRange(_))
        ));
        assert!(PriceList::from_json("[{}]").is_err());
    }
}
