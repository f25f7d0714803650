//! One device's stake (docs/economy.md, section 6): the owner's part, a co-staker's part, what cases have frozen, and the ways out.
//!
//! [`Stake`] is stored on chain as these bytes. Each step is a method that checks the rule, changes a copy and commits at the end; it returns
//! what is to be moved. Money that is on its way out (unstaking, a co-staker's cool-down) no longer counts towards the minimum, but can
//! still be frozen by a case until it has left.

use crate::money::{IO_UNIT, Io, mul_div_up};
use crate::slash::{self, Case, MONTH_SECS, Offence, SlashParts, Verdict};
use crate::supply::{At, SupplyParams};
use crate::{RuleError, RuleResult, stored};

/// Minimum stake of one processor at a multiplier of at most one, base units of IO.
pub const MINIMUM_PER_PROCESSOR: Io = Io(200 * IO_UNIT);
/// Hundredths in a multiplier of one.
pub const CENTI: u64 = 100;
/// Most processors of one device.
pub const MAX_PROCESSORS: u32 = 4_096;
/// Basis points of a co-staker's share of the block rewards: above zero, at most all.
const SHARE_BPS: core::ops::RangeInclusive<u16> = 1..=10_000;

/// Minimum stake of a device: `200 IO * max(1, multiplier) * processors`.
pub fn minimum(multiplier_centi: u32, processors: u32) -> RuleResult<Io> {
    if processors == 0 || processors > MAX_PROCESSORS {
        return Err(RuleError::ProcessorsOutOfRange);
    }
    let each = mul_div_up(MINIMUM_PER_PROCESSOR.0, u64::from(multiplier_centi).max(CENTI), CENTI)?;
    each.checked_mul(u64::from(processors)).map(Io).ok_or(RuleError::Overflow)
}

/// Where a co-stake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CoStatus {
    /// No offer, no co-staker.
    None,
    /// The owner offers a share.
    Offered,
    /// A co-staker has accepted.
    Active,
    /// Notice was given: still counts, earns no more.
    Notice,
    /// Cool-down: neither counts nor earns, waits to be withdrawn.
    Cooling,
}

impl CoStatus {
    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Offered => "offered",
            Self::Active => "active",
            Self::Notice => "notice",
            Self::Cooling => "cooling",
        }
    }
}

/// What a case asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The offence.
    pub offence: Offence,
    /// What it is to take in all.
    pub amount: Io,
    /// Rewards of the device that are still locked.
    pub unvested: Io,
}

stored! {
    /// What is staked on one device.
    pub struct Stake {
        /// The owner's stake, frozen part included.
        pub owner: Io,
        /// The co-staker's stake, frozen part included.
        pub co: Io,
        /// Part of `owner` that cases have frozen.
        pub owner_frozen: Io,
        /// Part of `co` that cases have frozen.
        pub co_frozen: Io,
        /// All that was burned of this device's stake, ever.
        pub burned: Io,
        /// Most that the owner asks of a co-staker; 0 without an offer.
        pub offer_max: Io,
        /// What the stake was when the present month of cases began: base of its bound.
        pub month_base: Io,
        /// What the cases of that month have frozen or burned.
        pub month_taken: Io,
        /// When that month began, unix seconds; 0 for never.
        pub month_started_at_unix_secs: i64,
        /// When the owner began to unstake, unix seconds; 0 when not.
        pub unstake_at_unix_secs: i64,
        /// When the co-staker's cool-down begins or began, unix seconds; 0 while it stays.
        pub co_cooling_at_unix_secs: i64,
        /// The co-staker's share of the device's block rewards, basis points: offered, then locked.
        pub co_share_bps: u16,
        /// Unused, zero.
        pub reserved: [u16; 3],
    }
}

const _: () = assert!(size_of::<Stake>() == 11 * 8 + 8);

impl Stake {
    /// What counts towards the minimum at `now`. Frozen stake counts: an accusation alone costs nobody its nomination.
    pub fn counted(&self, now: i64) -> RuleResult<Io> {
        if self.is_unstaking() {
            return Ok(Io::ZERO);
        }
        let co = match self.co_status(now) {
            CoStatus::Active | CoStatus::Notice => self.co,
            CoStatus::None | CoStatus::Offered | CoStatus::Cooling => Io::ZERO,
        };
        self.owner.plus(co)
    }

    /// Whether the owner is on its way out.
    pub const fn is_unstaking(&self) -> bool {
        self.unstake_at_unix_secs != 0
    }

    /// Where the co-stake stands.
    pub const fn co_status(&self, now: i64) -> CoStatus {
        if self.co.is_zero() {
            if self.offer_max.is_zero() { CoStatus::None } else { CoStatus::Offered }
        } else if self.co_cooling_at_unix_secs == 0 {
            CoStatus::Active
        } else if now < self.co_cooling_at_unix_secs {
            CoStatus::Notice
        } else {
            CoStatus::Cooling
        }
    }

    /// When the owner may withdraw all, unix seconds; `None` when not unstaking.
    pub fn unstaked_at_unix_secs(&self, params: &SupplyParams) -> Option<i64> {
        self.is_unstaking().then(|| self.unstake_at_unix_secs.saturating_add(i64::from(params.unstake_secs)))
    }

    /// When the co-staker may withdraw, unix seconds; `None` while it stays.
    pub fn co_withdraw_at_unix_secs(&self, params: &SupplyParams) -> Option<i64> {
        (self.co_cooling_at_unix_secs != 0).then(|| self.co_cooling_at_unix_secs.saturating_add(i64::from(params.unstake_secs)))
    }

    /// The owner stakes or tops up.
    pub fn deposit(&mut self, amount: Io) -> RuleResult<()> {
        let mut next = *self;
        if amount.is_zero() {
            return Err(RuleError::ZeroAmount);
        }
        if self.is_unstaking() {
            return Err(RuleError::Unstaking);
        }
        next.owner = self.owner.plus(amount)?;
        self.commit(next)
    }

    /// What the owner could withdraw at once: what exceeds the minimum, the co-staker's half and what is frozen.
    pub fn overflow(&self, minimum: Io, now: i64) -> RuleResult<Io> {
        if self.is_unstaking() {
            return Ok(Io::ZERO);
        }
        let others = self.counted(now)?.minus(self.owner)?;
        let needed = minimum.0.saturating_sub(others.0).max(others.0).max(self.owner_frozen.0);
        Ok(Io(self.owner.0.saturating_sub(needed)))
    }

    /// The owner withdraws what exceeds the minimum.
    pub fn withdraw_overflow(&mut self, amount: Io, minimum: Io, now: i64) -> RuleResult<()> {
        let mut next = *self;
        if amount.is_zero() {
            return Err(RuleError::ZeroAmount);
        }
        if self.is_unstaking() {
            return Err(RuleError::Unstaking);
        }
        if amount > self.overflow(minimum, now)? {
            return Err(RuleError::StakeNeeded);
        }
        next.owner = self.owner.minus(amount)?;
        self.commit(next)
    }

    /// The owner begins to unstake, for good; a co-staker's cool-down begins with it. That the device is not hired is for the network to
    /// confirm.
    pub fn unstake(&mut self, now: i64) -> RuleResult<()> {
        let mut next = *self;
        if self.is_unstaking() {
            return Err(RuleError::Unstaking);
        }
        if self.owner.is_zero() {
            return Err(RuleError::NothingStaked);
        }
        next.unstake_at_unix_secs = now.max(1);
        if self.co.is_zero() {
            next.co_share_bps = 0;
        }
        next.offer_max = Io::ZERO;
        next.cool_down(now);
        self.commit(next)
    }

    /// After the wait: all that is not frozen. With the last of it the device can be staked anew.
    pub fn withdraw_unstaked(&mut self, params: &SupplyParams, now: i64) -> RuleResult<Io> {
        let mut next = *self;
        let until = self.unstaked_at_unix_secs(params).ok_or(RuleError::NotUnstaking)?;
        if now < until {
            return Err(RuleError::WaitNotOver);
        }
        let amount = self.owner.minus(self.owner_frozen)?;
        if amount.is_zero() && !self.owner.is_zero() {
            return Err(RuleError::StakeFrozen);
        }
        next.owner = self.owner_frozen;
        if next.owner.is_zero() {
            next.unstake_at_unix_secs = 0;
        }
        self.commit(next)?;
        Ok(amount)
    }

    /// The owner offers up to `max` of co-stake for a share of the block rewards, or takes the offer back (`max` zero). Not while there is a
    /// co-staker: its terms are locked.
    pub fn offer(&mut self, max: Io, share_bps: u16) -> RuleResult<()> {
        let mut next = *self;
        if !self.co.is_zero() {
            return Err(RuleError::CoStakeTaken);
        }
        if self.is_unstaking() {
            return Err(RuleError::Unstaking);
        }
        if !max.is_zero() && !SHARE_BPS.contains(&share_bps) {
            return Err(RuleError::ShareOutOfRange);
        }
        next.offer_max = max;
        next.co_share_bps = if max.is_zero() { 0 } else { share_bps };
        self.commit(next)
    }

    /// A co-staker accepts the terms it was shown; at most half of the stake may be its.
    pub fn accept(&mut self, amount: Io, share_bps: u16) -> RuleResult<()> {
        let mut next = *self;
        if !self.co.is_zero() {
            return Err(RuleError::CoStakeTaken);
        }
        if self.offer_max.is_zero() || share_bps != self.co_share_bps {
            return Err(RuleError::NoSuchOffer);
        }
        if amount.is_zero() {
            return Err(RuleError::ZeroAmount);
        }
        if amount > self.offer_max || amount > self.owner {
            return Err(RuleError::CoStakeTooLarge);
        }
        next.co = amount;
        next.offer_max = Io::ZERO;
        self.commit(next)
    }

    /// Either side gives notice; when the owner's own part is below half of the minimum the cool-down begins at once.
    pub fn give_notice(&mut self, minimum: Io, params: &SupplyParams, now: i64) -> RuleResult<()> {
        let mut next = *self;
        match self.co_status(now) {
            CoStatus::None | CoStatus::Offered => return Err(RuleError::NoCoStake),
            CoStatus::Cooling => return Err(RuleError::NoticeGiven),
            CoStatus::Notice if !self.owner_below(minimum) => return Err(RuleError::NoticeGiven),
            CoStatus::Notice => next.cool_down(now),
            CoStatus::Active if self.owner_below(minimum) => next.cool_down(now),
            CoStatus::Active => next.co_cooling_at_unix_secs = now.saturating_add(i64::from(params.notice_secs)).max(1),
        }
        self.commit(next)
    }

    /// Whether the owner's part is below its half of the minimum, which ends a co-stake.
    pub const fn owner_below(&self, minimum: Io) -> bool {
        self.owner.0 < minimum.0.div_ceil(2)
    }

    /// After notice and cool-down: all of the co-staker's that is not frozen.
    pub fn withdraw_co(&mut self, params: &SupplyParams, now: i64) -> RuleResult<Io> {
        let mut next = *self;
        if self.co.is_zero() {
            return Err(RuleError::NoCoStake);
        }
        let until = self.co_withdraw_at_unix_secs(params).ok_or(RuleError::NotUnstaking)?;
        if now < until {
            return Err(RuleError::WaitNotOver);
        }
        let amount = self.co.minus(self.co_frozen)?;
        if amount.is_zero() {
            return Err(RuleError::StakeFrozen);
        }
        next.co = self.co_frozen;
        next.forget_co();
        self.commit(next)?;
        Ok(amount)
    }

    /// The most that a case may freeze now: the offence's bound, the month's, and what there is.
    pub fn slashable(&self, offence: Offence, unvested: Io, at: &At) -> RuleResult<Io> {
        let (base, taken) = self.month(at.now)?;
        let free = self.owner.minus(self.owner_frozen)?.plus(self.co.minus(self.co_frozen)?)?;
        let one = self.owner.plus(self.co)?.plus(unvested)?.share_down(at.params.offence_bps[offence as usize])?;
        let month = base.plus(unvested)?.share_down(at.params.slash_month_bps)?;
        Ok(one.min(Io(month.0.saturating_sub(taken.0))).min(free.plus(unvested)?))
    }

    /// A case freezes what it asks for, of the unvested rewards and the stake.
    pub fn freeze(&mut self, charge: &Charge, at: &At) -> RuleResult<SlashParts> {
        let Charge { offence, amount, unvested } = *charge;
        let mut next = *self;
        if amount.is_zero() {
            return Err(RuleError::ZeroAmount);
        }
        if amount > self.slashable(offence, unvested, at)? {
            return Err(RuleError::SlashTooLarge);
        }
        let owner_free = self.owner.minus(self.owner_frozen)?;
        let co_free = self.co.minus(self.co_frozen)?;
        let parts = slash::divide(amount, unvested, owner_free, co_free)?;
        let (base, taken) = self.month(at.now)?;
        if self.month_is_over(at.now) {
            next.month_started_at_unix_secs = at.now;
        }
        next.month_base = base;
        next.month_taken = taken.plus(amount)?;
        next.owner_frozen = self.owner_frozen.plus(parts.owner)?;
        next.co_frozen = self.co_frozen.plus(parts.co)?;
        self.commit(next)?;
        Ok(parts)
    }

    /// A case came to its end: what it froze is burned or free again.
    pub fn settle(&mut self, case: &Case, verdict: Verdict, minimum: Io, now: i64) -> RuleResult<()> {
        let parts = &case.parts;
        let mut next = *self;
        next.owner_frozen = self.owner_frozen.minus(parts.owner)?;
        next.co_frozen = self.co_frozen.minus(parts.co)?;
        match verdict {
            Verdict::Free => {
                if case.opened_at_unix_secs >= self.month_started_at_unix_secs {
                    next.month_taken = Io(self.month_taken.0.saturating_sub(parts.total()?.0));
                }
            }
            Verdict::Burn => {
                next.owner = self.owner.minus(parts.owner)?;
                next.co = self.co.minus(parts.co)?;
                next.burned = self.burned.plus(parts.stake()?)?;
                if next.owner_below(minimum) {
                    next.cool_down(now);
                }
                next.forget_co();
                if next.owner.is_zero() {
                    next.unstake_at_unix_secs = 0;
                }
            }
        }
        self.commit(next)
    }

    /// The present month's base and what was taken in it; a new month when the last is over.
    fn month(&self, now: i64) -> RuleResult<(Io, Io)> {
        if self.month_is_over(now) { Ok((self.owner.plus(self.co)?, Io::ZERO)) } else { Ok((self.month_base, self.month_taken)) }
    }

    const fn month_is_over(&self, now: i64) -> bool {
        self.month_started_at_unix_secs == 0 || now.saturating_sub(self.month_started_at_unix_secs) >= MONTH_SECS
    }

    /// The co-staker's cool-down begins, unless it has.
    fn cool_down(&mut self, now: i64) {
        if !self.co.is_zero() && (self.co_cooling_at_unix_secs == 0 || now < self.co_cooling_at_unix_secs) {
            self.co_cooling_at_unix_secs = now.max(1);
        }
    }

    /// With the last of a co-stake its terms are gone.
    const fn forget_co(&mut self) {
        if self.co.is_zero() {
            self.co_cooling_at_unix_secs = 0;
            if self.offer_max.is_zero() {
                self.co_share_bps = 0;
            }
        }
    }

    fn commit(&mut self, next: Self) -> RuleResult<()> {
        next.check()?;
        *self = next;
        Ok(())
    }

    /// The invariant, checked after every step.
    pub fn check(&self) -> RuleResult<()> {
        let has_co = !self.co.is_zero();
        let sound = self.owner.plus(self.co).is_ok()
            && self.owner_frozen <= self.owner
            && self.co_frozen <= self.co
            && (!has_co || self.offer_max.is_zero())
            && (has_co || self.co_cooling_at_unix_secs == 0)
            && (self.co_share_bps == 0 || SHARE_BPS.contains(&self.co_share_bps))
            && ((has_co || !self.offer_max.is_zero()) == (self.co_share_bps != 0))
            && (!self.is_unstaking() || !self.owner.is_zero())
            && self.reserved == [0; 3];
        if sound { Ok(()) } else { Err(RuleError::BooksDoNotBalance) }
    }
}
