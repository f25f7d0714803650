//! The accounts the program owns. Each starts with a type tag and a version, so that one can never be taken for another.

use bytemuck::Pod;
use ionet_rules::booking::Booking;
use ionet_rules::layout::StructLayout;
use ionet_rules::money::Currency;
use ionet_rules::oracle::{MAX_ORACLES, Submission};
use ionet_rules::params::Params;
use ionet_rules::stored;

use crate::AddressBytes;

mod supply;

pub use supply::{CaseAccount, ClaimAccount, DeviceAccount, EpochsAccount, MultipliersAccount, SupplyAccount, VerifiersAccount};

/// Layout version of every account below.
pub const VERSION: u8 = 1;

/// First byte of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum AccountTag {
    /// [`NetworkAccount`].
    Network = 1,
    /// [`OracleAccount`].
    Oracle = 2,
    /// [`BookingAccount`].
    Booking = 3,
    /// [`SupplyAccount`].
    Supply = 4,
    /// [`EpochsAccount`].
    Epochs = 5,
    /// [`VerifiersAccount`].
    Verifiers = 6,
    /// [`MultipliersAccount`].
    Multipliers = 7,
    /// [`DeviceAccount`].
    Device = 8,
    /// [`ClaimAccount`].
    Claim = 9,
    /// [`CaseAccount`].
    Case = 10,
}

/// An account type of this program.
pub trait ProgramAccount: Pod + StructLayout {
    /// The value of the first byte.
    const TAG: AccountTag;
    /// Length of the account's data, bytes.
    const SIZE: usize = size_of::<Self>();

    /// The account in these bytes; `None` when length, tag or version differ.
    fn read(data: &[u8]) -> Option<Self> {
        Self::fits(data).then(|| bytemuck::pod_read_unaligned(data))
    }

    /// As [`ProgramAccount::read`], without copying; `None` also when the bytes are not aligned to eight.
    fn view(data: &[u8]) -> Option<&Self> {
        if Self::fits(data) { bytemuck::try_from_bytes(data).ok() } else { None }
    }

    /// Whether length, tag and version are this account's.
    fn fits(data: &[u8]) -> bool {
        data.len() == Self::SIZE && data[0] == Self::TAG as u8 && data[1] == VERSION
    }
}

/// The vaults: SPL token accounts that the network account owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum VaultKind {
    /// Escrow of USDC clusters, and what waits for repurchase.
    UsdcEscrow = 0,
    /// Escrow of IO clusters, and what waits to be earned.
    IoEscrow = 1,
    /// USDC owed to suppliers for work.
    UsdcPayable = 2,
    /// IO owed to suppliers for work.
    IoPayable = 3,
    /// USDC reserve of the pool.
    UsdcPool = 4,
    /// IO reserve of the pool.
    IoPool = 5,
    /// USDC of the treasury.
    UsdcTreasury = 6,
    /// IO of the treasury.
    IoTreasury = 7,
    /// IO for incentives.
    IoIncentives = 8,
}

impl VaultKind {
    /// Number of vaults.
    pub const COUNT: usize = 9;
    /// All vaults, in the order of their number.
    pub const ALL: [Self; Self::COUNT] = [
        Self::UsdcEscrow,
        Self::IoEscrow,
        Self::UsdcPayable,
        Self::IoPayable,
        Self::UsdcPool,
        Self::IoPool,
        Self::UsdcTreasury,
        Self::IoTreasury,
        Self::IoIncentives,
    ];

    /// The coin it holds.
    pub const fn currency(self) -> Currency {
        match self {
            Self::UsdcEscrow | Self::UsdcPayable | Self::UsdcPool | Self::UsdcTreasury => Currency::Usdc,
            Self::IoEscrow | Self::IoPayable | Self::IoPool | Self::IoTreasury | Self::IoIncentives => Currency::Io,
        }
    }

    /// The escrow vault of a currency.
    pub const fn escrow(currency: Currency) -> Self {
        match currency {
            Currency::Usdc => Self::UsdcEscrow,
            Currency::Io => Self::IoEscrow,
        }
    }

    /// The payable vault of a currency.
    pub const fn payable(currency: Currency) -> Self {
        match currency {
            Currency::Usdc => Self::UsdcPayable,
            Currency::Io => Self::IoPayable,
        }
    }

    /// The treasury vault of a currency.
    pub const fn treasury(currency: Currency) -> Self {
        match currency {
            Currency::Usdc => Self::UsdcTreasury,
            Currency::Io => Self::IoTreasury,
        }
    }

    /// Stable name, as in the documentation.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UsdcEscrow => "usdc_escrow",
            Self::IoEscrow => "io_escrow",
            Self::UsdcPayable => "usdc_payable",
            Self::IoPayable => "io_payable",
            Self::UsdcPool => "usdc_pool",
            Self::IoPool => "io_pool",
            Self::UsdcTreasury => "usdc_treasury",
            Self::IoTreasury => "io_treasury",
            Self::IoIncentives => "io_incentives",
        }
    }
}

stored! {
    /// The network: its authorities, its coins, its vaults, its parameters. Seeds `["network"]`. Read-only on every hot path.
    pub struct NetworkAccount {
        /// [`AccountTag::Network`].
        pub tag: u8,
        /// [`VERSION`].
        pub version: u8,
        /// Canonical bump of this account's address.
        pub bump: u8,
        /// Unused, zero.
        pub reserved: [u8; 5],
        /// The parameters of the economy.
        pub params: Params,
        /// May set oracles and fund the pool.
        pub authority: AddressBytes,
        /// Co-signs offers, so that nobody books at a price the network did not offer.
        pub quote_authority: AddressBytes,
        /// Writes starts and work logs.
        pub verifier: AddressBytes,
        /// Mint of USDC, 6 decimals.
        pub usdc_mint: AddressBytes,
        /// Mint of IO, 8 decimals.
        pub io_mint: AddressBytes,
        /// Addresses of the vaults, by [`VaultKind`].
        pub vaults: [AddressBytes; VaultKind::COUNT],
    }
}

impl NetworkAccount {
    /// Address of a vault.
    pub const fn vault(&self, kind: VaultKind) -> &AddressBytes {
        &self.vaults[kind as usize]
    }

    /// Mint of a currency.
    pub const fn mint(&self, currency: Currency) -> &AddressBytes {
        match currency {
            Currency::Usdc => &self.usdc_mint,
            Currency::Io => &self.io_mint,
        }
    }
}

impl ProgramAccount for NetworkAccount {
    const TAG: AccountTag = AccountTag::Network;
}

stored! {
    /// The oracle set and its last prices. Seeds `["oracle"]`.
    pub struct OracleAccount {
        /// [`AccountTag::Oracle`].
        pub tag: u8,
        /// [`VERSION`].
        pub version: u8,
        /// Canonical bump of this account's address.
        pub bump: u8,
        /// Number of oracles; the first so many entries below count.
        pub count: u8,
        /// Unused, zero.
        pub reserved: [u8; 4],
        /// The oracles' keys.
        pub keys: [AddressBytes; MAX_ORACLES],
        /// Their last prices, in the same order.
        pub submissions: [Submission; MAX_ORACLES],
    }
}

impl OracleAccount {
    /// The submissions of the present set.
    pub fn current(&self) -> &[Submission] {
        &self.submissions[..usize::from(self.count).min(MAX_ORACLES)]
    }
}

impl ProgramAccount for OracleAccount {
    const TAG: AccountTag = AccountTag::Oracle;
}

stored! {
    /// One cluster's booking. Seeds `["booking", cluster_id]`.
    pub struct BookingAccount {
        /// [`AccountTag::Booking`].
        pub tag: u8,
        /// [`VERSION`].
        pub version: u8,
        /// Canonical bump of this account's address.
        pub bump: u8,
        /// Unused, zero.
        pub reserved: u8,
        /// Event records written for this booking; numbers the next one.
        pub records: u32,
        /// The cluster's id: a UUID.
        pub cluster_id: [u8; 16],
        /// Who booked and alone may pay and extend; refunds go to a token account of this key.
        pub customer: AddressBytes,
        /// Terms, money and clock.
        pub book: Booking,
    }
}

impl ProgramAccount for BookingAccount {
    const TAG: AccountTag = AccountTag::Booking;
}

const _: () = assert!(size_of::<NetworkAccount>() == 8 + 40 + 5 * 32 + VaultKind::COUNT * 32);
const _: () = assert!(size_of::<OracleAccount>() == 8 + MAX_ORACLES * 48);
const _: () = assert!(size_of::<BookingAccount>() == 56 + size_of::<Booking>());
