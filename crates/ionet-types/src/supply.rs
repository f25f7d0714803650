//! The supply side as it travels: what the program writes about emission, roots, claims, stakes and cases.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hardware::HardwareKind;
use crate::ids::{Address, CaseId, DeviceId, Sha256, TransactionSignature};
use crate::money::Money;

/// What a device can be accused of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Offence {
    /// Falsified hardware or data.
    Falsified,
    /// Inconsistent service.
    Inconsistent,
    /// Foreign use of a hired device.
    ForeignUse,
}

impl Offence {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        self.rules().code()
    }

    /// The same offence in the rules.
    pub const fn rules(self) -> ionet_rules::slash::Offence {
        use ionet_rules::slash::Offence as Rules;
        match self {
            Self::Falsified => Rules::Falsified,
            Self::Inconsistent => Rules::Inconsistent,
            Self::ForeignUse => Rules::ForeignUse,
        }
    }
}

impl From<ionet_rules::slash::Offence> for Offence {
    fn from(offence: ionet_rules::slash::Offence) -> Self {
        use ionet_rules::slash::Offence as Rules;
        match offence {
            Rules::Falsified => Self::Falsified,
            Rules::Inconsistent => Self::Inconsistent,
            Rules::ForeignUse => Self::ForeignUse,
        }
    }
}

/// What verifiers say an epoch's end looks like. All amounts are lifetime totals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Statement {
    /// The epoch, from 1.
    pub epoch: u64,
    /// Root of the tree over all beneficiaries.
    pub root: Sha256,
    /// Hash of the published allocation file.
    pub file: Sha256,
    /// Sum of all lifetime IO.
    pub total_io: Money,
    /// Sum of all lifetime USDC.
    pub total_usdc: Money,
    /// Of `total_io`, worked value that was paid in IO.
    pub work_io: Money,
    /// IO that is earned and still locked.
    pub locked_io: Money,
}

impl From<&ionet_rules::epochs::Statement> for Statement {
    fn from(statement: &ionet_rules::epochs::Statement) -> Self {
        Self {
            epoch: statement.epoch,
            root: Sha256(statement.root),
            file: Sha256(statement.file),
            total_io: Money::io(statement.total_io.0),
            total_usdc: Money::usdc(statement.total_usdc.0),
            work_io: Money::io(statement.work_io.0),
            locked_io: Money::io(statement.locked_io.0),
        }
    }
}

/// Whose money a case takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SlashParts {
    /// Rewards of the device that are locked: taken first.
    pub unvested: Money,
    /// The owner's stake.
    pub owner: Money,
    /// The co-staker's stake.
    pub co_staker: Money,
}

impl From<&ionet_rules::slash::SlashParts> for SlashParts {
    fn from(parts: &ionet_rules::slash::SlashParts) -> Self {
        Self { unvested: Money::io(parts.unvested.0), owner: Money::io(parts.owner.0), co_staker: Money::io(parts.co.0) }
    }
}

/// One record of the supply side that the program wrote. (`subject`, `record`) is unique.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SupplyRecord {
    /// The transaction it is in.
    pub signature: TransactionSignature,
    /// The slot it landed in.
    pub slot: u64,
    /// When, unix seconds on the chain's clock.
    pub at_unix_secs: i64,
    /// Address of the account it belongs to: the epochs, the verifiers, a device, or a claim account.
    pub subject: Address,
    /// Number of the record within that account, from 0.
    pub record: u32,
    /// What it says.
    #[serde(flatten)]
    pub body: SupplyRecordBody,
}

/// What a record of the supply side says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SupplyRecordBody {
    /// An epoch's emission was minted.
    MintEpoch {
        /// The epoch, from 1.
        epoch: u64,
        /// Minted.
        amount: Money,
        /// Minted for all epochs so far.
        emitted: Money,
    },
    /// A verifier voted.
    PostRoot {
        /// Who.
        verifier: Address,
        /// Its weight.
        weight: Money,
        /// What it votes for.
        statement: Statement,
    },
    /// A root counts from now on.
    AcceptRoot {
        /// The statement.
        statement: Statement,
        /// IO moved from the payable vault to the rewards.
        moved: Money,
    },
    /// The council struck a statement.
    StrikeRoot {
        /// The statement.
        statement: Statement,
    },
    /// A device was registered.
    RegisterDevice {
        /// The device.
        device: DeviceId,
        /// Its owner.
        owner: Address,
        /// Where its rewards go.
        payout: Address,
        /// Graphics cards, or processors of a device without.
        processors: u32,
        /// Number of its model in the multiplier table; 65535 when unlisted.
        model: u16,
        /// Its kind.
        hardware: HardwareKind,
    },
    /// A beneficiary's payout wallet changed.
    SetPayout {
        /// The device.
        device: DeviceId,
        /// The new wallet.
        payout: Address,
    },
    /// The owner staked.
    Stake {
        /// The device.
        device: DeviceId,
        /// How much.
        amount: Money,
        /// The owner's stake now.
        owner_stake: Money,
    },
    /// The owner withdrew.
    WithdrawStake {
        /// The device.
        device: DeviceId,
        /// How much.
        amount: Money,
        /// The owner's stake now.
        owner_stake: Money,
    },
    /// The owner began to unstake.
    Unstake {
        /// The device.
        device: DeviceId,
        /// The owner's stake.
        owner_stake: Money,
        /// When it can be withdrawn, unix seconds.
        until_unix_secs: i64,
    },
    /// A co-stake was offered, or (zero) an offer was taken back.
    OfferCoStake {
        /// The device.
        device: DeviceId,
        /// Most that is asked for.
        max: Money,
        /// Share of the block rewards, basis points.
        share_bps: u16,
    },
    /// Somebody co-stakes.
    AcceptCoStake {
        /// The device.
        device: DeviceId,
        /// Who.
        co_staker: Address,
        /// How much.
        amount: Money,
        /// Share of the block rewards, basis points.
        share_bps: u16,
    },
    /// Notice of a co-stake was given.
    EndCoStake {
        /// The device.
        device: DeviceId,
        /// When the cool-down begins, unix seconds.
        cooling_at_unix_secs: i64,
    },
    /// A co-staker took its money.
    WithdrawCoStake {
        /// The device.
        device: DeviceId,
        /// Who.
        co_staker: Address,
        /// How much.
        amount: Money,
    },
    /// A case was opened.
    OpenCase {
        /// The device accused.
        device: DeviceId,
        /// The case.
        case_id: CaseId,
        /// Hash of the evidence.
        evidence: Sha256,
        /// The verifier.
        verifier: Address,
        /// What is frozen.
        parts: SlashParts,
        /// What the device is accused of.
        offence: Offence,
    },
    /// A case was appealed.
    AppealCase {
        /// The device.
        device: DeviceId,
        /// The case.
        case_id: CaseId,
        /// Hash of the appeal.
        appeal: Sha256,
    },
    /// A case came to its end.
    CloseCase {
        /// The device.
        device: DeviceId,
        /// The case.
        case_id: CaseId,
        /// What was burned or freed.
        parts: SlashParts,
        /// Whether it was burned.
        burned: bool,
        /// Whether the council decided, not time.
        decided: bool,
    },
    /// A beneficiary was paid.
    Claim {
        /// The device.
        device: DeviceId,
        /// Where it was paid.
        payout: Address,
        /// IO.
        io: Money,
        /// USDC.
        usdc: Money,
        /// IO claimed in its life.
        claimed_io: Money,
        /// USDC claimed in its life.
        claimed_usdc: Money,
    },
    /// A verifier bonded.
    Bond {
        /// Who.
        verifier: Address,
        /// How much.
        amount: Money,
        /// Its bond now.
        bond: Money,
    },
    /// A verifier began to take its bond out.
    Unbond {
        /// Who.
        verifier: Address,
        /// When it can be withdrawn, unix seconds.
        until_unix_secs: i64,
    },
    /// A verifier took its bond.
    WithdrawBond {
        /// Who.
        verifier: Address,
        /// How much.
        amount: Money,
    },
    /// A verifier was admitted, or its place emptied.
    AdmitVerifier {
        /// Who.
        verifier: Address,
        /// The place.
        place: u8,
        /// Whether it was admitted.
        admitted: bool,
    },
}

impl SupplyRecordBody {
    /// The kind in the program's interface.
    pub const fn kind(&self) -> ionet_abi::events::supply::SupplyKind {
        use ionet_abi::events::supply::SupplyKind as Abi;
        match self {
            Self::MintEpoch { .. } => Abi::MintEpoch,
            Self::PostRoot { .. } => Abi::PostRoot,
            Self::AcceptRoot { .. } => Abi::AcceptRoot,
            Self::StrikeRoot { .. } => Abi::StrikeRoot,
            Self::RegisterDevice { .. } => Abi::RegisterDevice,
            Self::SetPayout { .. } => Abi::SetPayout,
            Self::Stake { .. } => Abi::Stake,
            Self::WithdrawStake { .. } => Abi::WithdrawStake,
            Self::Unstake { .. } => Abi::Unstake,
            Self::OfferCoStake { .. } => Abi::OfferCoStake,
            Self::AcceptCoStake { .. } => Abi::AcceptCoStake,
            Self::EndCoStake { .. } => Abi::EndCoStake,
            Self::WithdrawCoStake { .. } => Abi::WithdrawCoStake,
            Self::OpenCase { .. } => Abi::OpenCase,
            Self::AppealCase { .. } => Abi::AppealCase,
            Self::CloseCase { .. } => Abi::CloseCase,
            Self::Claim { .. } => Abi::Claim,
            Self::Bond { .. } => Abi::Bond,
            Self::Unbond { .. } => Abi::Unbond,
            Self::WithdrawBond { .. } => Abi::WithdrawBond,
            Self::AdmitVerifier { .. } => Abi::AdmitVerifier,
        }
    }
}
