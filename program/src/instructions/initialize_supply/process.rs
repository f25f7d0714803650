//! Creates the supply side's accounts, and its two vaults as token accounts of the network account.

use ionet_abi::accounts::{AccountTag, EpochsAccount, MultipliersAccount, ProgramAccount, SupplyAccount, VERSION, VerifiersAccount};
use ionet_abi::instructions::supply::InitializeSupplyArgs;
use pinocchio::Address;
use pinocchio_token::instructions::InitializeAccount3;
use pinocchio_token::state;

use super::accounts::InitializeSupply;
use crate::call::Call;
use crate::checks;
use crate::clock;
use crate::refusal::Outcome;
use crate::state::create::Place;
use crate::state::open::fill;
use crate::tokens::TOKEN_PROGRAM_ID;

/// Sets up.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let args: InitializeSupplyArgs = checks::arguments(call)?;
    checks::well_formed(args.council != [0; 32])?;
    let new = InitializeSupply::check(call)?;
    let now = clock::unix_secs()?;

    args.params.check()?;
    args.params.check_first(args.first_unix_secs, now)?;

    create_vault(&new, &new.io_rewards)?;
    create_vault(&new, &new.io_stake)?;
    create(&new, call.program_id, &args)
}

#[inline(never)]
fn create_vault(new: &InitializeSupply, place: &Place) -> Outcome {
    place.create(new.payer, state::Account::LEN, &TOKEN_PROGRAM_ID)?;
    Ok(InitializeAccount3::new(place.account(), new.io_mint, new.network.account().address()).invoke()?)
}

#[inline(never)]
fn create(new: &InitializeSupply, program_id: &Address, args: &InitializeSupplyArgs) -> Outcome {
    let InitializeSupply { payer, supply, epochs, verifiers, multipliers, .. } = new;
    supply.create(payer, SupplyAccount::SIZE, program_id)?;
    fill(supply.account(), |account: &mut SupplyAccount| {
        account.tag = AccountTag::Supply as u8;
        account.version = VERSION;
        account.bump = supply.bump();
        account.params = args.params;
        account.council = args.council;
        account.io_rewards = new.io_rewards.account().address().to_bytes();
        account.io_stake = new.io_stake.account().address().to_bytes();
    })?;
    epochs.create(payer, EpochsAccount::SIZE, program_id)?;
    fill(epochs.account(), |account: &mut EpochsAccount| {
        account.tag = AccountTag::Epochs as u8;
        account.version = VERSION;
        account.bump = epochs.bump();
        account.book.first_unix_secs = args.first_unix_secs;
    })?;
    verifiers.create(payer, VerifiersAccount::SIZE, program_id)?;
    fill(verifiers.account(), |account: &mut VerifiersAccount| {
        account.tag = AccountTag::Verifiers as u8;
        account.version = VERSION;
        account.bump = verifiers.bump();
    })?;
    multipliers.create(payer, MultipliersAccount::SIZE, program_id)?;
    fill(multipliers.account(), |account: &mut MultipliersAccount| {
        account.tag = AccountTag::Multipliers as u8;
        account.version = VERSION;
        account.bump = multipliers.bump();
    })
}
