//! Writes the wallet that claims are paid to from now on.

use ionet_abi::accounts::ClaimAccount;
use ionet_abi::events::supply::SetPayoutRecord;
use ionet_abi::instructions::supply::SetPayoutArgs;

use super::accounts::SetPayout;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;

/// Changes.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let SetPayoutArgs { payout } = checks::arguments(call)?;
    checks::well_formed(payout != [0; 32])?;
    let SetPayout { network, claim } = SetPayout::check(call)?;
    let now = clock::unix_secs()?;

    let (device, stamp) = claim.step(|claim: &mut ClaimAccount| {
        claim.payout = payout;
        Ok(claim.device)
    })?;

    stamp.emit(&network, now, &SetPayoutRecord { device, payout })
}
