//! Creates the network's accounts and vaults.

use ionet_abi::accounts::{AccountTag, NetworkAccount, OracleAccount, ProgramAccount, VERSION, VaultKind};
use ionet_abi::instructions::InitializeArgs;
use pinocchio::Address;
use pinocchio_token::instructions::InitializeAccount3;
use pinocchio_token::state;

use super::accounts::Initialize;
use crate::call::Call;
use crate::checks;
use crate::refusal::Outcome;
use crate::state::write;
use crate::tokens::TOKEN_PROGRAM_ID;

/// Initialises.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let InitializeArgs { params, quote_authority, verifier } = checks::arguments(call)?;
    checks::well_formed(quote_authority != [0; 32] && verifier != [0; 32])?;
    let new = Initialize::check(call)?;

    params.check()?;

    for kind in VaultKind::ALL {
        create_vault(&new, kind, call.program_id)?;
    }
    create_oracle(&new, call.program_id)?;
    new.network.create(new.payer, NetworkAccount::SIZE, call.program_id)?;
    let network = NetworkAccount {
        tag: AccountTag::Network as u8,
        version: VERSION,
        bump: new.network.bump(),
        reserved: [0; 5],
        params,
        authority: new.authority.address().to_bytes(),
        quote_authority,
        verifier,
        usdc_mint: new.usdc_mint.address().to_bytes(),
        io_mint: new.io_mint.address().to_bytes(),
        vaults: new.vaults.map(|vault| vault.address().to_bytes()),
    };
    write(new.network.account(), &network)
}

#[inline(never)]
fn create_vault(new: &Initialize, kind: VaultKind, program_id: &Address) -> Outcome {
    let place = new.vault(kind, program_id)?;
    place.create(new.payer, state::Account::LEN, &TOKEN_PROGRAM_ID)?;
    let mint = new.mint(kind.currency());
    Ok(InitializeAccount3::new(place.account(), mint, new.network.account().address()).invoke()?)
}

#[inline(never)]
fn create_oracle(new: &Initialize, program_id: &Address) -> Outcome {
    new.oracle.create(new.payer, OracleAccount::SIZE, program_id)?;
    let mut oracle = <OracleAccount as bytemuck::Zeroable>::zeroed();
    oracle.tag = AccountTag::Oracle as u8;
    oracle.version = VERSION;
    oracle.bump = new.oracle.bump();
    write(new.oracle.account(), &oracle)
}
