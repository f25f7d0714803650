//! Replaces the oracle set. A key that stays keeps its last price; all others start without one.

use ionet_abi::instructions::SetOraclesArgs;
use ionet_rules::oracle::{MAX_ORACLES, Submission};

use super::accounts::SetOracles;
use crate::call::Call;
use crate::checks;
use crate::refusal::Outcome;

/// Sets.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let SetOraclesArgs { keys, count } = checks::arguments(call)?;
    checks::well_formed(is_set(&keys, count))?;
    let SetOracles { mut oracle } = SetOracles::check(call)?;

    let before = (oracle.keys, oracle.submissions);
    for (key, submission) in keys.iter().zip(oracle.submissions.iter_mut()) {
        let known = before.0.iter().zip(&before.1).find(|(known, _)| *known == key && *key != [0; 32]);
        *submission = known.map_or_else(Submission::default, |(_, last)| *last);
    }
    oracle.keys = keys;
    oracle.count = count;

    oracle.save()
}

/// Whether the first `count` keys are different and not zero, and all others are zero.
fn is_set(keys: &[[u8; 32]; MAX_ORACLES], count: u8) -> bool {
    let count = usize::from(count);
    let Some((set, unused)) = keys.split_at_checked(count) else { return false };
    let distinct = set.iter().enumerate().all(|(place, key)| *key != [0; 32] && !set[..place].contains(key));
    !set.is_empty() && distinct && unused.iter().all(|key| *key == [0; 32])
}
