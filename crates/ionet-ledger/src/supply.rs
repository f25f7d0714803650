//! Reading the supply side from the chain: what was minted, which root counts, who is bonded, what is staked, accused and claimed.

use core::mem::offset_of;
use std::cmp::Ordering;

use ionet_abi::accounts::{AccountTag, CaseAccount, ClaimAccount, DeviceAccount, ProgramAccount, VERSION, VaultKind};
use ionet_rules::epochs::Held;
use ionet_rules::money::{Io, Usdc};
use ionet_rules::slash::CaseStatus;
use solana_account_decoder::UiAccountEncoding;
use solana_address::Address;
use solana_program_pack::Pack as _;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcProgramAccountsConfig};
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use spl_token_interface::state::Mint;

use crate::accounts::TokenAccount;
use crate::address::{self, CaseId};
use crate::error::LedgerError;
use crate::ledger::{COMMITMENT, Ledger};

mod records;
mod steps;
mod views;

pub(crate) use records::supply_records_in;
pub use records::{SupplyEvent, SupplyRecord, decode_supply_record};
pub use views::{CaseView, ClaimView, DeviceView, EpochsView, MultipliersView, SupplyView, VerifiersView};

/// Which devices to list; each `None` means any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeviceFilter {
    /// Owned by this wallet.
    pub owner: Option<Address>,
    /// Co-staked by this wallet.
    pub co_staker: Option<Address>,
}

/// Which claim accounts to list; each `None` means any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClaimFilter {
    /// For rewards of this device, by its own key.
    pub device: Option<Address>,
    /// Whose payout wallet this wallet may change.
    pub owner: Option<Address>,
}

/// Which cases to list; each `None` means any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CaseFilter {
    /// Against this device, by its own key.
    pub device: Option<Address>,
    /// In this state.
    pub status: Option<CaseStatus>,
}

/// What the two vaults of the supply side hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SupplyVaults {
    /// Minted IO that is owed to suppliers.
    pub io_rewards: Io,
    /// All stakes and bonds.
    pub io_stake: Io,
}

fn equals(offset: usize, bytes: impl Into<Vec<u8>>) -> RpcFilterType {
    RpcFilterType::Memcmp(Memcmp::new_raw_bytes(offset, bytes.into()))
}

impl Ledger {
    /// The supply account; refused with [`LedgerError::SupplyMissing`] where the supply side was not set up.
    pub async fn supply(&self) -> Result<SupplyView, LedgerError> {
        let at = self.addresses().await?;
        SupplyView::decode(at, &self.supply_data(&at.supply).await?)
    }

    /// The epochs account; refused as for [`Ledger::supply`].
    pub async fn epochs(&self) -> Result<EpochsView, LedgerError> {
        EpochsView::decode(&self.supply_data(&self.addresses().await?.epochs).await?)
    }

    /// The verifiers account; refused as for [`Ledger::supply`].
    pub async fn verifiers(&self) -> Result<VerifiersView, LedgerError> {
        VerifiersView::decode(&self.supply_data(&self.addresses().await?.verifiers).await?)
    }

    /// The multiplier table; refused as for [`Ledger::supply`].
    pub async fn multipliers(&self) -> Result<MultipliersView, LedgerError> {
        MultipliersView::decode(&self.supply_data(&self.addresses().await?.multipliers).await?)
    }

    /// A device, by its own key; `None` when it was never registered.
    pub async fn device(&self, key: &Address) -> Result<Option<DeviceView>, LedgerError> {
        let address = address::device(&self.program_id, key);
        self.program_data(&address).await?.map(|data| DeviceView::decode(address, &data)).transpose()
    }

    /// A device, which must be registered.
    pub async fn expect_device(&self, key: &Address) -> Result<DeviceView, LedgerError> {
        self.device(key).await?.ok_or(LedgerError::DeviceMissing)
    }

    /// A claim account, by its address; `None` when there is none.
    pub async fn claim_account(&self, address: &Address) -> Result<Option<ClaimView>, LedgerError> {
        self.program_data(address).await?.map(|data| ClaimView::decode(*address, &data)).transpose()
    }

    /// A case; `None` when there is none.
    pub async fn case(&self, case_id: &CaseId) -> Result<Option<CaseView>, LedgerError> {
        let address = address::case(&self.program_id, case_id);
        self.program_data(&address).await?.map(|data| CaseView::decode(address, &data)).transpose()
    }

    /// A case, which must exist.
    pub async fn expect_case(&self, case_id: &CaseId) -> Result<CaseView, LedgerError> {
        self.case(case_id).await?.ok_or(LedgerError::CaseMissing)
    }

    /// All registered devices that match, by their keys.
    pub async fn devices(&self, filter: &DeviceFilter) -> Result<Vec<DeviceView>, LedgerError> {
        let mut filters = Vec::new();
        if let Some(owner) = filter.owner {
            filters.push(equals(offset_of!(DeviceAccount, owner), owner.to_bytes()));
        }
        if let Some(co_staker) = filter.co_staker {
            filters.push(equals(offset_of!(DeviceAccount, co_staker), co_staker.to_bytes()));
        }
        let order = |a: &DeviceView, b: &DeviceView| a.device.cmp(&b.device);
        self.list::<DeviceAccount, _>(AccountTag::Device, filters, DeviceView::decode, order).await
    }

    /// All claim accounts that match, by their addresses: the order of the tree's leaves.
    pub async fn claim_accounts(&self, filter: &ClaimFilter) -> Result<Vec<ClaimView>, LedgerError> {
        let mut filters = Vec::new();
        if let Some(device) = filter.device {
            filters.push(equals(offset_of!(ClaimAccount, device), device.to_bytes()));
        }
        if let Some(owner) = filter.owner {
            filters.push(equals(offset_of!(ClaimAccount, owner), owner.to_bytes()));
        }
        let order = |a: &ClaimView, b: &ClaimView| a.address.cmp(&b.address);
        self.list::<ClaimAccount, _>(AccountTag::Claim, filters, ClaimView::decode, order).await
    }

    /// All cases that match, oldest first.
    pub async fn cases(&self, filter: &CaseFilter) -> Result<Vec<CaseView>, LedgerError> {
        let mut filters = Vec::new();
        if let Some(device) = filter.device {
            filters.push(equals(offset_of!(CaseAccount, device), device.to_bytes()));
        }
        if let Some(status) = filter.status {
            filters.push(equals(offset_of!(CaseAccount, book.status), [status as u8]));
        }
        let order = |a: &CaseView, b: &CaseView| (a.book.opened_at_unix_secs, a.case_id).cmp(&(b.book.opened_at_unix_secs, b.case_id));
        self.list::<CaseAccount, _>(AccountTag::Case, filters, CaseView::decode, order).await
    }

    /// What the vaults of the supply side hold, at one moment.
    pub async fn supply_vaults(&self) -> Result<SupplyVaults, LedgerError> {
        let at = self.addresses().await?;
        let [io_rewards, io_stake] = self.balances([at.io_rewards, at.io_stake]).await?;
        Ok(SupplyVaults { io_rewards: Io(io_rewards), io_stake: Io(io_stake) })
    }

    /// What the rules of roots and claims go by: the rewards and the two payable vaults, at one moment.
    pub async fn held(&self) -> Result<Held, LedgerError> {
        let at = self.addresses().await?;
        let vaults = [at.io_rewards, at.vault(VaultKind::IoPayable), at.vault(VaultKind::UsdcPayable)];
        let [rewards_io, payable_io, payable_usdc] = self.balances(vaults).await?;
        Ok(Held { rewards_io: Io(rewards_io), payable_io: Io(payable_io), payable_usdc: Usdc(payable_usdc) })
    }

    /// IO that exists.
    pub async fn io_supply(&self) -> Result<Io, LedgerError> {
        Ok(Io(self.io_mint().await?.supply))
    }

    pub(crate) async fn io_mint(&self) -> Result<Mint, LedgerError> {
        const MALFORMED: LedgerError = LedgerError::malformed("mint");
        let at = self.addresses().await?;
        let account = self.account(&at.io_mint).await?.filter(|account| account.owner == address::TOKEN_PROGRAM).ok_or(MALFORMED)?;
        Mint::unpack(&account.data).map_err(|_| MALFORMED)
    }

    async fn balances<const COUNT: usize>(&self, addresses: [Address; COUNT]) -> Result<[u64; COUNT], LedgerError> {
        let accounts = self.accounts(&addresses).await?;
        let mut balances = [0; COUNT];
        for (balance, account) in balances.iter_mut().zip(accounts) {
            let account = account.ok_or(LedgerError::SupplyMissing)?;
            *balance = TokenAccount::decode(&account.owner, &account.data)?.amount;
        }
        Ok(balances)
    }

    async fn supply_data(&self, address: &Address) -> Result<Vec<u8>, LedgerError> {
        self.program_data(address).await?.ok_or(LedgerError::SupplyMissing)
    }

    async fn list<T: ProgramAccount, V>(
        &self,
        tag: AccountTag,
        wanted: Vec<RpcFilterType>,
        decode: fn(Address, &[u8]) -> Result<V, LedgerError>,
        order: fn(&V, &V) -> Ordering,
    ) -> Result<Vec<V>, LedgerError> {
        let mut filters = vec![RpcFilterType::DataSize(T::SIZE as u64), equals(0, [tag as u8, VERSION])];
        filters.extend(wanted);
        let config = RpcProgramAccountsConfig {
            filters: Some(filters),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(COMMITMENT),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let accounts = self.rpc.get_program_ui_accounts_with_config(&self.program_id, config).await?;
        let mut views = Vec::with_capacity(accounts.len());
        for (address, account) in accounts {
            let data = account.data.decode().ok_or(LedgerError::malformed("account"))?;
            views.push(decode(address, &data)?);
        }
        views.sort_unstable_by(order);
        Ok(views)
    }
}
