//! Moves the supplier part of a logged value from escrow to the payable vault, and rounding dust to the treasury. The rest stays in the
//! escrow vault, where the books hold it for repurchase or earning.

use ionet_abi::events::WorkedRecord;
use ionet_abi::instructions::WorkedArgs;
use ionet_rules::booking::{End, WorkLog, Worked as Moved};
use ionet_rules::money::{Currency, Io};
use ionet_rules::oracle;
use ionet_rules::worklog::EndReason;

use super::accounts::Worked;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Logs.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let WorkedArgs { device_minutes, ended_at_unix_secs, sequence, end_reason, reserved } = checks::arguments(call)?;
    checks::well_formed(reserved == [0; 3] && (end_reason != 0 || ended_at_unix_secs == 0))?;
    let end = EndReason::from_u8(end_reason)?.map(|reason| End { reason, at_unix_secs: ended_at_unix_secs });
    let Worked { network, oracle, mut booking, mut escrow, mut payable, mut treasury } = Worked::check(call)?;
    let now = clock::unix_secs()?;

    let Moved { value, value_micro_usd, supplier, rest, dust } =
        booking.book.work(&WorkLog { sequence, device_minutes, end }, &network.params, now)?;
    let Io(value_io) = match booking.book.currency()? {
        Currency::Usdc => oracle::io_for_record(value_micro_usd, oracle.current()),
        Currency::Io => value.io(Currency::Io)?,
    };

    escrow.pass(&mut payable, &network, supplier.0)?;
    escrow.pass(&mut treasury, &network, dust.0)?;
    escrow.settle(booking.book.vault_liability()?.0)?;
    payable.settle(0)?;
    treasury.settle(0)?;
    let record = WorkedRecord {
        device_minutes,
        value: value.0,
        value_micro_usd: value_micro_usd.0,
        value_io,
        supplier: supplier.0,
        rest: rest.0,
        dust: dust.0,
        sequence,
        end_reason,
        reserved,
    };
    booking.commit(&network, now, &record)
}
