//! The accounts of `submit_price`.

use ionet_abi::instructions::SubmitPriceAccounts;
use ionet_rules::RuleError;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::oracle::OpenOracle;

/// The checked accounts.
pub(super) struct SubmitPrice<'a> {
    pub(super) oracle: OpenOracle<'a>,
    /// Place of the submitter in the oracle set.
    pub(super) place: usize,
}

impl<'a> SubmitPrice<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(SubmitPriceAccounts::<()>::USES) })?;
        let SubmitPriceAccounts { submitter, oracle } = SubmitPriceAccounts::from_list(list);
        let oracle = OpenOracle::open(oracle, call.program_id)?;
        let place = oracle
            .keys
            .iter()
            .take(usize::from(oracle.count))
            .position(|key| checks::authority(submitter, key).is_ok())
            .ok_or(RuleError::UnknownOracle)?;
        Ok(Self { oracle, place })
    }
}
