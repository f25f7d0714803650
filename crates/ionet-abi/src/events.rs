//! Event records: what the explorer reads. The program writes each by calling itself with the network account as signer, which nobody else
//! can make sign; so a record in a transaction's inner instructions is the program's own word. (booking, `record`) is unique.
//!
//! Data of the inner instruction: `[EVENT_TAG][RecordHeader][the kind's body]`.

use bytemuck::Pod;
use ionet_rules::layout::{Struct, StructLayout};
use ionet_rules::stored;

pub mod supply;

/// First byte of the inner instruction's data.
pub const EVENT_TAG: u8 = 0xE4;

/// What a record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum RecordKind {
    /// [`BookProductRecord`].
    BookProduct = 1,
    /// [`PayRecord`].
    Pay = 2,
    /// [`StartRecord`].
    Start = 3,
    /// [`ExtendRecord`].
    Extend = 4,
    /// [`WorkedRecord`].
    Worked = 5,
    /// [`RefundRecord`].
    Refund = 6,
    /// [`RepurchaseRecord`].
    Repurchase = 7,
    /// [`EarnRecord`].
    Earn = 8,
    /// [`ExpireRecord`].
    Expire = 9,
}

impl RecordKind {
    /// All kinds.
    pub const ALL: [Self; 9] =
        [Self::BookProduct, Self::Pay, Self::Start, Self::Extend, Self::Worked, Self::Refund, Self::Repurchase, Self::Earn, Self::Expire];

    /// The kind stored as this byte.
    pub fn from_u8(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == byte)
    }

    /// The stable name on the wire, as in docs/economy.md.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BookProduct => "book_product",
            Self::Pay => "pay",
            Self::Start => "start",
            Self::Extend => "extend",
            Self::Worked => "worked",
            Self::Refund => "refund",
            Self::Repurchase => "repurchase",
            Self::Earn => "earn",
            Self::Expire => "expire",
        }
    }
}

stored! {
    /// First part of every record.
    pub struct RecordHeader {
        /// When, unix seconds, on the chain's clock.
        pub at_unix_secs: i64,
        /// The cluster.
        pub cluster_id: [u8; 16],
        /// Number of the record within its booking, from 0.
        pub record: u32,
        /// [`RecordKind`].
        pub kind: u8,
        /// `Currency` of the booking.
        pub currency: u8,
        /// `Status` of the booking after the step.
        pub status: u8,
        /// Unused, zero.
        pub reserved: u8,
    }
}

/// A record's body type.
pub trait RecordBody: Pod + StructLayout {
    /// Which kind it belongs to.
    const KIND: RecordKind;
}

macro_rules! record {
    ($(#[doc = $doc:literal])+ $name:ident: $kind:ident { $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)+ }) => {
        stored! {
            $(#[doc = $doc])+
            pub struct $name { $($(#[doc = $field_doc])+ pub $field: $type,)+ }
        }

        impl RecordBody for $name {
            const KIND: RecordKind = RecordKind::$kind;
        }
    };
}

record! {
    /// A cluster was booked: hardware is reserved, nothing paid yet.
    BookProductRecord: BookProduct {
        /// Who booked.
        customer: [u8; 32],
        /// Cost plus fees, base units of the booking's currency.
        total: u64,
        /// Compute cost.
        cost: u64,
        /// Customer's fees.
        fees: u64,
        /// Base units per device-hour.
        rate: u64,
        /// Micro-USD per device-hour.
        rate_micro_usd: u64,
        /// Devices.
        quantity: u32,
        /// Hired minutes of each.
        minutes: u32,
        /// `HardwareKind`.
        hardware: u8,
        /// Unused, zero.
        reserved: [u8; 7],
    }
}
record! {
    /// A payment, from the customer into escrow.
    PayRecord: Pay {
        /// Base units of the booking's currency.
        amount: u64,
        /// Paid in all.
        paid: u64,
        /// Due in all.
        total: u64,
        /// Number of the payment, from 0.
        sequence: u32,
        /// Unused, zero.
        reserved: u32,
    }
}
record! {
    /// The cluster runs; the customer's fees went to the treasury.
    StartRecord: Start {
        /// Fees taken, base units of the booking's currency.
        fees: u64,
    }
}
record! {
    /// The hired time was extended and paid for.
    ExtendRecord: Extend {
        /// Paid for the extension, base units of the booking's currency.
        amount: u64,
        /// Fees taken at once (running cluster).
        fees: u64,
        /// Total of the booking now.
        total: u64,
        /// Minutes added.
        minutes: u32,
        /// Number of the extension, from 0.
        sequence: u32,
    }
}
record! {
    /// A work log.
    WorkedRecord: Worked {
        /// Device-minutes delivered.
        device_minutes: u64,
        /// Value at the locked rate, base units of the booking's currency.
        value: u64,
        /// The same in micro-USD: this log's part of the total network earnings.
        value_micro_usd: u64,
        /// The same in base units of IO: the value itself for IO bookings, else at the last oracle price.
        value_io: u64,
        /// Part moved to the payable vault for the suppliers.
        supplier: u64,
        /// Part that waits for repurchase or earning.
        rest: u64,
        /// Rounding dust moved to the treasury.
        dust: u64,
        /// Number of the log, from 0.
        sequence: u32,
        /// `EndReason` on the last log, else 0.
        end_reason: u8,
        /// Unused, zero.
        reserved: [u8; 3],
    }
}
record! {
    /// Unused time went back to the customer.
    RefundRecord: Refund {
        /// Base units of the booking's currency.
        amount: u64,
        /// Rounding dust moved to the treasury.
        dust: u64,
    }
}
record! {
    /// USDC was swapped into IO in the protocol's pool.
    RepurchaseRecord: Repurchase {
        /// Base units of USDC in.
        amount_in: u64,
        /// Base units of IO out.
        amount_out: u64,
        /// Oracle price, micro-USD per IO.
        price_micro_usd: u64,
        /// Number of the repurchase, from 0.
        sequence: u32,
        /// Unused, zero.
        reserved: u32,
    }
}
record! {
    /// IO left escrow for good.
    EarnRecord: Earn {
        /// Base units of IO in all.
        amount: u64,
        /// Of these, burned.
        burned: u64,
        /// Of these, to the incentives vault.
        incentives: u64,
        /// Of these, to the treasury.
        treasury: u64,
        /// Number of the earning, from 0.
        sequence: u32,
        /// Unused, zero.
        reserved: u32,
    }
}
record! {
    /// The payment window passed; what was paid went back.
    ExpireRecord: Expire {
        /// Base units of the booking's currency returned.
        amount: u64,
    }
}

/// The layout of each kind's body, for documentation and for the interface description.
pub const fn record_layout(kind: RecordKind) -> &'static Struct {
    match kind {
        RecordKind::BookProduct => BookProductRecord::STRUCT,
        RecordKind::Pay => PayRecord::STRUCT,
        RecordKind::Start => StartRecord::STRUCT,
        RecordKind::Extend => ExtendRecord::STRUCT,
        RecordKind::Worked => WorkedRecord::STRUCT,
        RecordKind::Refund => RefundRecord::STRUCT,
        RecordKind::Repurchase => RepurchaseRecord::STRUCT,
        RecordKind::Earn => EarnRecord::STRUCT,
        RecordKind::Expire => ExpireRecord::STRUCT,
    }
}
