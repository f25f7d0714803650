//! Burns or frees what the case froze, as time has decided: anyone may send it.

use ionet_abi::instructions::supply::LapseCaseArgs;

use super::accounts;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Carries out.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let LapseCaseArgs {} = checks::arguments(call)?;
    let closing = accounts::check(call)?;
    let now = clock::unix_secs()?;

    let verdict = closing.case.change(|case| Ok(case.book.lapse(&closing.supply.params, now)?))?;

    closing.carry_out(verdict, false, now)
}
