//! What a customer asks of the devices beyond their model. Everything is optional; what is absent is not asked for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Compliance, Country, Region, Security, ShortName, Tier};
use crate::hardware::HardwareModel;
use crate::money::MicroUsd;

/// Most models, countries and the like in one list.
pub const MAX_LIST: usize = 300;

/// Conditions that every device of a cluster fulfils.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Requirements {
    /// Models that would do as well. A cluster is of one model: of those named, the one with the best offer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub or_hardware: Vec<HardwareModel>,
    /// GPUs of each node, 1 to 8; 1 when absent. Only for GPU models.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 8)]
    pub gpus_per_node: Option<u8>,
    /// Instead: thousandths of one GPU for each node, 1 to 999.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 999)]
    pub gpu_milli: Option<u16>,
    /// Instead: a hardware instance of one GPU for each node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gpu_instance: Option<GpuInstance>,
    /// Memory of each GPU, MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_vram_mb: Option<u32>,
    /// Logical CPUs of each node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_cpus: Option<u32>,
    /// Memory of each node, MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_memory_mb: Option<u32>,
    /// Free disk of each node, MiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_disk_mb: Option<u32>,
    /// The connection is at least of this tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_tier: Option<Tier>,
    /// In one of these countries, or of `regions`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<Country>,
    /// In one of these regions, or of `countries`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub regions: Vec<Region>,
    /// In none of these countries.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_countries: Vec<Country>,
    /// In none of these regions.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_regions: Vec<Region>,
    /// All of these standards, as the operator has seen them proved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compliance: Vec<Compliance>,
    /// Separated from the machine at least so well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_security: Option<Security>,
    /// Runs on renewable energy, as the operator has seen proved.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renewable: bool,
    /// Of this supplier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier: Option<ShortName>,
    /// Highest price, micro-USD: of one GPU for one hour, or of one device without a GPU for one hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_price_micro_usd: Option<MicroUsd>,
    /// Lowest reputation, 0 to 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 1000)]
    pub min_reputation: Option<u16>,
    /// Close together, or far apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrangement: Option<Arrangement>,
    /// All nodes at one site.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub same_site: bool,
    /// Whether the supplier may take the devices back.
    #[serde(skip_serializing_if = "Lease::is_on_demand")]
    pub lease: Lease,
}

impl Requirements {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How the nodes of a cluster are to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Arrangement {
    /// At as few sites as possible.
    Pack,
    /// At as many sites as possible.
    Spread,
}

/// Whether the supplier may take devices back before the hired time is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Lease {
    /// No.
    #[default]
    OnDemand,
    /// Yes, for a lower price.
    Interruptible,
}

impl Lease {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
    fn is_on_demand(&self) -> bool {
        *self == Self::OnDemand
    }
}

/// A size of hardware instance, in sevenths of a GPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
pub enum GpuInstance {
    /// One seventh.
    #[serde(rename = "1g")]
    One,
    /// Two sevenths.
    #[serde(rename = "2g")]
    Two,
    /// Three sevenths.
    #[serde(rename = "3g")]
    Three,
    /// Four sevenths.
    #[serde(rename = "4g")]
    Four,
    /// All of it, as one instance.
    #[serde(rename = "7g")]
    Seven,
}
