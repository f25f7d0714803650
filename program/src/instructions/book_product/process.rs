//! Creates the booking at the offer's terms.

use ionet_abi::accounts::{AccountTag, BookingAccount, ProgramAccount, VERSION};
use ionet_abi::events::BookProductRecord;
use ionet_abi::instructions::BookProductArgs;
use ionet_rules::booking::{Booking, HardwareKind, Offer};
use ionet_rules::money::{Currency, MicroUsd, Units};

use super::accounts::BookProduct;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;
use crate::state::booking::OpenBooking;

/// Books.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let args: BookProductArgs = checks::arguments(call)?;
    let BookProductArgs { cluster_id, rate, rate_micro_usd, valid_until_unix_secs, quantity, minutes, currency, hardware, reserved } = args;
    checks::well_formed(reserved == [0; 6])?;
    let offer = Offer {
        currency: Currency::from_u8(currency)?,
        hardware: HardwareKind::from_u8(hardware)?,
        quantity,
        minutes,
        rate: Units(rate),
        rate_micro_usd: MicroUsd(rate_micro_usd),
        valid_until_unix_secs,
    };
    let BookProduct { payer, customer, network, booking: place } = BookProduct::check(call, &cluster_id)?;
    let now = clock::unix_secs()?;

    let book = Booking::book(&offer, &network.params, now)?;

    place.create(payer, BookingAccount::SIZE, call.program_id)?;
    let customer = customer.address().to_bytes();
    let record = BookProductRecord {
        customer,
        total: book.total()?.0,
        cost: book.cost.0,
        fees: book.fees.0,
        rate,
        rate_micro_usd,
        quantity,
        minutes,
        hardware,
        reserved: [0; 7],
    };
    let value = BookingAccount {
        tag: AccountTag::Booking as u8,
        version: VERSION,
        bump: place.bump(),
        reserved: 0,
        records: 0,
        cluster_id,
        customer,
        book,
    };
    OpenBooking::new(place.account(), value).commit(&network, now, &record)
}
