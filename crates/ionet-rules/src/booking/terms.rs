//! What goes into a booking's steps and what comes out of them: kinds, states, offers, logs, and what is to be moved.

use crate::money::{Currency, MicroUsd, Units};
use crate::worklog::EndReason;
use crate::{RuleError, RuleResult};

/// What kind of processor is hired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum HardwareKind {
    /// Processors without a graphics card.
    Cpu = 0,
    /// Graphics cards.
    Gpu = 1,
}

impl HardwareKind {
    /// The kind stored as this byte.
    pub const fn from_u8(byte: u8) -> RuleResult<Self> {
        match byte {
            0 => Ok(Self::Cpu),
            1 => Ok(Self::Gpu),
            _ => Err(RuleError::UnknownValue),
        }
    }
}

/// Where a booking stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Status {
    /// Booked, nothing paid yet.
    Booked = 0,
    /// Something paid, not all.
    PartiallyPaid = 1,
    /// All paid, not started.
    Paid = 2,
    /// Running since `started_at_unix_secs`.
    Running = 3,
    /// Over; a refund may still be due.
    Ended = 4,
    /// Not paid in time; all that was paid went back.
    Expired = 5,
}

impl Status {
    /// The status stored as this byte.
    pub const fn from_u8(byte: u8) -> RuleResult<Self> {
        match byte {
            0 => Ok(Self::Booked),
            1 => Ok(Self::PartiallyPaid),
            2 => Ok(Self::Paid),
            3 => Ok(Self::Running),
            4 => Ok(Self::Ended),
            5 => Ok(Self::Expired),
            _ => Err(RuleError::UnknownValue),
        }
    }

    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Booked => "booked",
            Self::PartiallyPaid => "partially_paid",
            Self::Paid => "paid",
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Expired => "expired",
        }
    }
}

/// What the network offers and the customer accepts by signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer {
    /// What the booking is paid in.
    pub currency: Currency,
    /// What kind of devices.
    pub hardware: HardwareKind,
    /// How many devices.
    pub quantity: u32,
    /// Hired time of each device, minutes.
    pub minutes: u32,
    /// Base units of `currency` per device-hour.
    pub rate: Units,
    /// The same rate in micro-USD per device-hour: equal to `rate` for USDC, the dollar price behind it for IO.
    pub rate_micro_usd: MicroUsd,
    /// Until when the offer can be accepted, unix seconds.
    pub valid_until_unix_secs: i64,
}

/// What an extension costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtensionPrice {
    /// Compute cost added.
    pub cost: Units,
    /// Customer's fees added.
    pub fees: Units,
    /// The sum, to be paid with the extension.
    pub total: Units,
}

/// What moved when an extension was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extended {
    /// From the customer into escrow.
    pub paid: Units,
    /// From escrow to the treasury: the added fees, when the cluster runs already.
    pub fees: Units,
}

/// A work log as the verifier writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkLog {
    /// Number of the log, from 0: can be written once.
    pub sequence: u32,
    /// Device-minutes delivered in the log's period.
    pub device_minutes: u64,
    /// Set on the last log.
    pub end: Option<End>,
}

/// How a cluster ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// Why.
    pub reason: EndReason,
    /// When, unix seconds; not in the future. Ignored when the hired time is over.
    pub at_unix_secs: i64,
}

/// What a work log moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worked {
    /// Value of the logged minutes, in the booking's currency: leaves escrow.
    pub value: Units,
    /// The same in micro-USD.
    pub value_micro_usd: MicroUsd,
    /// To the payable vault.
    pub supplier: Units,
    /// Stays in the vault until repurchased or earned.
    pub rest: Units,
    /// From escrow to the treasury: rounding dust, when this log closed the booking.
    pub dust: Units,
}

/// What a refund moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refunded {
    /// From escrow to the customer.
    pub amount: Units,
    /// From escrow to the treasury: rounding dust.
    pub dust: Units,
}
