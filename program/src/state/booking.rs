//! A booking's account during one instruction: a copy is changed by a rule and committed with its record.

use core::ops::{Deref, DerefMut};

use ionet_abi::accounts::BookingAccount;
use ionet_abi::events::{RecordBody, RecordHeader};
use ionet_rules::RuleError;
use pinocchio::{AccountView, Address};

use crate::events;
use crate::refusal::Outcome;
use crate::state;
use crate::state::network::Network;

/// A booking, checked.
pub(crate) struct OpenBooking<'a> {
    account: &'a AccountView,
    value: BookingAccount,
}

impl<'a> OpenBooking<'a> {
    /// The account, when it is a booking. Its address needs no check: only `book_product` makes bookings, each at its cluster's address.
    pub(crate) fn open(account: &'a AccountView, program_id: &Address) -> Outcome<Self> {
        Ok(Self { account, value: *state::view::<BookingAccount>(account, program_id)? })
    }

    /// A booking whose account was just created.
    pub(crate) const fn new(account: &'a AccountView, value: BookingAccount) -> Self {
        Self { account, value }
    }

    /// The end of a step: the invariant once more, the account written, the record emitted.
    pub(crate) fn commit<B: RecordBody>(mut self, network: &Network, now: i64, record: &B) -> Outcome {
        self.value.book.check()?;
        let header = RecordHeader {
            at_unix_secs: now,
            cluster_id: self.value.cluster_id,
            record: self.value.records,
            kind: B::KIND as u8,
            currency: self.value.book.currency,
            status: self.value.book.status,
            reserved: 0,
        };
        self.value.records = self.value.records.checked_add(1).ok_or(RuleError::Overflow)?;
        state::write(self.account, &self.value)?;
        events::emit(network, &header, record)
    }
}

impl Deref for OpenBooking<'_> {
    type Target = BookingAccount;

    fn deref(&self) -> &BookingAccount {
        &self.value
    }
}

impl DerefMut for OpenBooking<'_> {
    fn deref_mut(&mut self) -> &mut BookingAccount {
        &mut self.value
    }
}
