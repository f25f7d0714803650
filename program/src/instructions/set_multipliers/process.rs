//! Writes the entries one after the other; the table grows without a gap.

use bytemuck::Zeroable;
use ionet_abi::accounts::MultipliersAccount;
use ionet_abi::faults::Fault;
use ionet_abi::instructions::supply::{MULTIPLIERS_AT_ONCE, SetMultipliersArgs};
use ionet_rules::multipliers::{MAX_MODELS, Multiplier};

use super::accounts::SetMultipliers;
use crate::call::Call;
use crate::checks;
use crate::refusal::Outcome;

/// Sets.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let args: SetMultipliersArgs = checks::arguments(call)?;
    let count = usize::from(args.count);
    checks::well_formed((1..=MULTIPLIERS_AT_ONCE).contains(&count) && args.reserved == 0)?;
    let (entries, unused) = args.entries.split_at(count);
    checks::well_formed(unused.iter().all(|entry| *entry == Zeroable::zeroed()))?;
    let SetMultipliers { multipliers } = SetMultipliers::check(call)?;

    multipliers.change(|table: &mut MultipliersAccount| set(table, usize::from(args.first), entries))
}

fn set(table: &mut MultipliersAccount, first: usize, entries: &[Multiplier]) -> Outcome {
    let listed = usize::from(table.count);
    let end = first.saturating_add(entries.len());
    checks::well_formed(first <= listed && end <= MAX_MODELS)?;
    for (place, (entry, new)) in (first..).zip(table.table[first..end].iter_mut().zip(entries)) {
        entry.replace(new, place < listed)?;
    }
    table.count = u16::try_from(end.max(listed)).map_err(|_| Fault::MalformedData)?;
    Ok(())
}
