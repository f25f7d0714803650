//! The supply side: emission, minima, stakes, cases, roots and claims, on any books, valid or not.

use bytemuck::{Pod, Zeroable};
use ionet_rules::booking::HardwareKind;
use ionet_rules::emission::{Schedule, mintable};
use ionet_rules::epochs::{Account, Epochs, Held, MAX_VERIFIERS, Paid, Statement, Verifier};
use ionet_rules::money::{Io, Usdc};
use ionet_rules::multipliers::{Model, Multiplier};
use ionet_rules::slash::{Case, Offence, SlashParts, Verdict, divide};
use ionet_rules::stake::{Charge, Stake, minimum};
use ionet_rules::supply::{At, SupplyParams};
use ionet_rules::{RuleError, RuleResult};

use crate::calls;

/// Books after a step, and what the step returned: amounts and times in the order of the returned values, then zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Staked {
    /// The stake after the step.
    pub stake: Stake,
    /// What the step returned.
    pub returned: [u64; 3],
}

/// The epochs after a step, and what the step returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Stepped {
    /// The epochs after the step.
    pub epochs: Epochs,
    /// What the step returned.
    pub returned: [u64; 4],
}

/// A verifier after a step, and what the step returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Voted {
    /// The verifier after the step.
    pub verifier: Verifier,
    /// What the step returned.
    pub returned: u64,
}

/// Sixteen verifiers, as far as it matters who voted when for which of two statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
#[repr(C)]
pub struct Ballot {
    /// The statements.
    pub statements: [Statement; 2],
    /// Bonds.
    pub bonds: [Io; MAX_VERIFIERS],
    /// When they voted, unix seconds; 0 without a vote.
    pub voted_at_unix_secs: [i64; MAX_VERIFIERS],
    /// Which of the statements, by its lowest bit; on its way out when the next one is set.
    pub flags: [u8; MAX_VERIFIERS],
}

impl Ballot {
    #[inline(never)]
    fn fill(&self, verifiers: &mut [Verifier; MAX_VERIFIERS]) {
        for (place, verifier) in verifiers.iter_mut().enumerate() {
            verifier.key = [1; 32];
            verifier.bond = self.bonds[place];
            verifier.unbond_at_unix_secs = i64::from(self.flags[place] & 2 != 0);
            verifier.voted_at_unix_secs = self.voted_at_unix_secs[place];
            verifier.vote = self.statements[usize::from(self.flags[place] & 1)];
        }
    }
}

fn schedule(number: u64) -> RuleResult<Schedule> {
    Schedule::from_u8(u8::try_from(number).map_err(|_| RuleError::UnknownValue)?)
}

fn offence(number: u64) -> RuleResult<Offence> {
    Offence::from_u8(u8::try_from(number).map_err(|_| RuleError::UnknownValue)?)
}

fn verdict(burn: u64) -> Verdict {
    if burn == 0 { Verdict::Free } else { Verdict::Burn }
}

fn staked<const COUNT: usize>(stake: &Stake, rule: impl FnOnce(&mut Stake) -> RuleResult<[u64; COUNT]>) -> RuleResult<Staked> {
    let mut stake = *stake;
    let amounts = rule(&mut stake)?;
    let mut returned = [0; 3];
    returned[..COUNT].copy_from_slice(&amounts);
    Ok(Staked { stake, returned })
}

fn stepped<const COUNT: usize>(epochs: &Epochs, rule: impl FnOnce(&mut Epochs) -> RuleResult<[u64; COUNT]>) -> RuleResult<Stepped> {
    let mut epochs = *epochs;
    let amounts = rule(&mut epochs)?;
    let mut returned = [0; 4];
    returned[..COUNT].copy_from_slice(&amounts);
    Ok(Stepped { epochs, returned })
}

calls! {
    /// `scheduled`, `emission`, `cumulative`; schedule by its number.
    96 Emitted { schedule: u64, epoch: u64, } -> [Io; 3], |call| {
        let schedule = schedule(call.schedule)?;
        Ok([schedule.scheduled(call.epoch), schedule.emission(call.epoch), schedule.cumulative(call.epoch)])
    };
    /// `mintable`.
    97 Mintable { emission: Io, supply: Io, } -> Io, |call| Ok(mintable(call.emission, call.supply));
    /// `SupplyParams::check`.
    98 Check { params: SupplyParams, } -> [u64; 0], |call| call.params.check().map(|()| []);
    /// `check_first`, then `epochs_over` and the bounds of the last of them.
    99 Clock { params: SupplyParams, first: i64, now: i64, } -> [i64; 3], |call| {
        call.params.check_first(call.first, call.now)?;
        let over = call.params.epochs_over(call.first, call.now);
        let (begin, end) = call.params.epoch_bounds(call.first, over);
        Ok([over.cast_signed(), begin, end])
    };
    /// `stake::minimum`.
    100 Minimum { multiplier_centi: u32, processors: u32, } -> Io, |call| minimum(call.multiplier_centi, call.processors);
    /// `Model::centi` in a table of four.
    101 Centi { table: [Multiplier; 4], params: SupplyParams, number: u32, kind: u32, } -> u32, |call| {
        let kind = HardwareKind::from_u8(u8::try_from(call.kind).map_err(|_| RuleError::UnknownValue)?)?;
        Model { number: call.number as u16, kind }.centi(&call.table, &call.params)
    };
    /// `Multiplier::replace`.
    102 Replace { entry: Multiplier, new: Multiplier, listed: u64, } -> Multiplier, |call| {
        let mut entry = call.entry;
        entry.replace(&call.new, call.listed != 0).map(|()| entry)
    };
    /// `slash::divide`.
    103 Divide { amount: Io, unvested: Io, owner: Io, co: Io, } -> SlashParts, |call|
        divide(call.amount, call.unvested, call.owner, call.co);
    /// A step of the owner's stake: `deposit`, `withdraw_overflow`, `unstake`, `withdraw_unstaked`, else `counted` and `overflow`.
    104 Owner { stake: Stake, params: SupplyParams, amount: Io, minimum: Io, now: i64, step: u64, } -> Staked, |call|
        staked(&call.stake, |stake| match call.step {
            0 => stake.deposit(call.amount).map(|()| [0; 2]),
            1 => stake.withdraw_overflow(call.amount, call.minimum, call.now).map(|()| [0; 2]),
            2 => stake.unstake(call.now).map(|()| [0; 2]),
            3 => stake.withdraw_unstaked(&call.params, call.now).map(|amount| [amount.0, 0]),
            _ => Ok([stake.counted(call.now)?.0, stake.overflow(call.minimum, call.now)?.0]),
        });
    /// A step of a co-stake: `offer`, `accept`, `give_notice`, else `withdraw_co`.
    105 Co { stake: Stake, params: SupplyParams, amount: Io, minimum: Io, now: i64, share_bps: u32, step: u32, } -> Staked, |call|
        staked(&call.stake, |stake| match call.step {
            0 => stake.offer(call.amount, call.share_bps as u16).map(|()| [0]),
            1 => stake.accept(call.amount, call.share_bps as u16).map(|()| [0]),
            2 => stake.give_notice(call.minimum, &call.params, call.now).map(|()| [0]),
            _ => stake.withdraw_co(&call.params, call.now).map(|amount| [amount.0]),
        });
    /// `freeze`: the parts.
    106 Freeze { stake: Stake, params: SupplyParams, amount: Io, unvested: Io, now: i64, offence: u64, } -> Staked, |call| {
        let charge = Charge { offence: offence(call.offence)?, amount: call.amount, unvested: call.unvested };
        staked(&call.stake, |stake| {
            let parts = stake.freeze(&charge, &At { params: &call.params, now: call.now })?;
            Ok([parts.unvested.0, parts.owner.0, parts.co.0])
        })
    };
    /// `settle`.
    107 Settle { stake: Stake, case: Case, minimum: Io, now: i64, burn: u64, } -> Staked, |call|
        staked(&call.stake, |stake| stake.settle(&call.case, verdict(call.burn), call.minimum, call.now).map(|()| []));
    /// A step of a case: `appeal`, `decide` either way, else `lapse`.
    108 Judge { case: Case, params: SupplyParams, now: i64, step: u64, } -> Case, |call| {
        let mut case = call.case;
        match call.step {
            0 => case.appeal(&call.params, call.now)?,
            1 | 2 => case.decide(verdict(call.step & 2), &call.params, call.now)?,
            _ => drop(case.lapse(&call.params, call.now)?),
        }
        Ok(case)
    };
    /// A step of a verifier: `deposit`, `unbond`, `withdraw`, else its `weight`.
    109 Bonded { verifier: Verifier, params: SupplyParams, amount: Io, now: i64, step: u64, } -> Voted, |call| {
        let mut verifier = call.verifier;
        let returned = match call.step {
            0 => verifier.deposit(call.amount).map(|()| 0)?,
            1 => verifier.unbond(call.now).map(|()| 0)?,
            2 => verifier.withdraw(&call.params, call.now)?.0,
            _ => verifier.weight(&call.params),
        };
        Ok(Voted { verifier, returned })
    };
    /// `vote`.
    110 Vote { verifier: Verifier, statement: Statement, epochs: Epochs, params: SupplyParams, now: i64, } -> Voted, |call| {
        let mut verifier = call.verifier;
        verifier.vote(&call.statement, &call.epochs, &At { params: &call.params, now: call.now })?;
        Ok(Voted { verifier, returned: 0 })
    };
    /// `mint`: the epoch, the amount, then what is owed.
    111 Mint { epochs: Epochs, params: SupplyParams, supply: Io, now: i64, } -> Stepped, |call| stepped(&call.epochs, |epochs| {
        let (epoch, amount) = epochs.mint(call.supply, &At { params: &call.params, now: call.now })?;
        Ok([epoch, amount.0, epochs.owed_io()?.0])
    });
    /// `accept` of the first statement: what moves.
    112 Accept { ballot: Ballot, epochs: Epochs, params: SupplyParams, rewards: Io, payable: Io, usdc: Usdc, now: i64, } -> Stepped, |call| {
        let mut verifiers: [Verifier; MAX_VERIFIERS] = Zeroable::zeroed();
        call.ballot.fill(&mut verifiers);
        let held = Held { rewards_io: call.rewards, payable_io: call.payable, payable_usdc: call.usdc };
        stepped(&call.epochs, |epochs| {
            let at = At { params: &call.params, now: call.now };
            Ok([epochs.accept(&call.ballot.statements[0], &verifiers, &held, &at)?.0])
        })
    };
    /// `claim`: paid, and claimed in all.
    113 Claimed { epochs: Epochs, params: SupplyParams, lifetime: [u64; 2], claimed: [u64; 2], rewards: Io, usdc: Usdc, now: i64, } -> Stepped,
        |call| {
            let pay = |[io, usdc]: [u64; 2]| Paid { io: Io(io), usdc: Usdc(usdc) };
            let held = Held { rewards_io: call.rewards, payable_io: Io::ZERO, payable_usdc: call.usdc };
            let mut account = Account { lifetime: pay(call.lifetime), claimed: pay(call.claimed) };
            stepped(&call.epochs, |epochs| {
                let paid = epochs.claim(&mut account, &held, &At { params: &call.params, now: call.now })?;
                Ok([paid.io.0, paid.usdc.0, account.claimed.io.0, account.claimed.usdc.0])
            })
        };
    /// `freeze_locked`, or `settle_locked` either way.
    114 Locked { epochs: Epochs, amount: Io, step: u64, } -> Stepped, |call| stepped(&call.epochs, |epochs| {
        match call.step {
            0 => epochs.freeze_locked(call.amount)?,
            burn => epochs.settle_locked(call.amount, burn == 1)?,
        }
        Ok([])
    });
}
