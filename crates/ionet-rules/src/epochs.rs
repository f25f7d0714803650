//! The network's epochs on chain (docs/economy.md, sections 4 and 5): what was minted, which root of lifetime totals counts, and how fast it
//! may be claimed.
//!
//! A root says what every beneficiary has earned in its life. Verifiers vote for statements of such roots; one counts once two thirds of
//! their bonded weight have stood behind it for the challenge window, and never promises more than the vaults hold.

use crate::emission;
use crate::money::{BPS, Io, Usdc};
use crate::supply::{At, SupplyParams};
use crate::{RuleError, RuleResult, stored};

/// Most verifiers of a network.
pub const MAX_VERIFIERS: usize = 16;
/// Length of the circuit breaker's window, seconds.
pub const BREAKER_SECS: i64 = 3_600;

stored! {
    /// What verifiers say an epoch's end looks like. All amounts are lifetime totals.
    pub struct Statement {
        /// The epoch, from 1.
        pub epoch: u64,
        /// Root over (beneficiary, lifetime IO, lifetime USDC).
        pub root: [u8; 32],
        /// SHA-256 of the published allocation file.
        pub file: [u8; 32],
        /// Sum of all lifetime IO in the tree.
        pub total_io: Io,
        /// Sum of all lifetime USDC in the tree.
        pub total_usdc: Usdc,
        /// Part of `total_io` that is worked value paid in IO: comes from the payable vault, not from the mint.
        pub work_io: Io,
        /// IO that is earned and still locked: in no leaf yet.
        pub locked_io: Io,
    }
    /// A verifier of the network.
    pub struct Verifier {
        /// Its key; zero for an empty place.
        pub key: [u8; 32],
        /// Its bond: its weight.
        pub bond: Io,
        /// When it began to take its bond out, unix seconds; 0 while it stays.
        pub unbond_at_unix_secs: i64,
        /// When it cast its vote, unix seconds; 0 without one.
        pub voted_at_unix_secs: i64,
        /// What it votes for.
        pub vote: Statement,
    }
    /// The circuit breaker: what may still be claimed in the present hour.
    pub struct Breaker {
        /// When the window began, unix seconds.
        pub began_at_unix_secs: i64,
        /// IO left.
        pub io_left: Io,
        /// USDC left.
        pub usdc_left: Usdc,
    }
    /// What was minted, what counts, what was claimed.
    pub struct Epochs {
        /// Beginning of epoch 1, unix seconds.
        pub first_unix_secs: i64,
        /// Epochs minted.
        pub minted: u64,
        /// IO minted for them.
        pub emitted: Io,
        /// When the accepted root was accepted, unix seconds; 0 before the first.
        pub accepted_at_unix_secs: i64,
        /// The root that counts; epoch 0 before the first.
        pub accepted: Statement,
        /// IO claimed by everybody so far.
        pub claimed_io: Io,
        /// USDC claimed by everybody so far.
        pub claimed_usdc: Usdc,
        /// Locked IO that was burned by cases.
        pub burned_io: Io,
        /// Locked IO that cases have frozen.
        pub frozen_io: Io,
        /// The circuit breaker.
        pub breaker: Breaker,
    }
}

const _: () = assert!(size_of::<Statement>() == 104);
const _: () = assert!(size_of::<Verifier>() == 160);

/// What a claim pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paid {
    /// IO.
    pub io: Io,
    /// USDC.
    pub usdc: Usdc,
}

/// A beneficiary's account with the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Account {
    /// What it has earned in its life, by the accepted root.
    pub lifetime: Paid,
    /// What it has claimed.
    pub claimed: Paid,
}

impl Verifier {
    /// Its weight: its bond, when it is at least the minimum and not on its way out.
    pub fn weight(&self, params: &SupplyParams) -> u64 {
        if self.unbond_at_unix_secs == 0 && self.bond >= params.min_bond { self.bond.0 } else { 0 }
    }

    /// It adds to its bond. What it voted for it must say again, with its new weight.
    pub fn deposit(&mut self, amount: Io) -> RuleResult<()> {
        if amount.is_zero() {
            return Err(RuleError::ZeroAmount);
        }
        if self.unbond_at_unix_secs != 0 {
            return Err(RuleError::Unstaking);
        }
        self.bond = self.bond.plus(amount)?;
        self.forget_vote();
        Ok(())
    }

    /// It begins to take its bond out, for good; its vote no longer counts.
    pub fn unbond(&mut self, now: i64) -> RuleResult<()> {
        if self.unbond_at_unix_secs != 0 {
            return Err(RuleError::Unstaking);
        }
        if self.bond.is_zero() {
            return Err(RuleError::NothingStaked);
        }
        self.unbond_at_unix_secs = now.max(1);
        self.forget_vote();
        Ok(())
    }

    /// After the wait it takes its bond. It may bond again.
    pub fn withdraw(&mut self, params: &SupplyParams, now: i64) -> RuleResult<Io> {
        if self.unbond_at_unix_secs == 0 {
            return Err(RuleError::NotUnstaking);
        }
        if now < self.unbond_at_unix_secs.saturating_add(i64::from(params.unstake_secs)) {
            return Err(RuleError::WaitNotOver);
        }
        let amount = self.bond;
        self.bond = Io::ZERO;
        self.unbond_at_unix_secs = 0;
        Ok(amount)
    }

    /// It votes. A vote for the same statement keeps its time; another one replaces it.
    pub fn vote(&mut self, statement: &Statement, epochs: &Epochs, at: &At) -> RuleResult<()> {
        if self.weight(at.params) == 0 {
            return Err(RuleError::NotBonded);
        }
        epochs.follows(statement)?;
        if self.voted_at_unix_secs != 0 && self.vote == *statement {
            return Err(RuleError::VotedAlready);
        }
        self.vote = *statement;
        self.voted_at_unix_secs = at.now.max(1);
        Ok(())
    }

    /// What it votes for.
    pub const fn voted(&self) -> RuleResult<&Statement> {
        if self.voted_at_unix_secs == 0 { Err(RuleError::NoVote) } else { Ok(&self.vote) }
    }

    /// Its vote no longer counts.
    pub fn forget_vote(&mut self) {
        self.voted_at_unix_secs = 0;
        self.vote = bytemuck::Zeroable::zeroed();
    }

    /// Whether it votes for this statement.
    pub fn supports(&self, statement: &Statement) -> bool {
        self.voted_at_unix_secs != 0 && self.vote == *statement
    }
}

/// Since when two thirds of the bonded weight have stood behind a statement, unix seconds.
pub fn agreed_since(statement: &Statement, verifiers: &[Verifier], params: &SupplyParams) -> RuleResult<i64> {
    let weigh = |wanted: &dyn Fn(&Verifier) -> bool| -> u128 {
        verifiers.iter().filter(|verifier| wanted(verifier)).map(|verifier| u128::from(verifier.weight(params))).sum()
    };
    let all = weigh(&|_| true);
    let mut since: Option<i64> = None;
    for at in verifiers.iter().filter(|verifier| verifier.supports(statement)).map(|verifier| verifier.voted_at_unix_secs) {
        let by_then = weigh(&|verifier| verifier.supports(statement) && verifier.voted_at_unix_secs <= at);
        // Sums of at most 16 amounts of 64 bits: three times one fits in 128.
        if all != 0 && by_then.saturating_mul(3) >= all.saturating_mul(2) {
            since = Some(since.map_or(at, |since| since.min(at)));
        }
    }
    since.ok_or(RuleError::NotAgreed)
}

impl Epochs {
    /// Mints for the next epoch, once its time is over: returns its number and what is minted. `supply` is what exists before.
    pub fn mint(&mut self, supply: Io, at: &At) -> RuleResult<(u64, Io)> {
        if self.minted >= at.params.epochs_over(self.first_unix_secs, at.now) {
            return Err(RuleError::EpochNotOver);
        }
        let epoch = self.minted.checked_add(1).ok_or(RuleError::Overflow)?;
        let amount = emission::mintable(at.params.schedule()?.emission(epoch), supply);
        self.emitted = self.emitted.plus(amount)?;
        self.minted = epoch;
        Ok((epoch, amount))
    }

    /// Whether a statement may follow the accepted one: later, minted, and never taking back what was promised.
    pub fn follows(&self, statement: &Statement) -> RuleResult<()> {
        if statement.epoch <= self.accepted.epoch || statement.epoch > self.minted {
            return Err(RuleError::WrongEpoch);
        }
        let grows = statement.total_io >= self.accepted.total_io
            && statement.total_usdc >= self.accepted.total_usdc
            && statement.work_io >= self.accepted.work_io
            && statement.total_io >= statement.work_io;
        // What is not worked value must have been minted.
        let minted = statement.total_io.plus(statement.locked_io)?.plus(self.burned_io)? <= self.emitted.plus(statement.work_io)?;
        if grows && minted && statement.locked_io >= self.frozen_io { Ok(()) } else { Err(RuleError::StatementUnsound) }
    }

    /// Accepts a statement that two thirds of `verifiers` stand behind and that was not challenged in time. Returns the IO that is to move from
    /// the payable vault to the rewards.
    pub fn accept(&mut self, statement: &Statement, verifiers: &[Verifier; MAX_VERIFIERS], held: &Held, at: &At) -> RuleResult<Io> {
        self.follows(statement)?;
        let since = agreed_since(statement, verifiers, at.params)?;
        if at.now < since.saturating_add(i64::from(at.params.challenge_window_secs)) {
            return Err(RuleError::ChallengeWindowOpen);
        }
        let moved = statement.work_io.minus(self.accepted.work_io)?;
        let owed_io = statement.total_io.minus(self.claimed_io)?.plus(statement.locked_io)?;
        let owed_usdc = statement.total_usdc.minus(self.claimed_usdc)?;
        if moved > held.payable_io || owed_io > held.rewards_io.plus(moved)? || owed_usdc > held.payable_usdc {
            return Err(RuleError::StatementUnsound);
        }
        self.accepted = *statement;
        self.accepted_at_unix_secs = at.now;
        Ok(moved)
    }

    /// IO that the rewards vault owes: promised and not claimed, or locked.
    pub fn owed_io(&self) -> RuleResult<Io> {
        self.accepted.total_io.minus(self.claimed_io)?.plus(self.accepted.locked_io)
    }

    /// Pays a beneficiary what its lifetime totals say beyond what it has claimed, as far as the circuit breaker lets it; the rest stays
    /// claimable. The account's claimed totals grow by what is returned.
    pub fn claim(&mut self, account: &mut Account, held: &Held, at: &At) -> RuleResult<Paid> {
        let Account { lifetime, claimed } = *account;
        let due = Paid { io: lifetime.io.minus(claimed.io)?, usdc: lifetime.usdc.minus(claimed.usdc)? };
        if due.io.is_zero() && due.usdc.is_zero() {
            return Err(RuleError::NothingToClaim);
        }
        let mut breaker = self.breaker;
        if at.now.saturating_sub(breaker.began_at_unix_secs) >= BREAKER_SECS {
            breaker = Breaker {
                began_at_unix_secs: at.now,
                io_left: Io(part(held.rewards_io.0, at.params.breaker_bps)).max(at.params.breaker_floor_io),
                usdc_left: Usdc(part(held.payable_usdc.0, at.params.breaker_bps)).max(at.params.breaker_floor_usdc),
            };
        }
        let paid = Paid { io: due.io.min(breaker.io_left), usdc: due.usdc.min(breaker.usdc_left) };
        if paid.io.is_zero() && paid.usdc.is_zero() {
            return Err(RuleError::BreakerOpen);
        }
        breaker.io_left = breaker.io_left.minus(paid.io)?;
        breaker.usdc_left = breaker.usdc_left.minus(paid.usdc)?;
        let all = Paid { io: self.claimed_io.plus(paid.io)?, usdc: self.claimed_usdc.plus(paid.usdc)? };
        if all.io > self.accepted.total_io || all.usdc > self.accepted.total_usdc {
            return Err(RuleError::BooksDoNotBalance);
        }
        account.claimed = Paid { io: claimed.io.plus(paid.io)?, usdc: claimed.usdc.plus(paid.usdc)? };
        (self.breaker, self.claimed_io, self.claimed_usdc) = (breaker, all.io, all.usdc);
        Ok(paid)
    }

    /// USDC that the payable vault owes by the accepted root: promised and not claimed.
    pub fn owed_usdc(&self) -> RuleResult<Usdc> {
        self.accepted.total_usdc.minus(self.claimed_usdc)
    }

    /// Locked rewards that no case has frozen: more than that no device can have.
    pub fn locked_free(&self) -> RuleResult<Io> {
        self.accepted.locked_io.minus(self.frozen_io)
    }

    /// A case freezes locked rewards.
    pub fn freeze_locked(&mut self, amount: Io) -> RuleResult<()> {
        let frozen = self.frozen_io.plus(amount)?;
        if frozen > self.accepted.locked_io {
            return Err(RuleError::SlashTooLarge);
        }
        self.frozen_io = frozen;
        Ok(())
    }

    /// A case that froze locked rewards came to its end; burned ones leave the vault.
    pub fn settle_locked(&mut self, amount: Io, burn: bool) -> RuleResult<()> {
        self.frozen_io = self.frozen_io.minus(amount)?;
        if burn {
            self.burned_io = self.burned_io.plus(amount)?;
            self.accepted.locked_io = self.accepted.locked_io.minus(amount)?;
        }
        Ok(())
    }
}

/// At most the whole in basis points of an amount, rounded down: what `share_down` says, without its 128 bits, which cost a claim on chain
/// more than all else that is computed for it.
fn part(amount: u64, bps: u16) -> u64 {
    let bps = u64::from(bps).min(BPS);
    let (tens, rest) = (amount / BPS, amount % BPS);
    // With at most ten thousand basis points neither product nor sum exceeds the amount, but for the rest's, which is below 10^8.
    tens.wrapping_mul(bps).wrapping_add(rest.wrapping_mul(bps) / BPS)
}

/// What the vaults hold before a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The rewards vault.
    pub rewards_io: Io,
    /// The IO payable vault.
    pub payable_io: Io,
    /// The USDC payable vault.
    pub payable_usdc: Usdc,
}
