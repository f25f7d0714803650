//! The on-chain program. One `match` on the first byte leads to one folder per instruction:
//!
//! - `accounts.rs` checks every account, in a fixed order (see [`checks`]), and hands on only what was checked;
//! - `process.rs` asks one rule of `ionet-rules`, moves exactly the tokens the rule returned, and commits: vaults checked against the
//!   books, booking written, record emitted.
//!
//! Layouts, account lists and argument types are those of `ionet-abi`. No heap, no logs, no floats.
#![no_std]

mod call;
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

use call::Call;
use refusal::{Outcome, Refusal};

mod entry {
    //! What the runtime calls.

    /// One more than the longest account list, so that a list that is too long is seen and refused.
    const MOST_ACCOUNTS: usize = 19;

    pinocchio::program_entrypoint!(super::enter, MOST_ACCOUNTS);
    pinocchio::nostd_panic_handler!();
}

#[inline(always)]
fn enter(program_id: &Address, accounts: &mut [AccountView], data: &[u8]) -> ProgramResult {
    let Some((&tag, arguments)) = data.split_first() else {
        return Err(Refusal::from(Fault::UnknownInstruction).0);
    };
    dispatch(tag, &Call { program_id, accounts, arguments }).map_err(|refusal| refusal.0)
}

fn dispatch(tag: u8, call: &Call) -> Outcome {
    if tag == EVENT_TAG {
        return events::accept(call);
    }
    match Tag::from_u8(tag).ok_or(Fault::UnknownInstruction)? {
        Tag::Initialize => instructions::initialize::process(call),
        Tag::SetOracles => instructions::set_oracles::process(call),
        Tag::SubmitPrice => instructions::submit_price::process(call),
        Tag::FundPool => instructions::fund_pool::process(call),
        Tag::BookProduct => instructions::book_product::process(call),
        Tag::Pay => instructions::pay::process(call),
        Tag::Start => instructions::start::process(call),
        Tag::Extend => instructions::extend::process(call),
        Tag::Worked => instructions::worked::process(call),
        Tag::Refund => instructions::refund::process(call),
        Tag::Repurchase => instructions::repurchase::process(call),
        Tag::Earn => instructions::earn::process(call),
        Tag::Expire => instructions::expire::process(call),
    }
}
