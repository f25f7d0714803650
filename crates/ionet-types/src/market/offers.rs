//! What is said of a device that is offered: by the operator, who has seen proof, and by its owner, who names a price.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Compliance, ShortName};

/// What the network's operator has seen proof of. Customers choose by it, so nobody can say it of a device of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Attestation {
    /// Standards that the device's surroundings meet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub compliance: Vec<Compliance>,
    /// It runs on renewable energy.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub renewable: bool,
    /// The public name of its supplier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supplier: Option<ShortName>,
}

/// On which terms an owner offers a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DeviceTerms {
    /// What it asks at least, and for how long it is hired at least (docs/PRICES.md); absent when it takes the network's price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<serde_json::Value>,
}

/// Terms to set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetTermsRequest {
    /// A strategy, TOML or JSON, as docs/PRICES.md describes it. Absent or null: the network's price will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 65536)]
    pub strategy: Option<String>,
}
