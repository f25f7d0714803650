//! Burns or frees what the case froze, as the council says.

use ionet_abi::instructions::supply::DecideCaseArgs;
use ionet_rules::slash::Verdict;

use super::accounts;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Decides.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let DecideCaseArgs { burn } = checks::arguments(call)?;
    checks::well_formed(burn <= 1)?;
    let closing = accounts::check(call)?;
    let now = clock::unix_secs()?;

    let verdict = if burn == 1 { Verdict::Burn } else { Verdict::Free };
    closing.case.change(|case| Ok(case.book.decide(verdict, &closing.supply.params, now)?))?;

    closing.carry_out(verdict, true, now)
}
