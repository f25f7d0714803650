//! What the journal keeps of each write. A record holds the accounts as they were after it, so that replaying
//! needs no virtual machine, and everything `getTransaction` tells, so that history needs no second store.

use crate::timeline::Moment;
use solana_account::{AccountSharedData, ReadableAccount};
use solana_address::Address;
use solana_message::{inner_instruction::InnerInstructionsList, v0::LoadedAddresses};
use solana_transaction_error::TransactionError;
use wincode::{
    SchemaRead, SchemaWrite,
    config::{Configuration, PREALLOCATION_SIZE_LIMIT_DISABLED},
};

/// Records are read back only after their checksum was found right, so lengths in them are believed.
type Codec = Configuration<true, PREALLOCATION_SIZE_LIMIT_DISABLED>;
const CODEC: Codec = Configuration::default().disable_preallocation_size_limit();

/// One journalled write, or one piece of a snapshot.
#[derive(SchemaWrite, SchemaRead)]
#[expect(clippy::large_enum_variant, reason = "transactions are most of all records, and none is kept")]
pub(crate) enum Record<'a> {
    /// Journal: a transaction that was included.
    Transaction(TransactionRecord<'a>),
    /// Journal: stepped time moved to this moment.
    Advance(MomentRecord),
    /// Snapshot, first: the moment it shows, and how many accounts follow.
    Snapshot { moment: MomentRecord, accounts: u64 },
    /// Snapshot: an account.
    Account(AccountRecord<'a>),
}

/// A [`Moment`] on disk. For a transaction, the moment it was executed in; for an advance, the new one.
#[derive(SchemaWrite, SchemaRead, Clone, Copy)]
pub(crate) struct MomentRecord {
    slot: u64,
    unix_secs: i64,
    writes: u32,
}

#[derive(SchemaWrite, SchemaRead)]
pub(crate) struct TransactionRecord<'a> {
    pub(crate) moment: MomentRecord,
    /// The transaction as the client sent it.
    pub(crate) wire: &'a [u8],
    pub(crate) err: Option<TransactionError>,
    pub(crate) fee: u64,
    pub(crate) compute_units: u64,
    pub(crate) logs: Vec<String>,
    pub(crate) inner: Vec<InnerRecord>,
    pub(crate) return_data: Option<ReturnRecord>,
    pub(crate) loaded_writable: Vec<[u8; 32]>,
    pub(crate) loaded_readonly: Vec<[u8; 32]>,
    pub(crate) pre: Balances,
    pub(crate) post: Balances,
    pub(crate) accounts: Vec<AccountRecord<'a>>,
}

/// One inner instruction, with the index of the outer instruction that called it.
#[derive(SchemaWrite, SchemaRead)]
pub(crate) struct InnerRecord {
    pub(crate) outer: u8,
    pub(crate) stack_height: u8,
    pub(crate) program: u8,
    pub(crate) accounts: Vec<u8>,
    pub(crate) data: Vec<u8>,
}

#[derive(SchemaWrite, SchemaRead)]
pub(crate) struct ReturnRecord {
    pub(crate) program: [u8; 32],
    pub(crate) data: Vec<u8>,
}

/// Lamports of every account of a transaction, and tokens of those that hold some.
#[derive(SchemaWrite, SchemaRead, Clone, Default)]
pub(crate) struct Balances {
    pub(crate) lamports: Vec<u64>,
    pub(crate) tokens: Vec<TokenBalance>,
}

#[derive(SchemaWrite, SchemaRead, Clone)]
pub(crate) struct TokenBalance {
    pub(crate) account_index: u8,
    pub(crate) decimals: u8,
    pub(crate) amount: u64,
    pub(crate) mint: [u8; 32],
    pub(crate) owner: [u8; 32],
    pub(crate) program: [u8; 32],
}

/// An account after a write. No lamports means that it is gone.
#[derive(SchemaWrite, SchemaRead)]
pub(crate) struct AccountRecord<'a> {
    pub(crate) address: [u8; 32],
    lamports: u64,
    owner: [u8; 32],
    executable: bool,
    rent_epoch: u64,
    data: &'a [u8],
}

impl From<Moment> for MomentRecord {
    fn from(moment: Moment) -> Self {
        Self { slot: moment.slot, unix_secs: moment.unix_secs, writes: moment.writes }
    }
}

impl From<MomentRecord> for Moment {
    fn from(record: MomentRecord) -> Self {
        Self { slot: record.slot, unix_secs: record.unix_secs, writes: record.writes }
    }
}

impl<'a> AccountRecord<'a> {
    pub(crate) fn new(address: &Address, account: &'a AccountSharedData) -> Self {
        Self {
            address: address.to_bytes(),
            lamports: account.lamports(),
            owner: account.owner().to_bytes(),
            executable: account.executable(),
            rent_epoch: account.rent_epoch(),
            data: account.data(),
        }
    }

    /// An account that was removed.
    pub(crate) fn gone(address: &Address) -> Self {
        Self { address: address.to_bytes(), lamports: 0, owner: [0; 32], executable: false, rent_epoch: 0, data: &[] }
    }

    pub(crate) fn address(&self) -> Address {
        Address::new_from_array(self.address)
    }

    /// The account, or `None` when it is gone.
    pub(crate) fn to_account(&self) -> Option<AccountSharedData> {
        (self.lamports > 0).then(|| {
            AccountSharedData::from(solana_account::Account {
                lamports: self.lamports,
                data: self.data.to_vec(),
                owner: Address::new_from_array(self.owner),
                executable: self.executable,
                rent_epoch: self.rent_epoch,
            })
        })
    }
}

impl TransactionRecord<'_> {
    pub(crate) fn loaded_addresses(&self) -> LoadedAddresses {
        let addresses = |keys: &[[u8; 32]]| keys.iter().copied().map(Address::new_from_array).collect();
        LoadedAddresses { writable: addresses(&self.loaded_writable), readonly: addresses(&self.loaded_readonly) }
    }
}

/// Flattens the virtual machine's list, one entry per inner instruction.
pub(crate) fn inner_records(list: InnerInstructionsList) -> Vec<InnerRecord> {
    list.into_iter()
        .enumerate()
        .flat_map(|(outer, inner)| {
            inner.into_iter().map(move |inner| InnerRecord {
                outer: u8::try_from(outer).unwrap_or(u8::MAX),
                stack_height: inner.stack_height,
                program: inner.instruction.program_id_index,
                accounts: inner.instruction.accounts,
                data: inner.instruction.data,
            })
        })
        .collect()
}

/// Bytes of the length before each record.
pub(crate) const LENGTH_LEN: usize = 4;

/// Appends a record to `out`, preceded by its length (u32, little endian).
pub(crate) fn append(out: &mut Vec<u8>, record: &Record<'_>) {
    let start = out.len();
    out.extend_from_slice(&[0; 4]);
    wincode::config::serialize_into(&mut *out, record, CODEC)
        .expect("a record is made of lengths and numbers that fit, and a Vec takes them all");
    let len = u32::try_from(out.len() - start - 4).expect("a transaction's accounts are under 4 GiB");
    out[start..start + 4].copy_from_slice(&len.to_le_bytes());
}

/// Reads one record.
pub(crate) fn parse(bytes: &[u8]) -> Result<Record<'_>, String> {
    wincode::config::deserialize_exact(bytes, CODEC).map_err(|err| err.to_string())
}

/// Splits a frame's payload into records: (offset in the payload, bytes).
pub(crate) fn split(payload: &[u8]) -> impl Iterator<Item = Result<(usize, &[u8]), String>> {
    let mut offset = 0;
    std::iter::from_fn(move || {
        let rest = payload.get(offset..).filter(|rest| !rest.is_empty())?;
        let Some((len, rest)) = rest.split_first_chunk::<4>() else {
            offset = payload.len();
            return Some(Err("a record's length is cut short".into()));
        };
        let len = u32::from_le_bytes(*len) as usize;
        let start = offset + 4;
        let Some(bytes) = rest.get(..len) else {
            offset = payload.len();
            return Some(Err("a record is longer than its frame".into()));
        };
        offset = start + len;
        Some(Ok((start, bytes)))
    })
}
