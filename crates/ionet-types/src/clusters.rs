//! Clusters: what a customer books, and how it goes.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hardware::{HardwareKind, HardwareModel};
use crate::ids::{Address, ClusterId, DeviceId};
use crate::market::Requirements;
use crate::money::{Currency, MicroUsd, Money};
use crate::quotes::{QuoteRequest, SignedQuote};
use crate::transactions::PreparedTransaction;

/// Longest name of a cluster, bytes.
pub const MAX_NAME_BYTES: usize = 64;

/// What is to be booked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookRequest {
    /// Which model.
    pub hardware: HardwareModel,
    /// How many devices: the first is the head of the Ray cluster, all of them work.
    #[schema(minimum = 1, maximum = 100_000)]
    pub quantity: u32,
    /// For how long, minutes.
    #[schema(minimum = 1, maximum = 5_256_000)]
    pub minutes: u32,
    /// What it is paid in.
    pub currency: Currency,
    /// A name for the customer's own use, at most 64 bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub name: Option<String>,
    /// What the devices fulfil beside their model.
    #[serde(default, skip_serializing_if = "Requirements::is_empty")]
    pub requirements: Requirements,
    /// A running cluster of the same customer whose Ray the new nodes join. They are let go with it at the latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<ClusterId>,
    /// A quote for these terms that still holds: it is booked at its price. Without one, at the price of now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<SignedQuote>,
}

impl BookRequest {
    /// These terms and no others.
    pub fn new(terms: QuoteRequest) -> Self {
        let QuoteRequest { hardware, quantity, minutes, currency, requirements } = terms;
        Self { hardware, quantity, minutes, currency, name: None, requirements, part_of: None, quote: None }
    }

    /// The terms, as a quote has them.
    pub fn terms(&self) -> QuoteRequest {
        QuoteRequest {
            hardware: self.hardware.clone(),
            quantity: self.quantity,
            minutes: self.minutes,
            currency: self.currency,
            requirements: self.requirements.clone(),
        }
    }
}

/// A booking that waits for the customer's signature. Devices are reserved until the transaction's offer ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Booked {
    /// The cluster.
    pub cluster: Cluster,
    /// The transaction that books it.
    pub transaction: PreparedTransaction,
}

/// Where a cluster stands. All but the first are what its booking on chain says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClusterStatus {
    /// Devices are reserved; the customer has not signed the booking yet.
    Prepared,
    /// Booked, nothing paid yet.
    Booked,
    /// Something paid, not all.
    PartiallyPaid,
    /// All paid; its nodes start.
    Paid,
    /// Running: the hired time counts.
    Running,
    /// Over; a refund or settlement may still be under way until `settled`.
    Ended,
    /// Not paid in time; all that was paid went back.
    Expired,
}

impl ClusterStatus {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Prepared => "prepared",
            Self::Booked => "booked",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Expired => "expired",
        }
    }
}

impl From<ionet_rules::booking::Status> for ClusterStatus {
    fn from(status: ionet_rules::booking::Status) -> Self {
        use ionet_rules::booking::Status;
        match status {
            Status::Booked => Self::Booked,
            Status::PartiallyPaid => Self::PartiallyPaid,
            Status::Paid => Self::Paid,
            Status::Running => Self::Running,
            Status::Ended => Self::Ended,
            Status::Expired => Self::Expired,
        }
    }
}

/// Why a cluster ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The hired time is over.
    HiredTimeOver,
    /// The customer ended it early.
    CustomerEnded,
    /// The network failed to deliver and found no replacement in time.
    NetworkFailed,
}

impl From<ionet_rules::worklog::EndReason> for EndReason {
    fn from(reason: ionet_rules::worklog::EndReason) -> Self {
        use ionet_rules::worklog::EndReason as Rule;
        match reason {
            Rule::HiredTimeOver => Self::HiredTimeOver,
            Rule::CustomerEnded => Self::CustomerEnded,
            Rule::NetworkFailed => Self::NetworkFailed,
        }
    }
}

/// A cluster: its terms, its money and its nodes. Every amount is read from its booking on chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cluster {
    /// Its id.
    pub id: ClusterId,
    /// The customer's name for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who booked it.
    pub customer: Address,
    /// Where it stands.
    pub status: ClusterStatus,
    /// Which model.
    pub hardware: HardwareModel,
    /// Its kind.
    pub kind: HardwareKind,
    /// Devices.
    pub quantity: u32,
    /// Hired minutes of each, extensions included.
    pub minutes_hired: u32,
    /// What it is paid in.
    pub currency: Currency,
    /// Price of one device for one hour, locked at booking.
    pub rate: Money,
    /// The same in micro-USD.
    pub rate_micro_usd: MicroUsd,
    /// Compute cost of all hired minutes.
    pub cost: Money,
    /// The customer's fees.
    pub fees: Money,
    /// Cost plus fees.
    pub total: Money,
    /// Paid so far.
    pub paid: Money,
    /// Still to be paid.
    pub due: Money,
    /// Value of the work logged.
    pub worked: Money,
    /// Device-minutes of work logged.
    pub device_minutes_worked: u64,
    /// What went back to the customer.
    pub refunded: Money,
    /// What its escrow holds.
    pub escrow: Money,
    /// When it was made, unix seconds.
    pub created_at_unix_secs: i64,
    /// When its booking landed on chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub booked_at_unix_secs: Option<i64>,
    /// Until when the next step is due: the customer's signature while prepared, the next payment while not all is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pay_by_unix_secs: Option<i64>,
    /// When it started running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at_unix_secs: Option<i64>,
    /// When its hired time is over; only once it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hired_until_unix_secs: Option<i64>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at_unix_secs: Option<i64>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_reason: Option<EndReason>,
    /// The customer asked to end it early; the last work log and the refund follow.
    pub terminating: bool,
    /// It is over and all its money has come to rest.
    pub settled: bool,
    /// What its devices fulfil beside their model.
    #[serde(default, skip_serializing_if = "Requirements::is_empty")]
    pub requirements: Requirements,
    /// The cluster whose Ray its nodes join; absent when it has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part_of: Option<ClusterId>,
    /// The clusters whose nodes join its Ray, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<ClusterId>,
    /// Its nodes, by number; the first is the head, unless it is part of another cluster.
    pub nodes: Vec<ClusterNode>,
    /// Path of Ray's Jobs API and dashboard at this hub, for `RAY_ADDRESS`.
    #[schema(example = "/v1/clusters/0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21/ray")]
    pub ray_path: String,
}

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodePhase {
    /// Its device is reserved; nothing runs yet.
    Reserved,
    /// The software is fetched.
    Preparing,
    /// Its processes start.
    Starting,
    /// It works.
    Ready,
    /// It does not work; a new attempt or a replacement follows.
    Failed,
    /// It is being ended.
    Stopping,
    /// Nothing of it runs any more.
    Stopped,
    /// Its device is not heard of at the moment. The node most likely runs on: its device holds a lease.
    Unknown,
}

/// One node of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClusterNode {
    /// Number in the cluster, from 0; 0 is the head.
    pub node: u16,
    /// The device that it runs on.
    pub device: DeviceId,
    /// How it is.
    pub phase: NodePhase,
    /// How far the preparation is, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u8>,
    /// What is done now or what went wrong, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Version of Ray that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ray_version: Option<String>,
}
