//! The accounts of `decide_case`.

use ionet_abi::instructions::supply::{DecideCaseAccounts, LapseCaseAccounts};

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::instructions::closing::Closing;
use crate::refusal::Outcome;

/// The checked accounts.
pub(super) fn check<'a>(call: &Call<'a>) -> Outcome<Closing<'a>> {
    let list = checks::list(call, const { Uses::of(DecideCaseAccounts::<()>::USES) })?;
    let DecideCaseAccounts {
        council,
        network,
        supply,
        multipliers,
        epochs,
        device,
        case,
        io_stake,
        io_rewards,
        io_mint,
        token_program,
        program,
    } = DecideCaseAccounts::from_list(list);
    let rest =
        LapseCaseAccounts { network, supply, multipliers, epochs, device, case, io_stake, io_rewards, io_mint, token_program, program };
    Closing::check(call, rest, |supply| checks::authority(council, &supply.council))
}
