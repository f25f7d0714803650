//! The program's accounts as typed values: bytes are checked once, here, so that nothing behind it meets an unknown state.

use ionet_abi::accounts::{BookingAccount, NetworkAccount, OracleAccount, ProgramAccount, VaultKind};
use ionet_rules::booking::{Booking, HardwareKind, Status};
use ionet_rules::money::{Currency, MicroUsd};
use ionet_rules::oracle::{self, Submission};
use ionet_rules::params::Params;
use ionet_rules::worklog::EndReason;
use solana_address::Address;
use solana_program_pack::Pack;

use crate::address::{Addresses, ClusterId, TOKEN_PROGRAM};
use crate::error::LedgerError;
use crate::instructions::Authorities;

/// The network account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// The parameters of the economy.
    pub params: Params,
    /// Who runs it.
    pub authorities: Authorities,
    /// Its addresses, with the mints and vaults that the account records.
    pub addresses: Addresses,
}

impl Network {
    /// The network of `program_id` in its account's data.
    pub fn decode(program_id: Address, data: &[u8]) -> Result<Self, LedgerError> {
        let account = NetworkAccount::read(data).ok_or(LedgerError::malformed("network account"))?;
        account.params.check()?;
        let mut addresses = Addresses::derive(program_id, account.usdc_mint.into(), account.io_mint.into());
        addresses.vaults = account.vaults.map(Address::from);
        let authorities = Authorities {
            authority: account.authority.into(),
            quote_authority: account.quote_authority.into(),
            verifier: account.verifier.into(),
        };
        Ok(Self { params: account.params, authorities, addresses })
    }
}

/// The oracle account: the set and its last prices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oracle {
    /// Each oracle's key and last price; a zero price is one not submitted yet.
    pub entries: Vec<(Address, Submission)>,
}

impl Oracle {
    /// The oracle set in its account's data.
    pub fn decode(data: &[u8]) -> Result<Self, LedgerError> {
        let account = OracleAccount::read(data).ok_or(LedgerError::malformed("oracle account"))?;
        let keys = account.keys.iter().map(|key| Address::from(*key));
        Ok(Self { entries: keys.zip(account.current().iter().copied()).collect() })
    }

    /// The price of IO, micro-USD: the median of what is fresh at `now_unix_secs`.
    pub fn price(&self, params: &Params, now_unix_secs: i64) -> Result<MicroUsd, LedgerError> {
        let submissions: Vec<_> = self.entries.iter().map(|(_, submission)| *submission).collect();
        Ok(oracle::price(&submissions, params, now_unix_secs)?)
    }

    /// The last price of one oracle.
    pub fn last(&self, key: &Address) -> Option<Submission> {
        self.entries.iter().find(|(entry, _)| entry == key).map(|(_, submission)| *submission)
    }
}

/// One cluster's booking account, its states decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BookingView {
    /// Where the account is.
    pub address: Address,
    /// The cluster.
    pub cluster_id: ClusterId,
    /// Who booked.
    pub customer: Address,
    /// Records written for it so far; they are numbered from 0.
    pub records: u32,
    /// What it is paid in.
    pub currency: Currency,
    /// What kind of devices.
    pub hardware: HardwareKind,
    /// Where it stands.
    pub status: Status,
    /// Why it ended; `None` while it has not.
    pub end_reason: Option<EndReason>,
    /// Terms, money and clock.
    pub book: Booking,
}

impl BookingView {
    /// The booking at `address` in its account's data; refused when its books do not balance.
    pub fn decode(address: Address, data: &[u8]) -> Result<Self, LedgerError> {
        let account = BookingAccount::read(data).ok_or(LedgerError::malformed("booking account"))?;
        account.book.check()?;
        Ok(Self {
            address,
            cluster_id: account.cluster_id,
            customer: account.customer.into(),
            records: account.records,
            currency: account.book.currency()?,
            hardware: HardwareKind::from_u8(account.book.hardware)?,
            status: account.book.status()?,
            end_reason: account.book.end_reason()?,
            book: account.book,
        })
    }

    /// Whether an ended cluster still owes its refund, or its dust.
    pub fn refund_due(&self) -> bool {
        self.status == Status::Ended && self.book.closed == 0
    }

    /// Whether worked USDC waits to be converted.
    pub fn repurchase_due(&self) -> bool {
        !self.book.rest_due.is_zero() && self.currency == Currency::Usdc
    }

    /// Whether IO waits to be earned.
    pub fn earn_due(&self) -> bool {
        !self.book.earn_due.is_zero()
    }

    /// Whether the payment window is over at `now_unix_secs` and not all is paid.
    pub fn expire_due(&self, now_unix_secs: i64) -> bool {
        matches!(self.status, Status::Booked | Status::PartiallyPaid) && now_unix_secs > self.book.pay_by_unix_secs
    }
}

/// A token account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenAccount {
    /// The coin.
    pub mint: Address,
    /// Whose it is.
    pub owner: Address,
    /// Base units of the coin.
    pub amount: u64,
}

impl TokenAccount {
    /// The SPL token account with this program owner and data.
    pub fn decode(program_owner: &Address, data: &[u8]) -> Result<Self, LedgerError> {
        if *program_owner != TOKEN_PROGRAM {
            return Err(LedgerError::malformed("token account"));
        }
        let account = spl_token_interface::state::Account::unpack(data).map_err(|_| LedgerError::malformed("token account"))?;
        Ok(Self { mint: account.mint, owner: account.owner, amount: account.amount })
    }
}

/// What each vault holds, base units of its coin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VaultBalances(pub [u64; VaultKind::COUNT]);

impl VaultBalances {
    /// Balance of one vault, base units of its coin.
    pub const fn get(&self, kind: VaultKind) -> u64 {
        self.0[kind as usize]
    }
}
