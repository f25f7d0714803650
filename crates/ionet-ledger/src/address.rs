//! Where everything of a network lives on chain: the program's own addresses, its vaults, and a wallet's token accounts.

use ionet_abi::accounts::VaultKind;
use ionet_abi::seeds;
use ionet_rules::money::Currency;
use solana_address::Address;
use spl_associated_token_account_interface::address::get_associated_token_address_with_program_id;

/// A cluster's id: the bytes of a UUID. It keys the booking account.
pub type ClusterId = [u8; 16];

/// The SPL token program.
pub const TOKEN_PROGRAM: Address = Address::new_from_array(ionet_abi::TOKEN_PROGRAM);
/// The system program.
pub const SYSTEM_PROGRAM: Address = Address::new_from_array(ionet_abi::SYSTEM_PROGRAM);

/// The network account: parameters, authorities, owner of the vaults.
pub fn network(program_id: &Address) -> Address {
    Address::find_program_address(&[seeds::NETWORK], program_id).0
}

/// The oracle account.
pub fn oracle(program_id: &Address) -> Address {
    Address::find_program_address(&[seeds::ORACLE], program_id).0
}

/// The booking account of a cluster.
pub fn booking(program_id: &Address, cluster_id: &ClusterId) -> Address {
    Address::find_program_address(&[seeds::BOOKING, cluster_id], program_id).0
}

/// Whether the program finds the booking account of this cluster at the first try, which half of all ids allow. Each further try costs
/// `book_product` 1,500 compute units, and an unlucky id more than the step may cost: who chooses ids chooses by this.
pub fn books_at_first_try(program_id: &Address, cluster_id: &ClusterId) -> bool {
    Address::find_program_address(&[seeds::BOOKING, cluster_id], program_id).1 == u8::MAX
}

/// A vault.
pub fn vault(program_id: &Address, kind: VaultKind) -> Address {
    Address::find_program_address(&[seeds::VAULT, &[kind as u8]], program_id).0
}

/// The associated token account of `owner` for `mint`.
pub fn associated_token(owner: &Address, mint: &Address) -> Address {
    get_associated_token_address_with_program_id(owner, mint, &TOKEN_PROGRAM)
}

/// All fixed addresses of one network, derived once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// The program.
    pub program_id: Address,
    /// The network account.
    pub network: Address,
    /// The oracle account.
    pub oracle: Address,
    /// Mint of USDC.
    pub usdc_mint: Address,
    /// Mint of IO.
    pub io_mint: Address,
    /// The vaults, by [`VaultKind`].
    pub vaults: [Address; VaultKind::COUNT],
}

impl Addresses {
    /// The addresses of the network of this program with these mints.
    pub fn derive(program_id: Address, usdc_mint: Address, io_mint: Address) -> Self {
        Self {
            program_id,
            network: network(&program_id),
            oracle: oracle(&program_id),
            usdc_mint,
            io_mint,
            vaults: VaultKind::ALL.map(|kind| vault(&program_id, kind)),
        }
    }

    /// The booking account of a cluster.
    pub fn booking(&self, cluster_id: &ClusterId) -> Address {
        booking(&self.program_id, cluster_id)
    }

    /// A vault.
    pub const fn vault(&self, kind: VaultKind) -> Address {
        self.vaults[kind as usize]
    }

    /// Mint of a currency.
    pub const fn mint(&self, currency: Currency) -> Address {
        match currency {
            Currency::Usdc => self.usdc_mint,
            Currency::Io => self.io_mint,
        }
    }

    /// The associated token account of `owner` in a currency.
    pub fn token_account(&self, owner: &Address, currency: Currency) -> Address {
        associated_token(owner, &self.mint(currency))
    }
}
