//! The rules of the economy as a program of their own, for tests only. The answer to a call is the return data.
#![no_std]

use ionet_builtins as _;
use ionet_probe_wire::{LONGEST_RESPONSE, respond};
use pinocchio::cpi::set_return_data;
use pinocchio::error::ProgramError;
use pinocchio::{AccountView, Address, ProgramResult};

mod entry {
    //! What the runtime calls.

    pinocchio::program_entrypoint!(super::answer, 1);
    pinocchio::nostd_panic_handler!();
}

#[inline(never)]
fn answer(_program_id: &Address, _accounts: &mut [AccountView], request: &[u8]) -> ProgramResult {
    let mut response = [0; LONGEST_RESPONSE];
    let length = respond(request, &mut response).ok_or(ProgramError::InvalidInstructionData)?;
    set_return_data(response.get(..length).ok_or(ProgramError::InvalidInstructionData)?);
    Ok(())
}
