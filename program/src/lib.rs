//! The on-chain program. One `match` on the first byte leads to one folder per instruction:
//!
//! - `accounts.rs` checks every account, in a fixed order (see [`checks`]), and hands on only what was checked;
//! - `process.rs` asks one rule of `ionet-rules`, moves exactly the tokens the rule returned, and commits: vaults checked against the
//!   books, booking written, record emitted.
//!
//! Layouts, account lists and argument types are those of `ionet-abi`. No heap, no logs, no floats.
#![no_std]

mod checks;
mod clock;
mod events;
mod instructions;
mod refusal;
mod state;
mod tokens;

use ionet_abi::events::EVENT_TAG;
use ionet_abi::faults::Fault;
use ionet_abi::instructions::Tag;
use ionet_builtins as _;
use pinocchio::{AccountView, Address, ProgramResult};

use refusal::Outcome;

mod entry {
    //! What the runtime calls.

    /// One more than the longest account list, so that a list that is too long is seen and refused.
    const MOST_ACCOUNTS: usize = 19;

    pinocchio::program_entrypoint!(super::enter, MOST_ACCOUNTS);
    pinocchio::nostd_panic_handler!();
}

#[inline(never)]
fn enter(program_id: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    dispatch(program_id, accounts, data).map_err(|refusal| refusal.0)
}

fn dispatch(program_id: &Address, accounts: &[AccountView], data: &[u8]) -> Outcome {
    let (&tag, data) = data.split_first().ok_or(Fault::UnknownInstruction)?;
    if tag == EVENT_TAG {
        return events::accept(program_id, accounts);
    }
    match Tag::from_u8(tag).ok_or(Fault::UnknownInstruction)? {
        Tag::Initialize => instructions::initialize::process(program_id, accounts, data),
        Tag::SetOracles => instructions::set_oracles::process(program_id, accounts, data),
        Tag::SubmitPrice => instructions::submit_price::process(program_id, accounts, data),
        Tag::FundPool => instructions::fund_pool::process(program_id, accounts, data),
        Tag::BookProduct => instructions::book_product::process(program_id, accounts, data),
        Tag::Pay => instructions::pay::process(program_id, accounts, data),
        Tag::Start => instructions::start::process(program_id, accounts, data),
        Tag::Extend => instructions::extend::process(program_id, accounts, data),
        Tag::Worked => instructions::worked::process(program_id, accounts, data),
        Tag::Refund => instructions::refund::process(program_id, accounts, data),
        Tag::Repurchase => instructions::repurchase::process(program_id, accounts, data),
        Tag::Earn => instructions::earn::process(program_id, accounts, data),
        Tag::Expire => instructions::expire::process(program_id, accounts, data),
    }
}
