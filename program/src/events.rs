//! Event records: written by the program calling itself, signed by the network account. Nobody else can make that account sign, so a
//! record found among a transaction's inner instructions is the program's own word.

use core::mem::offset_of;

use ionet_abi::accounts::NetworkAccount;
use ionet_abi::events::supply::{OpenCaseRecord, PostRootRecord, SUPPLY_EVENT_TAG, SupplyBody, SupplyHeader};
use ionet_abi::events::{
    BookProductRecord, EVENT_TAG, EarnRecord, ExpireRecord, ExtendRecord, PayRecord, RecordBody, RecordHeader, RefundRecord,
    RepurchaseRecord, StartRecord, WorkedRecord,
};
use ionet_abi::faults::Fault;
use pinocchio::Address;
use pinocchio::cpi::invoke_signed;
use pinocchio::instruction::{InstructionAccount, InstructionView};

use crate::call::Call;
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;

const BODY_AT: usize = 1 + size_of::<RecordHeader>();
/// Room for the longest record.
const LONGEST: usize = BODY_AT + 96;

const _: () = {
    assert!(size_of::<RecordHeader>() == 32);
    assert!(size_of::<BookProductRecord>() == 88);
    assert!(size_of::<PayRecord>() == 32);
    assert!(size_of::<StartRecord>() == 8);
    assert!(size_of::<ExtendRecord>() == 32);
    assert!(size_of::<WorkedRecord>() == 64);
    assert!(size_of::<RefundRecord>() == 16);
    assert!(size_of::<RepurchaseRecord>() == 32);
    assert!(size_of::<EarnRecord>() == 40);
    assert!(size_of::<ExpireRecord>() == 8);
};

/// Writes a record.
pub(crate) fn emit<B: RecordBody>(network: &Network, header: &RecordHeader, body: &B) -> Outcome {
    const { assert!(BODY_AT + size_of::<B>() <= LONGEST) };
    let mut data = [0; LONGEST];
    let end = const { BODY_AT + size_of::<B>() };
    data[0] = EVENT_TAG;
    data[1..BODY_AT].copy_from_slice(bytemuck::bytes_of(header));
    data[BODY_AT..end].copy_from_slice(bytemuck::bytes_of(body));
    let instruction = InstructionView {
        program_id: network.program_id(),
        accounts: &[InstructionAccount::readonly_signer(network.account().address())],
        data: &data[..end],
    };
    Ok(network.sign(|signer| invoke_signed(&instruction, &[network.account()], signer))?)
}

const SUPPLY_BODY_AT: usize = 1 + size_of::<SupplyHeader>();
// Where the header's fields lie.
const AT: usize = 1 + offset_of!(SupplyHeader, at_unix_secs);
const SUBJECT: usize = 1 + offset_of!(SupplyHeader, subject);
const RECORD: usize = 1 + offset_of!(SupplyHeader, record);
const KIND: usize = 1 + offset_of!(SupplyHeader, kind);
/// Room for the longest record of the supply side.
const SUPPLY_LONGEST: usize = SUPPLY_BODY_AT + 144;

const _: () = {
    assert!(size_of::<SupplyHeader>() == 48);
    assert!(size_of::<PostRootRecord>() == 144);
    assert!(size_of::<OpenCaseRecord>() == 144);
};

/// Whose record it is, and which of its records.
pub(crate) struct Stamp<'a> {
    /// Address of the account that the record belongs to.
    pub(crate) subject: &'a Address,
    /// Number of the record within that account.
    pub(crate) record: u32,
}

impl Stamp<'_> {
    /// Writes a record of the supply side.
    #[inline(always)]
    pub(crate) fn emit<B: SupplyBody>(self, network: &Network, now: i64, body: &B) -> Outcome {
        const { assert!(SUPPLY_BODY_AT + size_of::<B>() <= SUPPLY_LONGEST) };
        // Written field by field: a header put together first would be copied once more.
        let mut data = [0; SUPPLY_LONGEST];
        let end = const { SUPPLY_BODY_AT + size_of::<B>() };
        data[0] = SUPPLY_EVENT_TAG;
        data[AT..SUBJECT].copy_from_slice(&now.to_le_bytes());
        data[SUBJECT..RECORD].copy_from_slice(self.subject.as_array());
        data[RECORD..KIND].copy_from_slice(&self.record.to_le_bytes());
        data[KIND] = B::KIND as u8;
        data[SUPPLY_BODY_AT..end].copy_from_slice(bytemuck::bytes_of(body));
        call_self(network, &data[..end])
    }
}

#[inline(never)]
fn call_self(network: &Network, data: &[u8]) -> Outcome {
    let instruction = InstructionView {
        program_id: network.program_id(),
        accounts: &[InstructionAccount::readonly_signer(network.account().address())],
        data,
    };
    Ok(network.sign(|signer| invoke_signed(&instruction, &[network.account()], signer))?)
}

/// The other end of [`emit`] and [`Stamp::emit`]: accepts a record that the network account signed, and does nothing. What is said stands in the instruction.
pub(crate) fn accept(call: &Call) -> Outcome {
    let [network] = call.accounts else {
        return Err(Fault::WrongAccountCount.into());
    };
    if !network.is_signer() {
        return Err(Fault::MissingSigner.into());
    }
    state::view::<NetworkAccount>(network, call.program_id).map_err(|_| Fault::NotDirect)?;
    Ok(())
}
