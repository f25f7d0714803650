//! Mints what the schedule emits for the next epoch into the vault of rewards, once its time is over.

use ionet_abi::accounts::EpochsAccount;
use ionet_abi::events::supply::MintEpochRecord;
use ionet_abi::instructions::supply::MintEpochArgs;
use ionet_rules::money::Io;
use ionet_rules::supply::At;

use super::accounts::MintEpoch;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;
use crate::tokens;

/// Mints.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let MintEpochArgs {} = checks::arguments(call)?;
    let MintEpoch { network, supply, epochs, io_mint, mut io_rewards } = MintEpoch::check(call)?;
    let now = clock::unix_secs()?;

    let existing = Io(tokens::mintable(io_mint, network.account().address())?);
    let at = At { params: &supply.params, now };
    let ((record, owed), stamp) = epochs.step(|epochs: &mut EpochsAccount| {
        let (epoch, amount) = epochs.book.mint(existing, &at)?;
        Ok((MintEpochRecord { epoch, amount: amount.0, emitted: epochs.book.emitted.0 }, epochs.book.owed_io()?))
    })?;

    io_rewards.mint(io_mint, &network, record.amount)?;
    io_rewards.settle(owed.0)?;
    stamp.emit(&network, now, &record)
}
