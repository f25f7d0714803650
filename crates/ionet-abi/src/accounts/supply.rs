//! The accounts of the supply side: emission, verifiers, devices and their stakes, cases, claims.

use ionet_rules::epochs::{Epochs, MAX_VERIFIERS, Verifier};
use ionet_rules::multipliers::{MAX_MODELS, Multiplier};
use ionet_rules::slash::Case;
use ionet_rules::stake::Stake;
use ionet_rules::stored;
use ionet_rules::supply::SupplyParams;

use super::{AccountTag, ProgramAccount};
use crate::AddressBytes;

stored! {
    /// What the supply side was set up with. Seeds `["supply"]`. Read-only on every hot path.
    pub struct SupplyAccount {
        /// [`AccountTag::Supply`].
        pub tag: u8,
        /// Layout version.
        pub version: u8,
        /// Canonical bump of this account's address.
        pub bump: u8,
        /// Unused, zero.
        pub reserved: [u8; 5],
        /// The parameters.
        pub params: SupplyParams,
        /// Decides appeals and strikes roots: the address of a multisig.
        pub council: AddressBytes,
        /// Vault of minted IO that is owed to suppliers.
        pub io_rewards: AddressBytes,
        /// Vault of all stakes and bonds.
        pub io_stake: AddressBytes,
    }
    /// Minted epochs, the accepted root, what was claimed. Seeds `["epochs"]`.
    pub struct EpochsAccount {
        /// [`AccountTag::Epochs`].
        pub tag: u8,
        /// Layout version.
        pub version: u8,
        /// Canonical bump of this account's address.
        pub bump: u8,
        /// Unused, zero.
        pub reserved: u8,
        /// Event records written for this account; numbers the next one.
        pub records: u32,
        /// The books.
        pub book: Epochs,
    }
    /// The verifiers, their bonds and votes. Seeds `["verifiers"]`.
    pub struct VerifiersAccount {
        /// [`AccountTag::Verifiers`].
        pub tag: u8,
        /// Layout version.
        pub version: u8,
        /// Canonical bump of this account's address.
        pub bump: u8,
        /// Unused, zero.
        pub reserved: u8,
        /// Event records written for this account; numbers the next one.
        pub records: u32,
        /// The places; an empty one has a zero key.
        pub places: [Verifier; MAX_VERIFIERS],
    }
    /// The multiplier table. Seeds `["multipliers"]`.
    pub struct MultipliersAccount {
        /// [`AccountTag::Multipliers`].
        pub tag: u8,
        /// Layout version.
        pub version: u8,
        /// Canonical bump of this account's address.
        pub bump: u8,
        /// Unused, zero.
        pub reserved: [u8; 3],
        /// Models listed; the first so many entries count.
        pub count: u16,
        /// The models; a model's place is its number.
        pub table: [Multiplier; MAX_MODELS],
    }
    /// A device and its stake. Seeds `["device", device key]`.
    pub struct DeviceAccount {
        /// [`AccountTag::Device`].
        pub tag: u8,
        /// Layout version.
        pub version: u8,
        /// Canonical bump of this account's address.
        pub bump: u8,
        /// `HardwareKind`.
        pub kind: u8,
        /// Event records written for this account; numbers the next one.
        pub records: u32,
        /// The device's own key.
        pub device: AddressBytes,
        /// Who stakes and withdraws.
        pub owner: AddressBytes,
        /// Who co-stakes; zero without one.
        pub co_staker: AddressBytes,
        /// Graphics cards, or processors of a device without.
        pub processors: u32,
        /// Number of its model in the multiplier table; 65535 when unlisted.
        pub model: u16,
        /// Unused, zero.
        pub reserved: u16,
        /// What is staked.
        pub stake: Stake,
    }
    /// What a beneficiary has claimed: one for each device, and one for each party that ever co-staked one; for life. Seeds
    /// `["claim", device key]` and `["claim", device key, co-staker]`. Its address is the beneficiary's name in the Merkle tree.
    pub struct ClaimAccount {
        /// [`AccountTag::Claim`].
        pub tag: u8,
        /// Layout version.
        pub version: u8,
        /// Canonical bump of this account's address.
        pub bump: u8,
        /// Unused, zero.
        pub reserved: u8,
        /// Event records written for this account; numbers the next one.
        pub records: u32,
        /// The device whose rewards these are.
        pub device: AddressBytes,
        /// Who may change the payout wallet: the device's owner, or the co-staker.
        pub owner: AddressBytes,
        /// The only wallet that claims are paid to.
        pub payout: AddressBytes,
        /// IO claimed in its life, base units.
        pub claimed_io: u64,
        /// USDC claimed in its life, base units.
        pub claimed_usdc: u64,
    }
    /// A slashing case. Seeds `["case", case id]`.
    pub struct CaseAccount {
        /// [`AccountTag::Case`].
        pub tag: u8,
        /// Layout version.
        pub version: u8,
        /// Canonical bump of this account's address.
        pub bump: u8,
        /// Unused, zero.
        pub reserved: [u8; 5],
        /// The case's id: a UUID.
        pub case_id: [u8; 16],
        /// The device accused.
        pub device: AddressBytes,
        /// The verifier that opened it.
        pub verifier: AddressBytes,
        /// SHA-256 of the evidence.
        pub evidence: [u8; 32],
        /// SHA-256 of the appeal; zero before.
        pub appeal: [u8; 32],
        /// Amounts and clock.
        pub book: Case,
    }
}

impl VerifiersAccount {
    /// The place of a verifier.
    pub fn place(&self, key: &AddressBytes) -> Option<usize> {
        if *key == [0; 32] {
            return None;
        }
        self.places.iter().position(|place| place.key == *key)
    }
}

impl MultipliersAccount {
    /// The models listed.
    pub fn models(&self) -> &[Multiplier] {
        &self.table[..usize::from(self.count).min(MAX_MODELS)]
    }
}

impl ProgramAccount for SupplyAccount {
    const TAG: AccountTag = AccountTag::Supply;
}
impl ProgramAccount for EpochsAccount {
    const TAG: AccountTag = AccountTag::Epochs;
}
impl ProgramAccount for VerifiersAccount {
    const TAG: AccountTag = AccountTag::Verifiers;
}
impl ProgramAccount for MultipliersAccount {
    const TAG: AccountTag = AccountTag::Multipliers;
}
impl ProgramAccount for DeviceAccount {
    const TAG: AccountTag = AccountTag::Device;
}
impl ProgramAccount for ClaimAccount {
    const TAG: AccountTag = AccountTag::Claim;
}
impl ProgramAccount for CaseAccount {
    const TAG: AccountTag = AccountTag::Case;
}

const _: () = assert!(size_of::<ClaimAccount>() == 8 + 3 * 32 + 16);
const _: () = assert!(size_of::<DeviceAccount>() == 8 + 3 * 32 + 8 + size_of::<Stake>());
