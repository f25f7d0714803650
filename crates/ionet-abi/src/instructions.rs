//! The instructions: one tag byte, then the arguments' bytes; and for each its account list, in order, with who signs and what changes.
//!
//! Program and clients take order, signers and writability from the same list, so they cannot disagree.

use bytemuck::Pod;
use ionet_rules::layout::{Struct, StructLayout};
use ionet_rules::oracle::MAX_ORACLES;
use ionet_rules::params::Params;
use ionet_rules::stored;

use crate::AddressBytes;

mod tag;

pub use tag::Tag;

/// How an instruction uses an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountUse {
    /// Name of the account in the list.
    pub name: &'static str,
    /// Whether it must sign.
    pub signer: bool,
    /// Whether it changes.
    pub writable: bool,
    /// What it is.
    pub doc: &'static str,
}

macro_rules! signer_flag {
    (s) => {
        true
    };
    (sw) => {
        true
    };
    (w) => {
        false
    };
    (r) => {
        false
    };
}
macro_rules! writable_flag {
    (s) => {
        false
    };
    (sw) => {
        true
    };
    (w) => {
        true
    };
    (r) => {
        false
    };
}

/// Declares an instruction's account list: `field: use, "doc"` with use `r` read, `w` writable, `s` signer, `sw` signing and writable.
macro_rules! account_list {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $use:ident, $field_doc:literal;)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<A> { $(#[doc = $field_doc] pub $field: A,)+ }

        impl $name<()> {
            /// The list, in order.
            pub const USES: &'static [AccountUse] = &[$(AccountUse {
                name: stringify!($field), signer: signer_flag!($use), writable: writable_flag!($use), doc: $field_doc,
            },)+];
        }

        impl<A> $name<A> {
            /// Number of accounts.
            pub const COUNT: usize = $name::<()>::USES.len();

            /// The accounts by name, from a list of exactly the right length.
            pub fn from_list(list: [A; $name::<()>::USES.len()]) -> Self {
                let [$($field,)+] = list;
                Self { $($field,)+ }
            }

            /// The accounts in order, each with its use.
            pub fn into_list(self) -> [(A, AccountUse); $name::<()>::USES.len()] {
                let mut uses = $name::<()>::USES.iter();
                [$((self.$field, *uses.next().expect("as many uses as fields")),)+]
            }
        }
    };
}

account_list! {
    /// Accounts of [`Tag::Initialize`].
    InitializeAccounts {
        payer: sw, "pays for the new accounts";
        program: s, "the program's own key: only who deployed the program can create its network";
        authority: s, "the network's authority";
        network: w, "the network account, new";
        oracle: w, "the oracle account, new";
        usdc_mint: r, "mint of USDC, 6 decimals";
        io_mint: r, "mint of IO, 8 decimals";
        usdc_escrow: w, "vault, new"; io_escrow: w, "vault, new";
        usdc_payable: w, "vault, new"; io_payable: w, "vault, new";
        usdc_pool: w, "vault, new"; io_pool: w, "vault, new";
        usdc_treasury: w, "vault, new"; io_treasury: w, "vault, new";
        io_incentives: w, "vault, new";
        token_program: r, "SPL token program";
        system_program: r, "system program";
    }
}
account_list! {
    /// Accounts of [`Tag::SetOracles`].
    SetOraclesAccounts {
        authority: s, "the network's authority";
        network: r, "the network account";
        oracle: w, "the oracle account";
    }
}
account_list! {
    /// Accounts of [`Tag::SubmitPrice`].
    SubmitPriceAccounts {
        submitter: s, "one of the network's oracles";
        oracle: w, "the oracle account";
    }
}
account_list! {
    /// Accounts of [`Tag::FundPool`].
    FundPoolAccounts {
        authority: s, "the network's authority";
        network: r, "the network account";
        usdc_source: w, "the authority's USDC account";
        io_source: w, "the authority's IO account";
        usdc_pool: w, "vault";
        io_pool: w, "vault";
        token_program: r, "SPL token program";
    }
}
account_list! {
    /// Accounts of [`Tag::BookProduct`].
    BookProductAccounts {
        payer: sw, "pays for the booking account: the network";
        customer: s, "who books";
        quote_authority: s, "co-signs: the network offered this";
        network: r, "the network account";
        booking: w, "the booking account, new";
        system_program: r, "system program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Pay`].
    PayAccounts {
        customer: s, "who booked";
        network: r, "the network account";
        booking: w, "the booking";
        source: w, "the customer's token account";
        escrow: w, "escrow vault of the booking's currency";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Start`].
    StartAccounts {
        verifier: s, "the network's verifier";
        network: r, "the network account";
        booking: w, "the booking";
        escrow: w, "escrow vault of the booking's currency";
        treasury: w, "treasury vault of the booking's currency";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Extend`].
    ExtendAccounts {
        customer: s, "who booked";
        quote_authority: s, "co-signs: the hardware stays reserved";
        network: r, "the network account";
        booking: w, "the booking";
        source: w, "the customer's token account";
        escrow: w, "escrow vault of the booking's currency";
        treasury: w, "treasury vault of the booking's currency";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Worked`].
    WorkedAccounts {
        verifier: s, "the network's verifier";
        network: r, "the network account";
        oracle: r, "the oracle account";
        booking: w, "the booking";
        escrow: w, "escrow vault of the booking's currency";
        payable: w, "payable vault of the booking's currency";
        treasury: w, "treasury vault of the booking's currency";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Refund`]. Anyone may send it: the amount and where it goes are fixed.
    RefundAccounts {
        network: r, "the network account";
        booking: w, "the booking";
        escrow: w, "escrow vault of the booking's currency";
        treasury: w, "treasury vault of the booking's currency";
        destination: w, "a token account of the customer";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Repurchase`]. Anyone may send it.
    RepurchaseAccounts {
        network: r, "the network account";
        oracle: r, "the oracle account";
        booking: w, "the booking";
        usdc_escrow: w, "vault";
        io_escrow: w, "vault";
        usdc_pool: w, "vault";
        io_pool: w, "vault";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Earn`]. Anyone may send it.
    EarnAccounts {
        network: r, "the network account";
        booking: w, "the booking";
        io_escrow: w, "vault";
        io_treasury: w, "vault";
        io_incentives: w, "vault";
        io_mint: w, "mint of IO: the burn lowers its supply";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Expire`]. Anyone may send it once the payment window is over.
    ExpireAccounts {
        network: r, "the network account";
        booking: w, "the booking";
        escrow: w, "escrow vault of the booking's currency";
        destination: w, "a token account of the customer; anything when nothing was paid";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}

/// The account list of an instruction, for documentation and for the interface description.
pub const fn account_uses(tag: Tag) -> &'static [AccountUse] {
    match tag {
        Tag::Initialize => InitializeAccounts::USES,
        Tag::SetOracles => SetOraclesAccounts::USES,
        Tag::SubmitPrice => SubmitPriceAccounts::USES,
        Tag::FundPool => FundPoolAccounts::USES,
        Tag::BookProduct => BookProductAccounts::USES,
        Tag::Pay => PayAccounts::USES,
        Tag::Start => StartAccounts::USES,
        Tag::Extend => ExtendAccounts::USES,
        Tag::Worked => WorkedAccounts::USES,
        Tag::Refund => RefundAccounts::USES,
        Tag::Repurchase => RepurchaseAccounts::USES,
        Tag::Earn => EarnAccounts::USES,
        Tag::Expire => ExpireAccounts::USES,
        Tag::InitializeSupply => supply::InitializeSupplyAccounts::USES,
        Tag::SetMultipliers => supply::SetMultipliersAccounts::USES,
        Tag::AdmitVerifier => supply::AdmitVerifierAccounts::USES,
        Tag::Bond => supply::BondAccounts::USES,
        Tag::Unbond => supply::UnbondAccounts::USES,
        Tag::WithdrawBond => supply::WithdrawBondAccounts::USES,
        Tag::MintEpoch => supply::MintEpochAccounts::USES,
        Tag::PostRoot => supply::PostRootAccounts::USES,
        Tag::AcceptRoot => supply::AcceptRootAccounts::USES,
        Tag::StrikeRoot => supply::StrikeRootAccounts::USES,
        Tag::RegisterDevice => supply::RegisterDeviceAccounts::USES,
        Tag::SetPayout => supply::SetPayoutAccounts::USES,
        Tag::Stake => supply::StakeAccounts::USES,
        Tag::WithdrawStake => supply::WithdrawStakeAccounts::USES,
        Tag::Unstake => supply::UnstakeAccounts::USES,
        Tag::OfferCoStake => supply::OfferCoStakeAccounts::USES,
        Tag::AcceptCoStake => supply::AcceptCoStakeAccounts::USES,
        Tag::EndCoStake => supply::EndCoStakeAccounts::USES,
        Tag::WithdrawCoStake => supply::WithdrawCoStakeAccounts::USES,
        Tag::OpenCase => supply::OpenCaseAccounts::USES,
        Tag::AppealCase => supply::AppealCaseAccounts::USES,
        Tag::DecideCase => supply::DecideCaseAccounts::USES,
        Tag::LapseCase => supply::LapseCaseAccounts::USES,
        Tag::Claim => supply::ClaimAccounts::USES,
    }
}

/// Arguments of an instruction.
pub trait Arguments: Pod + StructLayout {
    /// Which instruction.
    const TAG: Tag;

    /// The arguments after the tag byte; `None` when the length differs.
    fn read(data: &[u8]) -> Option<Self> {
        (data.len() == size_of::<Self>()).then(|| bytemuck::pod_read_unaligned(data))
    }
}

macro_rules! arguments {
    ($(#[doc = $doc:literal])+ $name:ident: $tag:ident { $($(#[doc = $field_doc:literal])+ $field:ident: $type:ty,)* }) => {
        stored! {
            $(#[doc = $doc])+
            pub struct $name { $($(#[doc = $field_doc])+ pub $field: $type,)* }
        }

        impl Arguments for $name {
            const TAG: Tag = Tag::$tag;
        }
    };
}

pub mod supply;

arguments! {
    /// Creates the network.
    InitializeArgs: Initialize {
        /// Parameters, within their bounds.
        params: Params,
        /// Key that co-signs offers.
        quote_authority: AddressBytes,
        /// Key that writes starts and work logs.
        verifier: AddressBytes,
    }
}
arguments! {
    /// Sets the oracle set; a key that stays keeps its last price.
    SetOraclesArgs: SetOracles {
        /// The keys; those beyond `count` are zero. No key twice.
        keys: [AddressBytes; MAX_ORACLES],
        /// How many, 1 to 8.
        count: u8,
    }
}
arguments! {
    /// An oracle's price.
    SubmitPriceArgs: SubmitPrice {
        /// Micro-USD per IO.
        price_micro_usd: u64,
    }
}
arguments! {
    /// Puts reserves into the pool.
    FundPoolArgs: FundPool {
        /// Base units of USDC.
        usdc: u64,
        /// Base units of IO.
        io: u64,
    }
}
arguments! {
    /// Books a cluster: the offer both parties sign.
    BookProductArgs: BookProduct {
        /// The cluster's id: a UUID.
        cluster_id: [u8; 16],
        /// Base units per device-hour.
        rate: u64,
        /// Micro-USD per device-hour.
        rate_micro_usd: u64,
        /// Until when the offer holds, unix seconds.
        valid_until_unix_secs: i64,
        /// Devices.
        quantity: u32,
        /// Hired minutes of each.
        minutes: u32,
        /// `Currency`.
        currency: u8,
        /// `HardwareKind`.
        hardware: u8,
        /// Unused, zero.
        reserved: [u8; 6],
    }
}
arguments! {
    /// Pays.
    PayArgs: Pay {
        /// Base units of the booking's currency.
        amount: u64,
        /// Number of payments before this one: a repeated payment is refused.
        sequence: u32,
        /// Unused, zero.
        reserved: u32,
    }
}
arguments! {
    /// The cluster runs.
    StartArgs: Start {}
}
arguments! {
    /// Extends.
    ExtendArgs: Extend {
        /// Exactly the extension's price, base units of the booking's currency.
        amount: u64,
        /// Minutes added.
        minutes: u32,
        /// Number of extensions before this one.
        sequence: u32,
    }
}
arguments! {
    /// Writes a work log.
    WorkedArgs: Worked {
        /// Device-minutes delivered in the log's period.
        device_minutes: u64,
        /// When it ended, unix seconds; 0 while it goes on.
        ended_at_unix_secs: i64,
        /// Number of the log.
        sequence: u32,
        /// `EndReason`; 0 while it goes on.
        end_reason: u8,
        /// Unused, zero.
        reserved: [u8; 3],
    }
}
arguments! {
    /// Refunds.
    RefundArgs: Refund {}
}
arguments! {
    /// Converts.
    RepurchaseArgs: Repurchase {
        /// Number of repurchases before this one.
        sequence: u32,
    }
}
arguments! {
    /// Earns.
    EarnArgs: Earn {
        /// Number of earnings before this one.
        sequence: u32,
    }
}
arguments! {
    /// Expires.
    ExpireArgs: Expire {}
}

/// The layout of an instruction's arguments, for documentation and for the interface description.
pub const fn argument_layout(tag: Tag) -> &'static Struct {
    match tag {
        Tag::Initialize => InitializeArgs::STRUCT,
        Tag::SetOracles => SetOraclesArgs::STRUCT,
        Tag::SubmitPrice => SubmitPriceArgs::STRUCT,
        Tag::FundPool => FundPoolArgs::STRUCT,
        Tag::BookProduct => BookProductArgs::STRUCT,
        Tag::Pay => PayArgs::STRUCT,
        Tag::Start => StartArgs::STRUCT,
        Tag::Extend => ExtendArgs::STRUCT,
        Tag::Worked => WorkedArgs::STRUCT,
        Tag::Refund => RefundArgs::STRUCT,
        Tag::Repurchase => RepurchaseArgs::STRUCT,
        Tag::Earn => EarnArgs::STRUCT,
        Tag::Expire => ExpireArgs::STRUCT,
        Tag::InitializeSupply => supply::InitializeSupplyArgs::STRUCT,
        Tag::SetMultipliers => supply::SetMultipliersArgs::STRUCT,
        Tag::AdmitVerifier => supply::AdmitVerifierArgs::STRUCT,
        Tag::Bond => supply::BondArgs::STRUCT,
        Tag::Unbond => supply::UnbondArgs::STRUCT,
        Tag::WithdrawBond => supply::WithdrawBondArgs::STRUCT,
        Tag::MintEpoch => supply::MintEpochArgs::STRUCT,
        Tag::PostRoot => supply::PostRootArgs::STRUCT,
        Tag::AcceptRoot => supply::AcceptRootArgs::STRUCT,
        Tag::StrikeRoot => supply::StrikeRootArgs::STRUCT,
        Tag::RegisterDevice => supply::RegisterDeviceArgs::STRUCT,
        Tag::SetPayout => supply::SetPayoutArgs::STRUCT,
        Tag::Stake => supply::StakeArgs::STRUCT,
        Tag::WithdrawStake => supply::WithdrawStakeArgs::STRUCT,
        Tag::Unstake => supply::UnstakeArgs::STRUCT,
        Tag::OfferCoStake => supply::OfferCoStakeArgs::STRUCT,
        Tag::AcceptCoStake => supply::AcceptCoStakeArgs::STRUCT,
        Tag::EndCoStake => supply::EndCoStakeArgs::STRUCT,
        Tag::WithdrawCoStake => supply::WithdrawCoStakeArgs::STRUCT,
        Tag::OpenCase => supply::OpenCaseArgs::STRUCT,
        Tag::AppealCase => supply::AppealCaseArgs::STRUCT,
        Tag::DecideCase => supply::DecideCaseArgs::STRUCT,
        Tag::LapseCase => supply::LapseCaseArgs::STRUCT,
        Tag::Claim => supply::ClaimArgs::STRUCT,
    }
}
