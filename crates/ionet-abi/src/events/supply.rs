//! Event records of the supply side. Data of the inner instruction: `[SUPPLY_EVENT_TAG][SupplyHeader][the kind's body]`; (subject, `record`)
//! is unique and gapless.

use bytemuck::Pod;
use ionet_rules::epochs::Statement;
use ionet_rules::layout::{Struct, StructLayout};
use ionet_rules::slash::SlashParts;
use ionet_rules::stored;

use crate::AddressBytes;

/// First byte of the inner instruction's data.
pub const SUPPLY_EVENT_TAG: u8 = 0xE5;

macro_rules! supply_records {
    ($($(#[doc = $doc:literal])+ $kind:ident = $number:literal, $name:literal, $body:ident { $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)+ })+) => {
        /// What a record of the supply side says.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum SupplyKind {
            $($(#[doc = $doc])+ $kind = $number,)+
        }

        impl SupplyKind {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The kind stored as this byte.
            pub fn from_u8(byte: u8) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| *kind as u8 == byte)
            }

            /// The stable name on the wire.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)+ }
            }

            /// The layout of the kind's body.
            pub const fn layout(self) -> &'static Struct {
                match self { $(Self::$kind => $body::STRUCT,)+ }
            }
        }

        $(
            stored! {
                $(#[doc = $doc])+
                pub struct $body { $($(#[doc = $field_doc])+ pub $field: $type,)+ }
            }

            impl SupplyBody for $body {
                const KIND: SupplyKind = SupplyKind::$kind;
            }
        )+
    };
}

stored! {
    /// First part of every record of the supply side.
    pub struct SupplyHeader {
        /// When, unix seconds, on the chain's clock.
        pub at_unix_secs: i64,
        /// Address of the account that the record belongs to.
        pub subject: AddressBytes,
        /// Number of the record within that account, from 0.
        pub record: u32,
        /// [`SupplyKind`].
        pub kind: u8,
        /// Unused, zero.
        pub reserved: [u8; 3],
    }
}

/// A record's body type.
pub trait SupplyBody: Pod + StructLayout {
    /// Which kind it belongs to.
    const KIND: SupplyKind;
}

supply_records! {
    /// An epoch's emission was minted. Subject: the epochs account.
    MintEpoch = 1, "mint_epoch", MintEpochRecord {
        /// The epoch, from 1.
        epoch: u64,
        /// Minted, base units of IO.
        amount: u64,
        /// Minted for all epochs so far.
        emitted: u64,
    }
    /// A verifier voted. Subject: the verifiers account.
    PostRoot = 2, "post_root", PostRootRecord {
        /// Who.
        verifier: AddressBytes,
        /// Its weight, base units of IO.
        weight: u64,
        /// What it votes for.
        statement: Statement,
    }
    /// A root counts from now on. Subject: the epochs account.
    AcceptRoot = 3, "accept_root", AcceptRootRecord {
        /// The statement.
        statement: Statement,
        /// IO moved from the payable vault to the rewards.
        moved: u64,
    }
    /// The council struck a statement. Subject: the verifiers account.
    StrikeRoot = 4, "strike_root", StrikeRootRecord {
        /// The statement.
        statement: Statement,
    }
    /// A device was registered. Subject: the device account.
    RegisterDevice = 5, "register_device", RegisterDeviceRecord {
        /// The device's key.
        device: AddressBytes,
        /// Its owner.
        owner: AddressBytes,
        /// Where its rewards go.
        payout: AddressBytes,
        /// Processors.
        processors: u32,
        /// Model number.
        model: u16,
        /// `HardwareKind`.
        kind: u8,
        /// Unused, zero.
        reserved: u8,
    }
    /// A beneficiary's payout wallet changed. Subject: the claim account.
    SetPayout = 6, "set_payout", SetPayoutRecord {
        /// The device.
        device: AddressBytes,
        /// The new wallet.
        payout: AddressBytes,
    }
    /// The owner staked. Subject: the device account, as for all stakes and cases.
    Stake = 7, "stake", StakeRecord {
        /// The device.
        device: AddressBytes,
        /// Base units of IO.
        amount: u64,
        /// The owner's stake now.
        owner_stake: u64,
    }
    /// The owner withdrew.
    WithdrawStake = 8, "withdraw_stake", WithdrawStakeRecord {
        /// The device.
        device: AddressBytes,
        /// Base units of IO.
        amount: u64,
        /// The owner's stake now.
        owner_stake: u64,
    }
    /// The owner began to unstake.
    Unstake = 9, "unstake", UnstakeRecord {
        /// The device.
        device: AddressBytes,
        /// The owner's stake, base units of IO.
        owner_stake: u64,
        /// When it can be withdrawn, unix seconds.
        until_unix_secs: i64,
    }
    /// A co-stake was offered, or (zero) an offer was taken back.
    OfferCoStake = 10, "offer_co_stake", OfferCoStakeRecord {
        /// The device.
        device: AddressBytes,
        /// Most that is asked for, base units of IO.
        max: u64,
        /// Share of the block rewards, basis points.
        share_bps: u16,
        /// Unused, zero.
        reserved: [u8; 6],
    }
    /// Somebody co-stakes.
    AcceptCoStake = 11, "accept_co_stake", AcceptCoStakeRecord {
        /// The device.
        device: AddressBytes,
        /// Who.
        co_staker: AddressBytes,
        /// Base units of IO.
        amount: u64,
        /// Share of the block rewards, basis points.
        share_bps: u16,
        /// Unused, zero.
        reserved: [u8; 6],
    }
    /// Notice of a co-stake was given.
    EndCoStake = 12, "end_co_stake", EndCoStakeRecord {
        /// The device.
        device: AddressBytes,
        /// When the cool-down begins, unix seconds.
        cooling_at_unix_secs: i64,
    }
    /// A co-staker took its money.
    WithdrawCoStake = 13, "withdraw_co_stake", WithdrawCoStakeRecord {
        /// The device.
        device: AddressBytes,
        /// Who.
        co_staker: AddressBytes,
        /// Base units of IO.
        amount: u64,
    }
    /// A case was opened.
    OpenCase = 14, "open_case", OpenCaseRecord {
        /// The device.
        device: AddressBytes,
        /// The case.
        case_id: [u8; 16],
        /// SHA-256 of the evidence.
        evidence: [u8; 32],
        /// The verifier.
        verifier: AddressBytes,
        /// What is frozen.
        parts: SlashParts,
        /// `Offence`.
        offence: u8,
        /// Unused, zero.
        reserved: [u8; 7],
    }
    /// A case was appealed.
    AppealCase = 15, "appeal_case", AppealCaseRecord {
        /// The device.
        device: AddressBytes,
        /// The case.
        case_id: [u8; 16],
        /// SHA-256 of the appeal.
        appeal: [u8; 32],
    }
    /// A case came to its end.
    CloseCase = 16, "close_case", CloseCaseRecord {
        /// The device.
        device: AddressBytes,
        /// The case.
        case_id: [u8; 16],
        /// What was burned or freed.
        parts: SlashParts,
        /// 1 when it was burned.
        burned: u8,
        /// 1 when the council decided, 0 when time did.
        decided: u8,
        /// Unused, zero.
        reserved: [u8; 6],
    }
    /// A beneficiary was paid. Subject: the claim account.
    Claim = 17, "claim", ClaimRecord {
        /// The device.
        device: AddressBytes,
        /// Where it was paid.
        payout: AddressBytes,
        /// Base units of IO.
        io: u64,
        /// Base units of USDC.
        usdc: u64,
        /// Claimed in its life, IO.
        claimed_io: u64,
        /// Claimed in its life, USDC.
        claimed_usdc: u64,
    }
    /// A verifier bonded. Subject: the verifiers account, as for the next three.
    Bond = 18, "bond", BondRecord {
        /// Who.
        verifier: AddressBytes,
        /// Base units of IO.
        amount: u64,
        /// Its bond now.
        bond: u64,
    }
    /// A verifier began to take its bond out.
    Unbond = 19, "unbond", UnbondRecord {
        /// Who.
        verifier: AddressBytes,
        /// When it can be withdrawn, unix seconds.
        until_unix_secs: i64,
    }
    /// A verifier took its bond.
    WithdrawBond = 20, "withdraw_bond", WithdrawBondRecord {
        /// Who.
        verifier: AddressBytes,
        /// Base units of IO.
        amount: u64,
    }
    /// A verifier was admitted, or its place emptied.
    AdmitVerifier = 21, "admit_verifier", AdmitVerifierRecord {
        /// Who.
        verifier: AddressBytes,
        /// The place.
        place: u8,
        /// 1 when admitted, 0 when the place was emptied.
        admitted: u8,
        /// Unused, zero.
        reserved: [u8; 6],
    }
}
