//! Devices as their owners see them on chain: registration, stake, co-stake. Who owns or co-stakes a device is never shown to others.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::hardware::HardwareKind;
use crate::ids::{Address, DeviceId};
use crate::money::{BaseUnits, Money};
use crate::transactions::PreparedTransaction;

/// A step with a device that waits for the wallet's signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreparedStep {
    /// The device.
    pub device: DeviceId,
    /// The transaction that does it.
    pub transaction: PreparedTransaction,
}

/// To register a device on chain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RegistrationRequest {
    /// Wallet that its rewards are paid to; the owner's own when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<Address>,
}

/// To stake on a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct StakeRequest {
    /// Base units of IO.
    pub amount: BaseUnits,
}

/// To take stake out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WithdrawalRequest {
    /// Base units of IO of what exceeds the minimum. When absent: all that exceeds it, or all that is unstaked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<BaseUnits>,
}

/// To change where rewards are paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PayoutRequest {
    /// The wallet.
    pub wallet: Address,
}

/// To offer a co-stake, or to take the offer back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoStakeOfferRequest {
    /// Most that is asked for, base units of IO; 0 takes the offer back.
    pub max: BaseUnits,
    /// The co-staker's share of the device's block rewards, basis points.
    #[schema(minimum = 0, maximum = 10_000)]
    pub share_bps: u16,
}

/// To co-stake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CoStakeRequest {
    /// Base units of IO.
    pub amount: BaseUnits,
    /// The share that was offered, basis points: nothing is staked when the offer has changed.
    #[schema(minimum = 1, maximum = 10_000)]
    pub share_bps: u16,
}

/// A step that needs no more than the path says: an empty object.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmptyRequest {}

/// Where a co-stake stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CoStakeStatus {
    /// No offer, no co-staker.
    None,
    /// The owner offers a share.
    Offered,
    /// Somebody co-stakes.
    Active,
    /// Notice was given: it still counts and earns no more.
    Notice,
    /// Cool-down: it no longer counts and waits to be withdrawn.
    Cooling,
}

impl From<ionet_rules::stake::CoStatus> for CoStakeStatus {
    fn from(status: ionet_rules::stake::CoStatus) -> Self {
        use ionet_rules::stake::CoStatus as Rules;
        match status {
            Rules::None => Self::None,
            Rules::Offered => Self::Offered,
            Rules::Active => Self::Active,
            Rules::Notice => Self::Notice,
            Rules::Cooling => Self::Cooling,
        }
    }
}

/// What the caller is to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StakeRole {
    /// It owns the device.
    Owner,
    /// It co-stakes it.
    CoStaker,
}

/// A device's stake, read from the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Stake {
    /// The device.
    pub device: DeviceId,
    /// What the caller is to it; only in the caller's own list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<StakeRole>,
    /// Where the caller's rewards from it are paid; only in the caller's own list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payout: Option<Address>,
    /// Its kind.
    pub kind: HardwareKind,
    /// Its model in the multiplier table; absent when it is not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Graphics cards, or processors of a device without.
    pub processors: u32,
    /// Its multiplier, hundredths: 1000 for 10.
    pub multiplier_centi: u32,
    /// Least stake with which it earns availability rewards.
    pub minimum: Money,
    /// What counts towards the minimum now.
    pub counted: Money,
    /// Whether that is enough.
    pub minimum_met: bool,
    /// The owner's stake.
    pub owner_stake: Money,
    /// What the owner could withdraw at once.
    pub overflow: Money,
    /// Part of the owner's stake that cases have frozen.
    pub frozen: Money,
    /// All that cases have ever burned of this device's stake.
    pub burned: Money,
    /// When the owner began to unstake, unix seconds; absent when not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unstaking_since_unix_secs: Option<i64>,
    /// When the owner may withdraw all, unix seconds; absent when not unstaking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawable_at_unix_secs: Option<i64>,
    /// The co-stake.
    pub co_stake: CoStake,
}

/// A device's co-stake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoStake {
    /// Where it stands.
    pub status: CoStakeStatus,
    /// How much.
    pub amount: Money,
    /// Part of it that cases have frozen.
    pub frozen: Money,
    /// Most that the owner asks for; zero without an offer.
    pub offered_max: Money,
    /// Share of the device's block rewards, basis points: offered, or agreed.
    pub share_bps: u16,
    /// When the cool-down begins or began, unix seconds; absent before notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooling_at_unix_secs: Option<i64>,
    /// When it can be withdrawn, unix seconds; absent before notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawable_at_unix_secs: Option<i64>,
}

/// Stakes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StakeList {
    /// By device.
    pub items: Vec<Stake>,
}

/// A co-stake that an owner offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoStakeOffer {
    /// The device.
    pub device: DeviceId,
    /// Its kind.
    pub kind: HardwareKind,
    /// Its model in the multiplier table; absent when it is not listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Graphics cards, or processors of a device without.
    pub processors: u32,
    /// Most that can be co-staked now: what is asked for, and never more than the owner's own stake.
    pub max: Money,
    /// The co-staker's share of the device's block rewards, basis points.
    pub share_bps: u16,
    /// What the owner stakes itself.
    pub owner_stake: Money,
    /// Least stake with which the device earns availability rewards.
    pub minimum: Money,
}

/// Offers, the largest share first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CoStakeOfferList {
    /// The offers.
    pub items: Vec<CoStakeOffer>,
}

/// A processor model's weight in rewards and stakes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Multiplier {
    /// Its number on chain.
    pub number: u16,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: HardwareKind,
    /// The multiplier, hundredths: 1000 for 10.
    pub multiplier_centi: u32,
}

/// The multiplier table, read from the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MultiplierTable {
    /// The models, by number.
    pub items: Vec<Multiplier>,
    /// Multiplier of a device without graphics cards whose model is not listed, hundredths.
    pub unlisted_cpu_centi: u32,
}
