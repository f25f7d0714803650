//! What is said of a device that is offered: by the operator, who has seen proof.

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
