//! Where everything of a network lives on chain: the program's own addresses, its vaults, and a wallet's token accounts.

use ionet_abi::accounts::VaultKind;
use ionet_abi::seeds;
use ionet_rules::money::Currency;
use solana_address::Address;
use spl_associated_token_account_interface::address::get_associated_token_address_with_program_id;

/// A cluster's id: the bytes of a UUID. It keys the booking account.
pub type ClusterId = [u8; 16];

/// A slashing case's id: the bytes of a UUID. It keys the case account.
pub type CaseId = [u8; 16];

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

/// The account of a device on chain, by the device's own key.
pub fn device(program_id: &Address, device: &Address) -> Address {
    Address::find_program_address(&[seeds::DEVICE, device.as_ref()], program_id).0
}

/// The claim account of a device: its beneficiary's name in the tree of lifetime totals.
pub fn device_claim(program_id: &Address, device: &Address) -> Address {
    Address::find_program_address(&[seeds::CLAIM, device.as_ref()], program_id).0
}

/// The claim account of who co-stakes, or once co-staked, a device.
pub fn co_staker_claim(program_id: &Address, device: &Address, co_staker: &Address) -> Address {
    Address::find_program_address(&[seeds::CLAIM, device.as_ref(), co_staker.as_ref()], program_id).0
}

/// A slashing case.
pub fn case(program_id: &Address, case_id: &CaseId) -> Address {
    Address::find_program_address(&[seeds::CASE, case_id], program_id).0
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
    /// The supply account.
    pub supply: Address,
    /// The epochs account.
    pub epochs: Address,
    /// The verifiers account.
    pub verifiers: Address,
    /// The multipliers account.
    pub multipliers: Address,
    /// Vault of minted IO that is owed to suppliers.
    pub io_rewards: Address,
    /// Vault of all stakes and bonds.
    pub io_stake: Address,
}

impl Addresses {
    /// The addresses of the network of this program with these mints.
    pub fn derive(program_id: Address, usdc_mint: Address, io_mint: Address) -> Self {
        let own = |seed: &[u8]| Address::find_program_address(&[seed], &program_id).0;
        Self {
            program_id,
            network: network(&program_id),
            oracle: oracle(&program_id),
            usdc_mint,
            io_mint,
            vaults: VaultKind::ALL.map(|kind| vault(&program_id, kind)),
            supply: own(seeds::SUPPLY),
            epochs: own(seeds::EPOCHS),
            verifiers: own(seeds::VERIFIERS),
            multipliers: own(seeds::MULTIPLIERS),
            io_rewards: own(seeds::IO_REWARDS),
            io_stake: own(seeds::IO_STAKE),
        }
    }

    /// The booking account of a cluster.
    pub fn booking(&self, cluster_id: &ClusterId) -> Address {
        booking(&self.program_id, cluster_id)
    }

    /// The account of a device.
    pub fn device(&self, key: &Address) -> Address {
        device(&self.program_id, key)
    }

    /// The claim account of a device.
    pub fn device_claim(&self, device: &Address) -> Address {
        device_claim(&self.program_id, device)
    }

    /// The claim account of a device's co-staker.
    pub fn co_staker_claim(&self, device: &Address, co_staker: &Address) -> Address {
        co_staker_claim(&self.program_id, device, co_staker)
    }

    /// A slashing case.
    pub fn case(&self, case_id: &CaseId) -> Address {
        case(&self.program_id, case_id)
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
