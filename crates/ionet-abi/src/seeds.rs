//! Seeds of the program's own addresses. Each address is `[prefix, ...]` under the program's id, with the canonical bump.

/// The network account, one per program: `["network"]`. It is also the owner of all vaults and the signer of event records.
pub const NETWORK: &[u8] = b"network";
/// The oracle account, one per program: `["oracle"]`.
pub const ORACLE: &[u8] = b"oracle";
/// A booking: `["booking", cluster_id (16 bytes)]`.
pub const BOOKING: &[u8] = b"booking";
/// A vault, an SPL token account: `["vault", VaultKind as one byte]`.
pub const VAULT: &[u8] = b"vault";
/// The supply account, one per program: `["supply"]`.
pub const SUPPLY: &[u8] = b"supply";
/// The epochs account, one per program: `["epochs"]`.
pub const EPOCHS: &[u8] = b"epochs";
/// The verifiers account, one per program: `["verifiers"]`.
pub const VERIFIERS: &[u8] = b"verifiers";
/// The multipliers account, one per program: `["multipliers"]`.
pub const MULTIPLIERS: &[u8] = b"multipliers";
/// The vault of rewards, an SPL token account: `["io_rewards"]`.
pub const IO_REWARDS: &[u8] = b"io_rewards";
/// The vault of stakes and bonds, an SPL token account: `["io_stake"]`.
pub const IO_STAKE: &[u8] = b"io_stake";
/// A device: `["device", device key (32 bytes)]`.
pub const DEVICE: &[u8] = b"device";
/// A beneficiary: `["claim", device key]` for a device, `["claim", device key, co-staker]` for who co-stakes it.
pub const CLAIM: &[u8] = b"claim";
/// A case: `["case", case id (16 bytes)]`.
pub const CASE: &[u8] = b"case";
