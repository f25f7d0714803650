//! The on-chain program. One `match` on the first byte leads to one folder per instruction:
//!
//! - `accounts.rs` checks every account, in a fixed order (see [`checks`]), and hands on only what was checked;
//! - `process.rs` asks one rule of `ionet-rules`, moves exactly the tokens the rule returned, and commits: vaults checked against the
//!   books, the account that changed written, its record emitted.
//!
//! Layouts, account lists and argument types are those of `ionet-abi`. No heap, no logs, no floats.
#![no_std]

mod call;
mod checks;
mod clock;
mod events;
mod instructions;
mod proof;
mod refusal;
mod state;
mod tokens;

use ionet_abi::events::EVENT_TAG;
use ionet_abi::events::supply::SUPPLY_EVENT_TAG;
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
    match Tag::from_u8(tag) {
        Some(Tag::Initialize) => instructions::initialize::process(call),
        Some(Tag::SetOracles) => instructions::set_oracles::process(call),
        Some(Tag::SubmitPrice) => instructions::submit_price::process(call),
        Some(Tag::FundPool) => instructions::fund_pool::process(call),
        Some(Tag::BookProduct) => instructions::book_product::process(call),
        Some(Tag::Pay) => instructions::pay::process(call),
        Some(Tag::Start) => instructions::start::process(call),
        Some(Tag::Extend) => instructions::extend::process(call),
        Some(Tag::Worked) => instructions::worked::process(call),
        Some(Tag::Refund) => instructions::refund::process(call),
        Some(Tag::Repurchase) => instructions::repurchase::process(call),
        Some(Tag::Earn) => instructions::earn::process(call),
        Some(Tag::Expire) => instructions::expire::process(call),
        Some(tag) => dispatch_supply(tag, call),
        None if tag == SUPPLY_EVENT_TAG => events::accept(call),
        None => Err(Fault::UnknownInstruction.into()),
    }
}

/// The supply side apart, so that a step of a cluster's life does not pay for its length.
#[inline(never)]
fn dispatch_supply(tag: Tag, call: &Call) -> Outcome {
    match tag {
        Tag::InitializeSupply => instructions::initialize_supply::process(call),
        Tag::SetMultipliers => instructions::set_multipliers::process(call),
        Tag::AdmitVerifier => instructions::admit_verifier::process(call),
        Tag::Bond => instructions::bond::process(call),
        Tag::Unbond => instructions::unbond::process(call),
        Tag::WithdrawBond => instructions::withdraw_bond::process(call),
        Tag::MintEpoch => instructions::mint_epoch::process(call),
        Tag::PostRoot => instructions::post_root::process(call),
        Tag::AcceptRoot => instructions::accept_root::process(call),
        Tag::StrikeRoot => instructions::strike_root::process(call),
        Tag::RegisterDevice => instructions::register_device::process(call),
        Tag::SetPayout => instructions::set_payout::process(call),
        Tag::Stake => instructions::stake::process(call),
        Tag::WithdrawStake => instructions::withdraw_stake::process(call),
        Tag::Unstake => instructions::unstake::process(call),
        Tag::OfferCoStake => instructions::offer_co_stake::process(call),
        Tag::AcceptCoStake => instructions::accept_co_stake::process(call),
        Tag::EndCoStake => instructions::end_co_stake::process(call),
        Tag::WithdrawCoStake => instructions::withdraw_co_stake::process(call),
        Tag::OpenCase => instructions::open_case::process(call),
        Tag::AppealCase => instructions::appeal_case::process(call),
        Tag::DecideCase => instructions::decide_case::process(call),
        Tag::LapseCase => instructions::lapse_case::process(call),
        Tag::Claim => instructions::claim::process(call),
        _ => Err(Fault::UnknownInstruction.into()),
    }
}
