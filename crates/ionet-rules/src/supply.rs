//! The parameters of the supply side and their hard bounds (docs/economy.md, sections 4 to 6). They live in the on-chain supply account.

use crate::emission::Schedule;
use crate::money::{IO_UNIT, Io, USDC_UNIT, Usdc};
use crate::slash::Offence;
use crate::{RuleError, RuleResult, stored};

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

stored! {
    /// The parameters of emission, rewards, staking and slashing. Stored on chain as these bytes.
    pub struct SupplyParams {
        /// Least bond of a verifier whose vote counts (section 5). At least 1 IO.
        pub min_bond: Io,
        /// IO that may be claimed in an hour however little the vault holds (section 5).
        pub breaker_floor_io: Io,
        /// USDC, likewise.
        pub breaker_floor_usdc: Usdc,
        /// Length of an epoch, seconds (section 4). 5 s to 24 h; an hour but for demonstrations.
        pub epoch_secs: u32,
        /// How long an agreed root waits before it counts, seconds (section 5). At most half an epoch.
        pub challenge_window_secs: u32,
        /// How long unstaking takes, seconds (section 6). 1 to 60 days.
        pub unstake_secs: u32,
        /// Notice before a co-staker's unstaking, seconds (section 6). At most 30 days.
        pub notice_secs: u32,
        /// Time for an appeal, seconds (section 6). 7 to 90 days.
        pub appeal_secs: u32,
        /// Time for the decision on an appeal, seconds; without one the case is freed. 7 to 365 days.
        pub decision_secs: u32,
        /// Continuous uptime before a nomination, seconds (section 5). At most 7 days.
        pub uptime_min_secs: u32,
        /// How long locked rewards vest, seconds (section 3). At most two years.
        pub vesting_secs: u32,
        /// Availability's part of the emission, basis points; the rest is for compute (section 4).
        pub availability_bps: u16,
        /// GPU suppliers' part of each, basis points; the rest is for CPU suppliers (section 4).
        pub gpu_bps: u16,
        /// Bonus b for taking tokens, basis points (section 3). At most 2.
        pub bonus_bps: u16,
        /// Multiplier of a CPU device without a listed model, hundredths (section 5). At most 10.
        pub cpu_multiplier_centi: u16,
        /// Part of a vault that may be claimed in an hour, basis points (section 5). At least 1 %.
        pub breaker_bps: u16,
        /// Most that one case may take of a device's stake, basis points, by [`Offence`] (section 6).
        pub offence_bps: [u16; Offence::COUNT],
        /// Most that all cases of a month may take of it, basis points (section 6).
        pub slash_month_bps: u16,
        /// [`Schedule`].
        pub schedule: u8,
        /// Unused, zero.
        pub reserved: [u8; 5],
    }
}

const _: () = assert!(size_of::<SupplyParams>() == 80);

/// The moment of a step: the parameters in force, and the time.
#[derive(Clone, Copy, Debug)]
pub struct At<'a> {
    /// The parameters.
    pub params: &'a SupplyParams,
    /// Now, unix seconds.
    pub now: i64,
}

impl SupplyParams {
    /// The decided values of docs/economy.md.
    pub const DEFAULT: Self = Self {
        min_bond: Io(10_000 * IO_UNIT),
        breaker_floor_io: Io(50_000 * IO_UNIT),
        breaker_floor_usdc: Usdc(50_000 * USDC_UNIT),
        epoch_secs: HOUR,
        challenge_window_secs: HOUR / 4,
        unstake_secs: 14 * DAY,
        notice_secs: 7 * DAY,
        appeal_secs: 30 * DAY,
        decision_secs: 60 * DAY,
        uptime_min_secs: 5 * HOUR,
        vesting_secs: 180 * DAY,
        availability_bps: 7_000,
        gpu_bps: 8_000,
        bonus_bps: 5_000,
        cpu_multiplier_centi: 10,
        breaker_bps: 2_500,
        offence_bps: [5_000, 1_000, 2_500],
        slash_month_bps: 5_000,
        schedule: Schedule::Constant as u8,
        reserved: [0; 5],
    };

    /// The decided values with another length of epoch, for demonstrations: what is counted in epochs stays the same number of them.
    pub const fn with_epoch_secs(epoch_secs: u32) -> Self {
        Self {
            epoch_secs,
            challenge_window_secs: epoch_secs / 4,
            uptime_min_secs: epoch_secs.saturating_mul(Self::DEFAULT.uptime_min_secs / Self::DEFAULT.epoch_secs),
            ..Self::DEFAULT
        }
    }

    /// Refuses a value outside its hard bounds. Every field is named, so that a new one cannot be forgotten.
    pub fn check(&self) -> RuleResult<()> {
        let Self {
            min_bond,
            breaker_floor_io: _,
            breaker_floor_usdc: _,
            epoch_secs,
            challenge_window_secs,
            unstake_secs,
            notice_secs,
            appeal_secs,
            decision_secs,
            uptime_min_secs,
            vesting_secs,
            availability_bps,
            gpu_bps,
            bonus_bps,
            cpu_multiplier_centi,
            breaker_bps,
            offence_bps,
            slash_month_bps,
            schedule,
            reserved,
        } = *self;
        let inside = min_bond.0 >= IO_UNIT
            && (5..=DAY).contains(&epoch_secs)
            && challenge_window_secs <= epoch_secs / 2
            && (DAY..=60 * DAY).contains(&unstake_secs)
            && notice_secs <= 30 * DAY
            && (7 * DAY..=90 * DAY).contains(&appeal_secs)
            && (7 * DAY..=365 * DAY).contains(&decision_secs)
            && uptime_min_secs <= 7 * DAY
            && vesting_secs <= 730 * DAY
            && availability_bps <= 10_000
            && gpu_bps <= 10_000
            && bonus_bps <= 20_000
            && cpu_multiplier_centi <= 1_000
            && (100..=10_000).contains(&breaker_bps)
            && offence_bps.iter().all(|bps| *bps <= 10_000)
            && slash_month_bps <= 10_000
            && Schedule::from_u8(schedule).is_ok()
            && reserved == [0; 5];
        if inside { Ok(()) } else { Err(RuleError::ParamOutOfBounds) }
    }

    /// The emission schedule.
    pub fn schedule(&self) -> RuleResult<Schedule> {
        Schedule::from_u8(self.schedule)
    }

    /// Refuses a first epoch that begins more than an epoch ago or more than thirty days ahead, unix seconds.
    pub fn check_first(&self, first_unix_secs: i64, now: i64) -> RuleResult<()> {
        let earliest = now.saturating_sub(i64::from(self.epoch_secs));
        let latest = now.saturating_add(i64::from(30 * DAY));
        if (earliest..=latest).contains(&first_unix_secs) { Ok(()) } else { Err(RuleError::ParamOutOfBounds) }
    }

    /// Epochs that are over at `now`, counted from the network's first second; 0 before the first is over.
    pub fn epochs_over(&self, first_unix_secs: i64, now: i64) -> u64 {
        let since = u64::try_from(now.saturating_sub(first_unix_secs)).unwrap_or(0);
        since.checked_div(u64::from(self.epoch_secs)).unwrap_or(0)
    }

    /// When epoch `n`, from 1, begins and ends, unix seconds.
    pub fn epoch_bounds(&self, first_unix_secs: i64, epoch: u64) -> (i64, i64) {
        let at = |epochs: u64| {
            let secs = epochs.saturating_mul(u64::from(self.epoch_secs));
            first_unix_secs.saturating_add(i64::try_from(secs).unwrap_or(i64::MAX))
        };
        (at(epoch.saturating_sub(1)), at(epoch))
    }
}
