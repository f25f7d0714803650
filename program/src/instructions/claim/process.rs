//! Pays what the accepted root says a beneficiary has earned in its life and it has not claimed, to its payout wallet.

use ionet_abi::accounts::{ClaimAccount, EpochsAccount};
use ionet_abi::events::supply::ClaimRecord;
use ionet_abi::faults::Fault;
use ionet_abi::instructions::supply::ClaimArgs;
use ionet_abi::merkle;
use ionet_rules::RuleError;
use ionet_rules::epochs::{Account, Held, Paid};
use ionet_rules::money::{Io, Usdc};
use ionet_rules::supply::At;

use super::accounts::Claim;
use crate::call::Call;
use crate::clock;
use crate::proof;
use crate::refusal::Outcome;
use crate::tokens;

/// Pays.
#[inline(never)]
pub(crate) fn process(call: &Call) -> Outcome {
    let (ClaimArgs { io, usdc }, hashes) = ClaimArgs::split(call.arguments).ok_or(Fault::MalformedData)?;
    let Claim { network, supply, epochs, beneficiary: claim, mut io_rewards, mut usdc_payable, io_destination, usdc_destination } =
        Claim::check(call)?;
    let now = clock::unix_secs()?;

    let root = proof::root(&merkle::leaf(claim.address().as_array(), io, usdc), hashes);
    let held = Held { rewards_io: Io(io_rewards.holds()), payable_io: Io::ZERO, payable_usdc: Usdc(usdc_payable.holds()) };
    let at = At { params: &supply.params, now };
    let ((paid, owed), stamp) = claim.step(|claim: &mut ClaimAccount| {
        let mut account = Account {
            lifetime: Paid { io: Io(io), usdc: Usdc(usdc) },
            claimed: Paid { io: Io(claim.claimed_io), usdc: Usdc(claim.claimed_usdc) },
        };
        let result = epochs.change(|epochs: &mut EpochsAccount| {
            let book = &mut epochs.book;
            if book.accepted.epoch == 0 || book.accepted.root != root {
                return Err(RuleError::WrongProof.into());
            }
            let paid = book.claim(&mut account, &held, &at)?;
            Ok((paid, Paid { io: book.owed_io()?, usdc: book.owed_usdc()? }))
        })?;
        (claim.claimed_io, claim.claimed_usdc) = (account.claimed.io.0, account.claimed.usdc.0);
        Ok(result)
    })?;

    let claim = claim.read()?;
    if !paid.io.is_zero() {
        tokens::check_account(io_destination, &network.io_mint, &claim.payout)?;
        io_rewards.send(io_destination, &network, paid.io.0)?;
    }
    if !paid.usdc.is_zero() {
        tokens::check_account(usdc_destination, &network.usdc_mint, &claim.payout)?;
        usdc_payable.send(usdc_destination, &network, paid.usdc.0)?;
    }
    io_rewards.settle(owed.io.0)?;
    usdc_payable.settle(owed.usdc.0)?;
    let record = ClaimRecord {
        device: claim.device,
        payout: claim.payout,
        io: paid.io.0,
        usdc: paid.usdc.0,
        claimed_io: claim.claimed_io,
        claimed_usdc: claim.claimed_usdc,
    };
    stamp.emit(&network, now, &record)
}
