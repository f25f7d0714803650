//! Transactions to sign and submit, the program's records in them, and a cluster's receipt.
#![expect(clippy::large_stack_arrays, reason = "the schema that utoipa derives for RecordBody, built once at the start")]

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clusters::{ClusterStatus, EndReason};
use crate::hardware::HardwareKind;
use crate::ids::{Address, ClusterId, TransactionSignature};
use crate::money::{Currency, MicroUsd, Money};
use crate::supply::SupplyRecord;

/// A transaction that the network has built and signed its own part of. The customer adds its signature and submits it, here or at any RPC
/// endpoint of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreparedTransaction {
    /// The transaction in Solana's wire format, base64, with an empty place for the customer's signature.
    pub base64: String,
    /// What it does, for a person.
    #[schema(example = "Book 4 x cpu for 60 minutes at 0.115 USDC per device-hour")]
    pub what: String,
    /// Until when it can be submitted, unix seconds on the chain's clock; ask for a new one after that.
    pub valid_until_unix_secs: i64,
}

/// A transaction to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SubmitRequest {
    /// The fully signed transaction, base64.
    pub transaction: String,
}

/// How far a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransactionStatus {
    /// It is in a block that the cluster has voted on.
    Confirmed,
}

/// A transaction that landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Submitted {
    /// Its name.
    pub signature: TransactionSignature,
    /// How far it is.
    pub status: TransactionStatus,
}

/// What kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecordKind {
    /// A cluster was booked.
    BookProduct,
    /// A payment.
    Pay,
    /// The cluster runs.
    Start,
    /// The hired time was extended.
    Extend,
    /// A work log.
    Worked,
    /// Unused time went back.
    Refund,
    /// USDC was swapped into IO.
    Repurchase,
    /// IO left escrow for good.
    Earn,
    /// Not paid in time.
    Expire,
}

impl RecordKind {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        self.abi().name()
    }

    /// The same kind in the program's interface.
    pub const fn abi(self) -> ionet_abi::events::RecordKind {
        use ionet_abi::events::RecordKind as Abi;
        match self {
            Self::BookProduct => Abi::BookProduct,
            Self::Pay => Abi::Pay,
            Self::Start => Abi::Start,
            Self::Extend => Abi::Extend,
            Self::Worked => Abi::Worked,
            Self::Refund => Abi::Refund,
            Self::Repurchase => Abi::Repurchase,
            Self::Earn => Abi::Earn,
            Self::Expire => Abi::Expire,
        }
    }
}

/// One record that the program wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Record {
    /// The transaction it is in.
    pub signature: TransactionSignature,
    /// The slot it landed in.
    pub slot: u64,
    /// When, unix seconds on the chain's clock.
    pub at_unix_secs: i64,
    /// The cluster.
    pub cluster_id: ClusterId,
    /// Number of the record within its booking, from 0.
    pub record: u32,
    /// What the cluster is paid in.
    pub currency: Currency,
    /// Where the booking stands after the step.
    pub status: ClusterStatus,
    /// What it says.
    #[serde(flatten)]
    pub body: RecordBody,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RecordBody {
    /// A cluster was booked.
    BookProduct {
        /// Who booked.
        customer: Address,
        /// Kind of devices.
        hardware: HardwareKind,
        /// Devices.
        quantity: u32,
        /// Hired minutes of each.
        minutes: u32,
        /// Price of one device for one hour.
        rate: Money,
        /// The same in micro-USD.
        rate_micro_usd: MicroUsd,
        /// Compute cost.
        cost: Money,
        /// Customer's fees.
        fees: Money,
        /// Cost plus fees.
        total: Money,
    },
    /// A payment into escrow.
    Pay {
        /// How much.
        amount: Money,
        /// Paid in all.
        paid: Money,
        /// Due in all.
        total: Money,
        /// Number of the payment, from 0.
        sequence: u32,
    },
    /// The cluster runs.
    Start {
        /// Customer's fees, taken from escrow now.
        fees: Money,
    },
    /// The hired time was extended and paid for.
    Extend {
        /// Paid for it.
        amount: Money,
        /// Fees taken at once.
        fees: Money,
        /// Total of the booking now.
        total: Money,
        /// Minutes added.
        minutes: u32,
        /// Number of the extension, from 0.
        sequence: u32,
    },
    /// A work log.
    Worked {
        /// Device-minutes delivered.
        device_minutes: u64,
        /// Their value.
        value: Money,
        /// The same in micro-USD.
        value_micro_usd: MicroUsd,
        /// The same in IO.
        value_io: Money,
        /// Part for the suppliers.
        supplier: Money,
        /// Part that waits for repurchase or earning.
        rest: Money,
        /// Rounding dust to the treasury.
        dust: Money,
        /// Number of the log, from 0.
        sequence: u32,
        /// Why the cluster ended, on the last log.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end_reason: Option<EndReason>,
    },
    /// Unused time went back to the customer.
    Refund {
        /// How much.
        amount: Money,
        /// Rounding dust to the treasury.
        dust: Money,
    },
    /// USDC was swapped into IO in the protocol's pool.
    Repurchase {
        /// USDC in.
        amount_in: Money,
        /// IO out.
        amount_out: Money,
        /// Oracle price of one IO, micro-USD.
        price_micro_usd: MicroUsd,
        /// Number of the repurchase, from 0.
        sequence: u32,
    },
    /// IO left escrow for good.
    Earn {
        /// How much in all.
        amount: Money,
        /// Of it, burned.
        burned: Money,
        /// Of it, for incentives.
        incentives: Money,
        /// Of it, to the treasury.
        treasury: Money,
        /// Number of the earning, from 0.
        sequence: u32,
    },
    /// Not paid in time.
    Expire {
        /// What went back to the customer.
        amount: Money,
    },
}

impl RecordBody {
    /// What kind of record it is.
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::BookProduct { .. } => RecordKind::BookProduct,
            Self::Pay { .. } => RecordKind::Pay,
            Self::Start { .. } => RecordKind::Start,
            Self::Extend { .. } => RecordKind::Extend,
            Self::Worked { .. } => RecordKind::Worked,
            Self::Refund { .. } => RecordKind::Refund,
            Self::Repurchase { .. } => RecordKind::Repurchase,
            Self::Earn { .. } => RecordKind::Earn,
            Self::Expire { .. } => RecordKind::Expire,
        }
    }
}

/// Which records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Of this kind only.
    pub kind: Option<RecordKind>,
    /// Of this cluster only.
    pub cluster_id: Option<ClusterId>,
}

/// A transaction with the program's records in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TransactionDetail {
    /// Its name.
    pub signature: TransactionSignature,
    /// The slot it landed in.
    pub slot: u64,
    /// When, unix seconds on the chain's clock.
    pub at_unix_secs: i64,
    /// The records of bookings, in order.
    pub records: Vec<Record>,
    /// The records of the supply side, in order.
    #[serde(default)]
    pub supply_records: Vec<SupplyRecord>,
}

/// A cluster's whole story in money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Receipt {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// What it was paid in.
    pub currency: Currency,
    /// Where it stands.
    pub status: ClusterStatus,
    /// It is over and all its money has come to rest.
    pub settled: bool,
    /// All records, in order.
    pub records: Vec<Record>,
    /// The balance, computed from the records and compared with the booking on chain.
    pub balance: Balance,
}

/// `paid = worked + refunded + fees + escrow`, to the base unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Balance {
    /// Paid in by the customer.
    pub paid: Money,
    /// Value of the work logged.
    pub worked: Money,
    /// Returned to the customer.
    pub refunded: Money,
    /// Customer's fees and rounding dust, to the treasury.
    pub fees: Money,
    /// Still in escrow.
    pub escrow: Money,
    /// The sum is right, and each number is the same in the records and in the booking.
    pub ok: bool,
}
