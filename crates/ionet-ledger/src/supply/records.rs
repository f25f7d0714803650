//! The event records of the supply side, read back out of transactions. Why they cannot be forged: see [`crate::records`].

use ionet_abi::events::supply::{
    AcceptCoStakeRecord, AcceptRootRecord, AdmitVerifierRecord, AppealCaseRecord, BondRecord, ClaimRecord, CloseCaseRecord,
    EndCoStakeRecord, MintEpochRecord, OfferCoStakeRecord, OpenCaseRecord, PostRootRecord, RegisterDeviceRecord, SUPPLY_EVENT_TAG,
    SetPayoutRecord, StakeRecord, StrikeRootRecord, SupplyHeader, SupplyKind, UnbondRecord, UnstakeRecord, WithdrawBondRecord,
    WithdrawCoStakeRecord, WithdrawStakeRecord,
};
use solana_address::Address;
use solana_signature::Signature;

use crate::error::LedgerError;
use crate::records::{Executed, event_data};

macro_rules! events {
    ($($kind:ident($body:ident),)+) => {
        /// What a record of the supply side says. See `ionet_abi::events::supply` for each body.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum SupplyEvent {
            $(
                #[doc = concat!("[`SupplyKind::", stringify!($kind), "`].")]
                $kind($body),
            )+
        }

        impl SupplyEvent {
            /// Which kind of record.
            pub const fn kind(&self) -> SupplyKind {
                match self { $(Self::$kind(_) => SupplyKind::$kind,)+ }
            }

            /// The body's bytes, as in the record.
            pub fn bytes(&self) -> &[u8] {
                match self { $(Self::$kind(body) => bytemuck::bytes_of(body),)+ }
            }

            fn read(kind: SupplyKind, bytes: &[u8]) -> Option<Self> {
                Some(match kind { $(SupplyKind::$kind => Self::$kind(bytemuck::try_pod_read_unaligned(bytes).ok()?),)+ })
            }
        }
    };
}

events! {
    MintEpoch(MintEpochRecord),
    PostRoot(PostRootRecord),
    AcceptRoot(AcceptRootRecord),
    StrikeRoot(StrikeRootRecord),
    RegisterDevice(RegisterDeviceRecord),
    SetPayout(SetPayoutRecord),
    Stake(StakeRecord),
    WithdrawStake(WithdrawStakeRecord),
    Unstake(UnstakeRecord),
    OfferCoStake(OfferCoStakeRecord),
    AcceptCoStake(AcceptCoStakeRecord),
    EndCoStake(EndCoStakeRecord),
    WithdrawCoStake(WithdrawCoStakeRecord),
    OpenCase(OpenCaseRecord),
    AppealCase(AppealCaseRecord),
    CloseCase(CloseCaseRecord),
    Claim(ClaimRecord),
    Bond(BondRecord),
    Unbond(UnbondRecord),
    WithdrawBond(WithdrawBondRecord),
    AdmitVerifier(AdmitVerifierRecord),
}

/// One record of the supply side and where it stands on chain. (`subject`, `number`) is unique.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupplyRecord {
    /// Address of the account that it belongs to.
    pub subject: Address,
    /// Number within that account, from 0.
    pub number: u32,
    /// When, unix seconds, on the chain's clock.
    pub at_unix_secs: i64,
    /// What happened.
    pub event: SupplyEvent,
    /// The transaction.
    pub signature: Signature,
    /// The transaction's slot.
    pub slot: u64,
    /// The block's time as the cluster reports it, unix seconds.
    pub block_time_unix_secs: Option<i64>,
}

/// Header and body in the data of an event instruction; `None` when these are not exactly a supply record's bytes.
pub fn decode_supply_record(data: &[u8]) -> Option<(SupplyHeader, SupplyEvent)> {
    let bytes = data.strip_prefix(&[SUPPLY_EVENT_TAG])?;
    let (header, body) = bytes.split_at_checked(size_of::<SupplyHeader>())?;
    let header: SupplyHeader = bytemuck::pod_read_unaligned(header);
    let event = SupplyEvent::read(SupplyKind::from_u8(header.kind)?, body)?;
    Some((header, event))
}

/// The supply side's records that a transaction wrote, in order.
pub(crate) fn supply_records_in(program_id: &Address, executed: &Executed<'_>) -> Result<Vec<SupplyRecord>, LedgerError> {
    const MALFORMED: LedgerError = LedgerError::malformed("event record");
    let mut records = Vec::new();
    for data in event_data(program_id, executed)? {
        if data.first() != Some(&SUPPLY_EVENT_TAG) {
            continue;
        }
        let (header, event) = decode_supply_record(&data).ok_or(MALFORMED)?;
        let subject = Address::from(header.subject);
        if !executed.keys.contains(&subject) {
            return Err(MALFORMED);
        }
        records.push(SupplyRecord {
            subject,
            number: header.record,
            at_unix_secs: header.at_unix_secs,
            event,
            signature: executed.signature,
            slot: executed.slot,
            block_time_unix_secs: executed.block_time_unix_secs,
        });
    }
    Ok(records)
}
