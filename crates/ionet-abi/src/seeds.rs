//! Seeds of the program's own addresses. Each address is `[prefix, ...]` under the program's id, with the canonical bump.

/// The network account, one per program: `["network"]`. It is also the owner of all vaults and the signer of event records.
pub const NETWORK: &[u8] = b"network";
/// The oracle account, one per program: `["oracle"]`.
pub const ORACLE: &[u8] = b"oracle";
/// A booking: `["booking", cluster_id (16 bytes)]`.
pub const BOOKING: &[u8] = b"booking";
/// A vault, an SPL token account: `["vault", VaultKind as one byte]`.
pub const VAULT: &[u8] = b"vault";
