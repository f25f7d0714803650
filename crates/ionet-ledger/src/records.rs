//! Event records, read back out of transactions.
//!
//! Why a record cannot be forged: it counts only as an *inner* instruction of a transaction that *succeeded*, addressed to our program, with
//! the network account in the signer's place. For such an instruction the program demands that the network account signs. That account is
//! derived from the program, so no key exists for it: nobody can make it sign at the top level, and in a call only the program itself can.
//! Somebody else's program that calls ours with a record's bytes is refused, and a refused call fails its whole transaction. So in a
//! transaction that succeeded each such instruction was made by the program itself. The same bytes sent to another program, written
//! to a log or a memo, or placed at the top level, do not count.

use ionet_abi::events::{
    BookProductRecord, EVENT_TAG, EarnRecord, ExpireRecord, ExtendRecord, PayRecord, RecordBody, RecordHeader, RecordKind, RefundRecord,
    RepurchaseRecord, StartRecord, WorkedRecord,
};
use ionet_rules::booking::Status;
use ionet_rules::money::Currency;
use solana_address::Address;
use solana_signature::Signature;
use solana_transaction_status::{EncodedConfirmedTransactionWithStatusMeta, UiInnerInstructions, UiInstruction};

use crate::address::{self, ClusterId};
use crate::error::LedgerError;
use crate::supply::{SupplyRecord, supply_records_in};

/// What a record says. See `ionet_abi::events` for each body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// A cluster was booked.
    BookProduct(BookProductRecord),
    /// A payment into escrow.
    Pay(PayRecord),
    /// The cluster runs.
    Start(StartRecord),
    /// The hired time was extended and paid for.
    Extend(ExtendRecord),
    /// A work log.
    Worked(WorkedRecord),
    /// Unused time went back to the customer.
    Refund(RefundRecord),
    /// USDC was swapped into IO.
    Repurchase(RepurchaseRecord),
    /// IO left escrow for good.
    Earn(EarnRecord),
    /// The payment window passed.
    Expire(ExpireRecord),
}

impl Body {
    /// Which kind of record.
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::BookProduct(_) => RecordKind::BookProduct,
            Self::Pay(_) => RecordKind::Pay,
            Self::Start(_) => RecordKind::Start,
            Self::Extend(_) => RecordKind::Extend,
            Self::Worked(_) => RecordKind::Worked,
            Self::Refund(_) => RecordKind::Refund,
            Self::Repurchase(_) => RecordKind::Repurchase,
            Self::Earn(_) => RecordKind::Earn,
            Self::Expire(_) => RecordKind::Expire,
        }
    }

    fn read(kind: RecordKind, bytes: &[u8]) -> Option<Self> {
        fn body<T: RecordBody>(bytes: &[u8]) -> Option<T> {
            bytemuck::try_pod_read_unaligned(bytes).ok()
        }
        Some(match kind {
            RecordKind::BookProduct => Self::BookProduct(body(bytes)?),
            RecordKind::Pay => Self::Pay(body(bytes)?),
            RecordKind::Start => Self::Start(body(bytes)?),
            RecordKind::Extend => Self::Extend(body(bytes)?),
            RecordKind::Worked => Self::Worked(body(bytes)?),
            RecordKind::Refund => Self::Refund(body(bytes)?),
            RecordKind::Repurchase => Self::Repurchase(body(bytes)?),
            RecordKind::Earn => Self::Earn(body(bytes)?),
            RecordKind::Expire => Self::Expire(body(bytes)?),
        })
    }

    /// The body's bytes, as on chain.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::BookProduct(body) => bytemuck::bytes_of(body),
            Self::Pay(body) => bytemuck::bytes_of(body),
            Self::Start(body) => bytemuck::bytes_of(body),
            Self::Extend(body) => bytemuck::bytes_of(body),
            Self::Worked(body) => bytemuck::bytes_of(body),
            Self::Refund(body) => bytemuck::bytes_of(body),
            Self::Repurchase(body) => bytemuck::bytes_of(body),
            Self::Earn(body) => bytemuck::bytes_of(body),
            Self::Expire(body) => bytemuck::bytes_of(body),
        }
    }
}

/// One event record and where it stands on chain. (`cluster_id`, `number`) is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The cluster.
    pub cluster_id: ClusterId,
    /// Number within the cluster's booking, from 0.
    pub number: u32,
    /// When, unix seconds, on the chain's clock.
    pub at_unix_secs: i64,
    /// Currency of the booking.
    pub currency: Currency,
    /// Status of the booking after the step.
    pub status: Status,
    /// What happened.
    pub body: Body,
    /// The transaction.
    pub signature: Signature,
    /// The transaction's slot.
    pub slot: u64,
    /// The block's time as the cluster reports it, unix seconds.
    pub block_time_unix_secs: Option<i64>,
}

impl Record {
    /// Which kind of record.
    pub const fn kind(&self) -> RecordKind {
        self.body.kind()
    }

    /// What makes it unique.
    pub const fn key(&self) -> (ClusterId, u32) {
        (self.cluster_id, self.number)
    }
}

/// Header and body in the data of an event instruction; `None` when these are not exactly a record's bytes.
pub fn decode_record(data: &[u8]) -> Option<(RecordHeader, Body)> {
    let bytes = data.strip_prefix(&[EVENT_TAG])?;
    let (header, body) = bytes.split_at_checked(size_of::<RecordHeader>())?;
    let header: RecordHeader = bytemuck::pod_read_unaligned(header);
    let body = Body::read(RecordKind::from_u8(header.kind)?, body)?;
    Some((header, body))
}

/// A program's own view of one executed transaction: what [`records_in`] needs of it.
#[derive(Clone, Copy, Debug)]
pub struct Executed<'a> {
    /// Its first signature.
    pub signature: Signature,
    /// Its slot.
    pub slot: u64,
    /// The block's time, unix seconds.
    pub block_time_unix_secs: Option<i64>,
    /// Whether it succeeded.
    pub succeeded: bool,
    /// All accounts it loaded, in the order that instructions refer to.
    pub keys: &'a [Address],
    /// Its inner instructions.
    pub inner: &'a [UiInnerInstructions],
}

/// The records of bookings that a transaction wrote, in order.
pub fn records_in(program_id: &Address, executed: &Executed<'_>) -> Result<Vec<Record>, LedgerError> {
    const MALFORMED: LedgerError = LedgerError::malformed("event record");
    let mut records = Vec::new();
    for data in event_data(program_id, executed)? {
        if data.first() != Some(&EVENT_TAG) {
            continue;
        }
        let (header, body) = decode_record(&data).ok_or(MALFORMED)?;
        if !executed.keys.contains(&address::booking(program_id, &header.cluster_id)) {
            return Err(MALFORMED);
        }
        records.push(Record {
            cluster_id: header.cluster_id,
            number: header.record,
            at_unix_secs: header.at_unix_secs,
            currency: Currency::from_u8(header.currency)?,
            status: Status::from_u8(header.status)?,
            body,
            signature: executed.signature,
            slot: executed.slot,
            block_time_unix_secs: executed.block_time_unix_secs,
        });
    }
    Ok(records)
}

/// The data of all calls that the program made to itself, in order: only it can make the network account sign.
pub(crate) fn event_data(program_id: &Address, executed: &Executed<'_>) -> Result<Vec<Vec<u8>>, LedgerError> {
    let mut found = Vec::new();
    if !executed.succeeded {
        return Ok(found);
    }
    let network = address::network(program_id);
    for instruction in executed.inner.iter().flat_map(|group| &group.instructions) {
        // Only compiled instructions are asked for.
        let UiInstruction::Compiled(instruction) = instruction else { return Err(LedgerError::malformed("transaction")) };
        let key = |index: u8| executed.keys.get(usize::from(index));
        if key(instruction.program_id_index) != Some(program_id) {
            continue;
        }
        let signer = instruction.accounts.first().and_then(|index| key(*index));
        if signer == Some(&network) {
            found.push(bs58::decode(&instruction.data).into_vec().map_err(|_| LedgerError::malformed("event record"))?);
        }
    }
    Ok(found)
}

/// All records that one transaction wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Those of bookings, in order.
    pub bookings: Vec<Record>,
    /// Those of the supply side, in order.
    pub supply: Vec<SupplyRecord>,
}

/// The records in a transaction as an RPC endpoint gives it.
pub fn records_in_transaction(
    program_id: &Address,
    signature: Signature,
    found: &EncodedConfirmedTransactionWithStatusMeta,
) -> Result<Written, LedgerError> {
    const MALFORMED: LedgerError = LedgerError::malformed("transaction");
    let transaction = found.transaction.transaction.decode().ok_or(MALFORMED)?;
    let meta = found.transaction.meta.as_ref().ok_or(MALFORMED)?;
    if transaction.signatures.first() != Some(&signature) {
        return Err(MALFORMED);
    }
    let mut keys = transaction.message.static_account_keys().to_vec();
    if let Some(loaded) = Option::from(meta.loaded_addresses.as_ref()) {
        let loaded: &solana_transaction_status::UiLoadedAddresses = loaded;
        for address in loaded.writable.iter().chain(&loaded.readonly) {
            keys.push(address.parse().map_err(|_| MALFORMED)?);
        }
    }
    let inner: Option<&Vec<UiInnerInstructions>> = meta.inner_instructions.as_ref().into();
    let executed = Executed {
        signature,
        slot: found.slot,
        block_time_unix_secs: found.block_time,
        succeeded: meta.err.is_none(),
        keys: &keys,
        inner: inner.map_or(&[], Vec::as_slice),
    };
    Ok(Written { bookings: records_in(program_id, &executed)?, supply: supply_records_in(program_id, &executed)? })
}
