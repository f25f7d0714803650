//! The accounts of `lapse_case`.

use ionet_abi::instructions::supply::LapseCaseAccounts;

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::instructions::closing::Closing;
use crate::refusal::Outcome;

/// The checked accounts.
pub(super) fn check<'a>(call: &Call<'a>) -> Outcome<Closing<'a>> {
    let list = checks::list(call, const { Uses::of(LapseCaseAccounts::<()>::USES) })?;
    Closing::check(call, LapseCaseAccounts::from_list(list), |_| Ok(()))
}
