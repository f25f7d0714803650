//! Reading the network's state from its chain.

use std::sync::Arc;

use core::mem::offset_of;
use ionet_abi::accounts::{AccountTag, BookingAccount, ProgramAccount, VERSION};
use ionet_rules::booking::{HardwareKind, Status};
use ionet_rules::money::{Currency, MicroUsd};
use solana_account::Account;
use solana_account_decoder::UiAccountEncoding;
use solana_address::Address;
use solana_commitment_config::CommitmentConfig;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client_api::config::{RpcAccountInfoConfig, RpcProgramAccountsConfig};
use solana_rpc_client_api::filter::{Memcmp, RpcFilterType};
use solana_transaction_status::UiTransactionEncoding;
use tokio::sync::OnceCell;

use crate::accounts::{BookingView, Network, Oracle, TokenAccount, VaultBalances};
use crate::address::{self, Addresses, ClusterId};
use crate::error::LedgerError;

/// How settled the chain's state must be before this client believes it: voted on by two thirds of the stake.
pub const COMMITMENT: CommitmentConfig = CommitmentConfig::confirmed();

/// The chain's clock account holds five 8-byte numbers; the last one is unix seconds.
const CLOCK_UNIX_SECS_OFFSET: usize = 32;

/// The client of one network. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    /// The RPC client.
    pub rpc: Arc<RpcClient>,
    /// The network's program.
    pub program_id: Address,
    addresses: Arc<OnceCell<Addresses>>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").field("program_id", &self.program_id).field("url", &self.rpc.url()).finish_non_exhaustive()
    }
}

/// Which bookings to list; each `None` means any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BookingFilter {
    /// Booked by this wallet.
    pub customer: Option<Address>,
    /// In this state.
    pub status: Option<Status>,
    /// Paid in this currency.
    pub currency: Option<Currency>,
    /// Of this kind of hardware.
    pub hardware: Option<HardwareKind>,
}

impl BookingFilter {
    /// What the endpoint filters by: it takes four filters at most, so currency and hardware are compared here.
    fn remote(&self) -> Vec<RpcFilterType> {
        let compare = |offset: usize, bytes: Vec<u8>| RpcFilterType::Memcmp(Memcmp::new_raw_bytes(offset, bytes));
        let mut filters = vec![RpcFilterType::DataSize(BookingAccount::SIZE as u64), compare(0, vec![AccountTag::Booking as u8, VERSION])];
        if let Some(customer) = self.customer {
            filters.push(compare(offset_of!(BookingAccount, customer), customer.to_bytes().to_vec()));
        }
        if let Some(status) = self.status {
            filters.push(compare(offset_of!(BookingAccount, book.status), vec![status as u8]));
        }
        filters
    }

    /// Whether a booking is one of those wanted.
    pub fn matches(&self, booking: &BookingView) -> bool {
        self.customer.is_none_or(|customer| customer == booking.customer)
            && self.status.is_none_or(|status| status == booking.status)
            && self.currency.is_none_or(|currency| currency == booking.currency)
            && self.hardware.is_none_or(|hardware| hardware == booking.hardware)
    }
}

impl Ledger {
    /// A client of the network of `program_id` on the chain behind `rpc`.
    pub fn new(rpc: Arc<RpcClient>, program_id: Address) -> Self {
        Self { rpc, program_id, addresses: Arc::new(OnceCell::new()) }
    }

    /// The network account.
    pub async fn network(&self) -> Result<Network, LedgerError> {
        let address = address::network(&self.program_id);
        let data = self.program_data(&address).await?.ok_or(LedgerError::NetworkMissing { program_id: self.program_id })?;
        Network::decode(self.program_id, &data)
    }

    /// The network's addresses; read once, as they never change.
    pub async fn addresses(&self) -> Result<&Addresses, LedgerError> {
        self.addresses.get_or_try_init(|| async { Ok(self.network().await?.addresses) }).await
    }

    /// The oracle account.
    pub async fn oracle(&self) -> Result<Oracle, LedgerError> {
        let address = address::oracle(&self.program_id);
        let data = self.program_data(&address).await?.ok_or(LedgerError::NetworkMissing { program_id: self.program_id })?;
        Oracle::decode(&data)
    }

    /// The price of IO at `now_unix_secs`, micro-USD; refused as `price_stale` or `price_scattered` as the program would.
    pub async fn oracle_price(&self, now_unix_secs: i64) -> Result<MicroUsd, LedgerError> {
        let (network, oracle) = futures::try_join!(self.network(), self.oracle())?;
        oracle.price(&network.params, now_unix_secs)
    }

    /// A cluster's booking; `None` when there is none.
    pub async fn booking(&self, cluster_id: &ClusterId) -> Result<Option<BookingView>, LedgerError> {
        let address = address::booking(&self.program_id, cluster_id);
        self.program_data(&address).await?.map(|data| BookingView::decode(address, &data)).transpose()
    }

    /// A cluster's booking, which must exist.
    pub async fn expect_booking(&self, cluster_id: &ClusterId) -> Result<BookingView, LedgerError> {
        self.booking(cluster_id).await?.ok_or(LedgerError::BookingMissing)
    }

    /// All bookings that match, by the time they were booked.
    pub async fn bookings(&self, filter: &BookingFilter) -> Result<Vec<BookingView>, LedgerError> {
        let config = RpcProgramAccountsConfig {
            filters: Some(filter.remote()),
            account_config: RpcAccountInfoConfig {
                encoding: Some(UiAccountEncoding::Base64),
                commitment: Some(COMMITMENT),
                ..RpcAccountInfoConfig::default()
            },
            ..RpcProgramAccountsConfig::default()
        };
        let accounts = self.rpc.get_program_ui_accounts_with_config(&self.program_id, config).await?;
        let mut bookings = Vec::with_capacity(accounts.len());
        for (address, account) in accounts {
            let data = account.data.decode().ok_or(LedgerError::malformed("booking account"))?;
            let booking = BookingView::decode(address, &data)?;
            if filter.matches(&booking) {
                bookings.push(booking);
            }
        }
        bookings.sort_unstable_by_key(|booking| (booking.book.booked_at_unix_secs, booking.cluster_id));
        Ok(bookings)
    }

    /// What `owner`'s associated token account in `currency` holds, base units; 0 when it does not exist.
    pub async fn token_balance(&self, owner: &Address, currency: Currency) -> Result<u64, LedgerError> {
        let account = self.addresses().await?.token_account(owner, currency);
        Ok(self.token_account(&account).await?.map_or(0, |account| account.amount))
    }

    /// A token account; `None` when there is none.
    pub async fn token_account(&self, address: &Address) -> Result<Option<TokenAccount>, LedgerError> {
        let account = self.account(address).await?;
        account.map(|account| TokenAccount::decode(&account.owner, &account.data)).transpose()
    }

    /// What all vaults hold at one moment.
    pub async fn vault_balances(&self) -> Result<VaultBalances, LedgerError> {
        let addresses = self.addresses().await?;
        let accounts = self.accounts(&addresses.vaults).await?;
        let mut balances = VaultBalances::default();
        for (balance, account) in balances.0.iter_mut().zip(accounts) {
            let account = account.ok_or(LedgerError::malformed("vault"))?;
            *balance = TokenAccount::decode(&account.owner, &account.data)?.amount;
        }
        Ok(balances)
    }

    /// The chain's own time, unix seconds: what the program's rules go by.
    pub async fn chain_now_unix_secs(&self) -> Result<i64, LedgerError> {
        let clock = solana_sdk_ids::sysvar::clock::ID;
        let account = self.account(&clock).await?.ok_or(LedgerError::malformed("clock account"))?;
        let bytes = account.data.get(CLOCK_UNIX_SECS_OFFSET..).and_then(<[u8]>::first_chunk::<8>);
        Ok(i64::from_le_bytes(*bytes.ok_or(LedgerError::malformed("clock account"))?))
    }

    /// An account; `None` when there is none.
    pub(crate) async fn account(&self, address: &Address) -> Result<Option<Account>, LedgerError> {
        Ok(self.accounts(std::slice::from_ref(address)).await?.pop().flatten())
    }

    /// Accounts, all of one moment, in the order asked. (The client's call for a single account hides what kind of error it met.)
    pub(crate) async fn accounts(&self, addresses: &[Address]) -> Result<Vec<Option<Account>>, LedgerError> {
        const MALFORMED: LedgerError = LedgerError::malformed("account");
        let config = RpcAccountInfoConfig {
            encoding: Some(UiAccountEncoding::Base64),
            commitment: Some(COMMITMENT),
            ..RpcAccountInfoConfig::default()
        };
        let found = self.rpc.get_multiple_ui_accounts_with_config(addresses, config).await?.value;
        if found.len() != addresses.len() {
            return Err(MALFORMED);
        }
        found.into_iter().map(|account| account.map(|account| account.to_account().ok_or(MALFORMED)).transpose()).collect()
    }

    /// The data of an account, which must be the program's own; `None` when there is none.
    pub(crate) async fn program_data(&self, address: &Address) -> Result<Option<Vec<u8>>, LedgerError> {
        let account = self.account(address).await?;
        // An address of the program that only received lamports belongs to the system program: as good as not there.
        Ok(account.filter(|account| account.owner == self.program_id).map(|account| account.data))
    }
}

/// Newest transaction format that this client reads; anybody may send the program one of any format that the cluster takes.
pub(crate) const MAX_TRANSACTION_VERSION: u8 = 1;
/// Encoding in which transactions are asked for and sent.
pub(crate) const ENCODING: UiTransactionEncoding = UiTransactionEncoding::Base64;
