//! Replaces the submitter's last price.

use ionet_abi::instructions::SubmitPriceArgs;
use ionet_rules::money::MicroUsd;
use ionet_rules::{RuleError, oracle as rules};

use super::accounts::SubmitPrice;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Submits.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let SubmitPriceArgs { price_micro_usd } = checks::arguments(call)?;
    let SubmitPrice { mut oracle, place } = SubmitPrice::check(call)?;
    let now = clock::unix_secs()?;

    let last = oracle.submissions.get_mut(place).ok_or(RuleError::UnknownOracle)?;
    *last = rules::submit(*last, MicroUsd(price_micro_usd), now)?;

    oracle.save()
}
