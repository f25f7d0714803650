//! The reputation of a device (docs/economy.md, section 8): what it did lately, good and bad, as a number from 0 to 1,000.
//!
//! Everything that counts is worth points, which are halved every half-life. With `G` the good points left and `B` the bad ones,
//!
//! `score = 500 + 500 * G / (G + 1,000) - 500 * B / (B + 1,000)`, each quotient rounded down.
//!
//! So a device begins at [`NEUTRAL`], in the middle: a name is cheap, and a new one is worth less than one that has worked and more than
//! one that has failed. What is good never lowers the score and what is bad never raises it, now or later; neither can buy the other off
//! without end, and both are forgotten.
//!
//! The half-life is cut into [`STEPS`] steps on the clock's own grid, at which all points decay. So it makes no difference how often or in
//! which order things are told within a step, and a history gives one score, bit for bit. A thing that is told late counts as much less.

use crate::rewards::P_ONE;
use crate::{RuleError, RuleResult, stored};

/// Highest score.
pub const HIGHEST: u32 = 1_000;
/// Score of a device without a past.
pub const NEUTRAL: u32 = 500;
/// Steps in which points are halved.
pub const STEPS: i64 = 32;

/// Millionths in a point.
const POINT: u64 = 1_000_000;
/// Points at which half of what can be won, or lost, is reached.
const HALF_WAY: u128 = 1_000 * POINT as u128;
/// A passed test with a `P` of one.
const PASSED_TEST: u64 = POINT;
/// A minute of work for a tenant.
const WORKED_MINUTE: u64 = POINT / 10;
/// A wrong, late or missing answer to a test.
const FAILED_TEST: u64 = 20 * POINT;
/// A tenant's node that the device lost.
const FAILED_JOB: u64 = 100 * POINT;
/// A second in which the hub saw it away.
const DOWN_SECOND: u64 = POINT / 50;
/// A slash that was burned.
const SLASHED: u64 = 3_000 * POINT;
/// Two to the power of -1/32, in units of 2^-64: what a step leaves.
const STEP_LEAVES: u128 = 18_051_468_387_014_017_850;

/// Bounds of the half-life: a day and a year, seconds.
pub const HALF_LIFE_SECS: core::ops::RangeInclusive<u32> = 24 * 3_600..=365 * 24 * 3_600;

/// What the network chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Params {
    /// After so many seconds what was done counts half.
    half_life_secs: u32,
}

impl Params {
    /// Thirty days.
    pub const DEFAULT: Self = Self { half_life_secs: 30 * 24 * 3_600 };

    /// A half-life within [`HALF_LIFE_SECS`].
    pub fn new(half_life_secs: u32) -> RuleResult<Self> {
        if HALF_LIFE_SECS.contains(&half_life_secs) { Ok(Self { half_life_secs }) } else { Err(RuleError::ParamOutOfBounds) }
    }

    /// The half-life, seconds.
    pub const fn half_life_secs(self) -> u32 {
        self.half_life_secs
    }

    /// The step that a moment lies in.
    fn step(self, unix_secs: i64) -> i64 {
        // The least half-life is a day, so a step is never shorter than 2,700 seconds.
        unix_secs.div_euclid(i64::from(self.half_life_secs).wrapping_div(STEPS).max(1))
    }
}

/// Something that a device did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It passed a test.
    TestPassed {
        /// How well, millionths; more than one counts as one.
        p_millionths: u32,
    },
    /// It worked for a tenant to the end.
    JobFinished {
        /// For so many minutes.
        minutes: u32,
    },
    /// It answered a test wrongly, late or not at all.
    TestFailed,
    /// It lost a tenant's node.
    JobFailed,
    /// The hub watched, and it was away.
    Down {
        /// For so many seconds.
        secs: u32,
    },
    /// A case against it ended with a burn.
    Slashed,
}

/// A kind of thing that counts. The numbers are places in [`Reputation::points`] and stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// Passed tests.
    TestsPassed = 0,
    /// Finished work.
    JobsFinished = 1,
    /// Failed tests.
    TestsFailed = 2,
    /// Lost nodes.
    JobsFailed = 3,
    /// Time away.
    Downtime = 4,
    /// Slashes.
    Slashes = 5,
}

impl Kind {
    /// How many there are.
    pub const COUNT: usize = 6;
    /// How many of them, the first ones, are good.
    const GOOD: usize = 2;
    /// All of them, in order.
    pub const ALL: [Self; Self::COUNT] =
        [Self::TestsPassed, Self::JobsFinished, Self::TestsFailed, Self::JobsFailed, Self::Downtime, Self::Slashes];

    /// Whether it raises the score.
    pub const fn is_good(self) -> bool {
        (self as usize) < Self::GOOD
    }

    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::TestsPassed => "tests_passed",
            Self::JobsFinished => "jobs_finished",
            Self::TestsFailed => "tests_failed",
            Self::JobsFailed => "jobs_failed",
            Self::Downtime => "downtime",
            Self::Slashes => "slashes",
        }
    }
}

impl Event {
    /// Its kind, and what it is worth in millionths of a point.
    pub const fn worth(self) -> (Kind, u64) {
        match self {
            Self::TestPassed { p_millionths } => {
                let p = if p_millionths > P_ONE { P_ONE } else { p_millionths };
                (Kind::TestsPassed, (p as u64).saturating_mul(PASSED_TEST / POINT))
            }
            Self::JobFinished { minutes } => (Kind::JobsFinished, (minutes as u64).saturating_mul(WORKED_MINUTE)),
            Self::TestFailed => (Kind::TestsFailed, FAILED_TEST),
            Self::JobFailed => (Kind::JobsFailed, FAILED_JOB),
            Self::Down { secs } => (Kind::Downtime, (secs as u64).saturating_mul(DOWN_SECOND)),
            Self::Slashed => (Kind::Slashes, SLASHED),
        }
    }
}

stored! {
    /// What is kept of a device's past.
    pub struct Reputation {
        /// The moment for which the points hold, unix seconds.
        pub at_unix_secs: i64,
        /// Points left of each kind, millionths.
        pub points: [u64; Kind::COUNT],
    }
}

/// A score and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What each kind adds to [`NEUTRAL`], or takes from it, in the order of [`Kind::ALL`].
    pub contributions: [i32; Kind::COUNT],
}

impl Explanation {
    /// The score: [`NEUTRAL`] and all contributions.
    pub fn score(&self) -> u32 {
        let sum = self.contributions.iter().fold(0i32, |sum, one| sum.saturating_add(*one));
        NEUTRAL.saturating_add_signed(sum).min(HIGHEST)
    }

    /// What a kind adds or takes.
    pub const fn of(&self, kind: Kind) -> i32 {
        self.contributions[kind as usize]
    }
}

impl Reputation {
    /// No past.
    pub const NEW: Self = Self { at_unix_secs: i64::MIN, points: [0; Kind::COUNT] };

    /// A whole history, in any order; [`Reputation::record`] says what lateness costs.
    pub fn of(history: impl IntoIterator<Item = (i64, Event)>, params: Params) -> Self {
        let mut this = Self::NEW;
        for (unix_secs, event) in history {
            this.record(unix_secs, event, params);
        }
        this
    }

    /// Counts what a device did at a moment. What is told after something later was told counts as much as is left of it by then.
    pub fn record(&mut self, unix_secs: i64, event: Event, params: Params) {
        let (kind, worth) = event.worth();
        let late_steps = params.step(self.at_unix_secs).saturating_sub(params.step(unix_secs));
        if unix_secs > self.at_unix_secs {
            *self = self.at(unix_secs, params);
        }
        let points = &mut self.points[kind as usize];
        *points = points.saturating_add(decayed(worth, late_steps));
    }

    /// The same past, seen from a later moment; from an earlier one it looks as it does now.
    #[must_use]
    pub fn at(&self, unix_secs: i64, params: Params) -> Self {
        let steps = params.step(unix_secs).saturating_sub(params.step(self.at_unix_secs));
        Self { at_unix_secs: self.at_unix_secs.max(unix_secs), points: self.points.map(|points| decayed(points, steps)) }
    }

    /// The score at a moment, from 0 to [`HIGHEST`].
    pub fn score(&self, now_unix_secs: i64, params: Params) -> u32 {
        self.explain(now_unix_secs, params).score()
    }

    /// The score at a moment and where it comes from.
    pub fn explain(&self, now_unix_secs: i64, params: Params) -> Explanation {
        let points = self.at(now_unix_secs, params).points;
        let (good, bad) = points.split_at(Kind::GOOD);
        let mut contributions = [0; Kind::COUNT];
        let (raised, lowered) = contributions.split_at_mut(Kind::GOOD);
        share(good, HIGHEST.saturating_sub(NEUTRAL), raised);
        share(bad, NEUTRAL, lowered);
        for one in lowered {
            *one = one.saturating_neg();
        }
        Explanation { contributions }
    }
}

/// Divides `most * sum / (sum + HALF_WAY)`, rounded down, by the points of each kind: each gets what the running total gains by it, so the
/// parts sum to the whole.
fn share(points: &[u64], most: u32, parts: &mut [i32]) {
    let sum = points.iter().fold(0u128, |sum, one| sum.saturating_add(u128::from(*one)));
    // At most four kinds of at most 2^64 each: the sum is below 2^67, and its product with 500 below 2^76.
    let whole = u128::from(most).saturating_mul(sum).checked_div(sum.saturating_add(HALF_WAY)).unwrap_or(0);
    let (mut running, mut given) = (0u128, 0u128);
    for (part, one) in parts.iter_mut().zip(points) {
        running = running.saturating_add(u128::from(*one));
        let due = whole.saturating_mul(running).checked_div(sum).unwrap_or(0);
        *part = i32::try_from(due.saturating_sub(given)).unwrap_or(i32::MAX);
        given = due;
    }
}

/// What is left of points after so many steps. Each step rounds down, so nothing lasts for ever: 64 bits are gone after some 2,000 steps.
fn decayed(points: u64, steps: i64) -> u64 {
    let mut left = points;
    let mut steps = steps;
    while steps > 0 && left > 0 {
        // A product of two values below 2^64, shifted back: below 2^64 again, and less than before.
        left = u64::try_from(u128::from(left).saturating_mul(STEP_LEAVES) >> 64).unwrap_or(left);
        steps = steps.saturating_sub(1);
    }
    left
}
