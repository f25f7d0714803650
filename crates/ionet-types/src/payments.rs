//! Payments and extensions: what a customer is asked to sign, and what was paid.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::{ClusterId, TransactionSignature};
use crate::money::{BaseUnits, Money};
use crate::transactions::PreparedTransaction;

/// A payment to prepare.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentRequest {
    /// Base units of the cluster's currency; all that is due when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<BaseUnits>,
}

/// A payment that waits for the customer's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreparedPayment {
    /// What will be paid.
    pub amount: Money,
    /// What will still be due after it.
    pub due_after: Money,
    /// The transaction that pays.
    pub transaction: PreparedTransaction,
}

/// An extension to prepare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExtensionRequest {
    /// Minutes to add to the hired time of each device.
    #[schema(minimum = 1, maximum = 5_256_000)]
    pub minutes: u32,
}

/// What an extension costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExtensionPrice {
    /// Compute cost added.
    pub cost: Money,
    /// Customer's fees added.
    pub fees: Money,
    /// The sum, paid with the extension.
    pub total: Money,
}

/// An extension that waits for the customer's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreparedExtension {
    /// Minutes added.
    pub minutes: u32,
    /// What they cost.
    pub price: ExtensionPrice,
    /// The transaction that extends and pays.
    pub transaction: PreparedTransaction,
}

/// In which direction money moved, seen from the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentKind {
    /// Into escrow, for a booking.
    Pay,
    /// Into escrow, for an extension.
    Extend,
    /// Back: unused time.
    Refund,
    /// Back: the booking was not paid in full in time.
    Expire,
}

/// Money that a customer paid or got back. Read from the chain's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Payment {
    /// For which cluster.
    pub cluster_id: ClusterId,
    /// What it was.
    pub kind: PaymentKind,
    /// How much.
    pub amount: Money,
    /// When, unix seconds on the chain's clock.
    pub at_unix_secs: i64,
    /// The transaction.
    pub signature: TransactionSignature,
}
