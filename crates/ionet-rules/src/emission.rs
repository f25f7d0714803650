//! How much IO an epoch emits (docs/economy.md, section 4): from the epoch's number alone, in integers and bounded time.
//!
//! The schedule is stated as a running total: what epoch `n` emits is the total after it less the total before it, so rounding never adds
//! up and the whole is exact. Each total is a closed form; nothing is summed.

#![expect(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "fixed-point arithmetic whose bounds are stated beside each step and tested over all epochs"
)]

use crate::money::{IO_UNIT, Io};
use crate::{RuleError, RuleResult};

/// IO that exists when a network begins, base units.
pub const INITIAL_SUPPLY: Io = Io(500_000_000 * IO_UNIT);
/// IO that may ever be minted, the initial supply included, base units.
pub const SUPPLY_CAP: Io = Io(800_000_000 * IO_UNIT);
/// Hourly epochs in the constant schedule: twenty years.
pub const EPOCHS: u64 = 175_319;

/// All that the constant schedule emits, base units.
const CONSTANT_TOTAL: u64 = 300_000_000 * IO_UNIT;
/// The hourly fall q, in units of 10^-19: 1.38869523959793e-5.
const FALL: u128 = 138_869_523_959_793;
/// One, in the unit of [`FALL`].
const FALL_UNIT: u128 = 10_000_000_000_000_000_000;
/// First epoch's emission is `FIRST / 8760` base units: 8 % of the initial supply over a year of hours.
const FIRST: u128 = INITIAL_SUPPLY.0 as u128 * 8 / 100;
const HOURS_PER_YEAR: u128 = 8_760;

/// All that the halving schedule emits, base units.
const HALVING_TOTAL: u128 = 22_300_000 * IO_UNIT as u128;
/// Hourly epochs between two halvings: two years.
const HALVING_EPOCHS: u64 = 2 * 8_760;
/// Halvings after which nothing is left that could be counted.
const HALVINGS: u64 = 64;

/// Which schedule a network emits by; chosen when it is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Schedule {
    /// 300,000,000 IO over 175,319 epochs, falling by 1.38869523959793e-5 an epoch.
    Constant = 0,
    /// 22,300,000 IO, the hourly emission halved every two years.
    Halving = 1,
}

impl Schedule {
    /// The schedule stored as this byte.
    pub const fn from_u8(byte: u8) -> RuleResult<Self> {
        match byte {
            0 => Ok(Self::Constant),
            1 => Ok(Self::Halving),
            _ => Err(RuleError::UnknownValue),
        }
    }

    /// The stable name on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Constant => "constant",
            Self::Halving => "halving",
        }
    }

    /// What the schedule names for epoch `n`, from 1, before the total is clamped: the published rows.
    pub fn scheduled(self, epoch: u64) -> Io {
        let Some(before) = epoch.checked_sub(1) else { return Io::ZERO };
        Io(self.unclamped(epoch).saturating_sub(self.unclamped(before)))
    }

    /// All that is emitted up to and with epoch `n`; never more than the schedule's total.
    pub fn cumulative(self, epoch: u64) -> Io {
        let total = match self {
            Self::Constant => CONSTANT_TOTAL,
            // Two factors far below 64 bits.
            Self::Halving => HALVING_TOTAL as u64,
        };
        Io(self.unclamped(epoch).min(total))
    }

    /// What epoch `n` emits: the scheduled amount, less what would exceed the total.
    pub fn emission(self, epoch: u64) -> Io {
        let Some(before) = epoch.checked_sub(1) else { return Io::ZERO };
        Io(self.cumulative(epoch).0.saturating_sub(self.cumulative(before).0))
    }

    fn unclamped(self, epoch: u64) -> u64 {
        match self {
            Self::Constant => constant(epoch.min(EPOCHS)),
            Self::Halving => halving(epoch),
        }
    }
}

/// What may be minted for an epoch when `supply` exists: never beyond the cap.
pub const fn mintable(emission: Io, supply: Io) -> Io {
    let room = SUPPLY_CAP.0.saturating_sub(supply.0);
    if emission.0 < room { emission } else { Io(room) }
}

/// Powers `(1 - q)^(2^k)` as fractions of 2^128, computed when this is compiled.
const POWERS: [u128; 18] = {
    let mut powers = [0; 18];
    powers[0] = fraction(FALL_UNIT - FALL, FALL_UNIT);
    let mut k = 1;
    while k < powers.len() {
        powers[k] = high_product(powers[k - 1], powers[k - 1]);
        k += 1;
    }
    powers
};

/// `FIRST / 8760 / q`, what would be emitted in infinite time, in units of 2^-64 base units.
const LIMIT: u128 = {
    // FIRST * 10^19 / (8760 * FALL): below 2^56, so 64 fractional bits fit.
    let divisor = HOURS_PER_YEAR * FALL;
    let dividend = FIRST * FALL_UNIT;
    let whole = dividend / divisor;
    assert!(whole < 1 << 56);
    (whole << 64) | (fraction(dividend % divisor, divisor) >> 64)
};

/// `FIRST / 8760 * (1 - (1-q)^n) / q`, rounded down.
fn constant(epoch: u64) -> u64 {
    let mut power = u128::MAX;
    for (k, factor) in POWERS.iter().enumerate() {
        if epoch >> k & 1 != 0 {
            power = high_product(power, *factor);
        }
    }
    // `u128::MAX` stands for one; the last of 128 fractional bits is far below a base unit.
    let emitted = high_product(LIMIT, u128::MAX.wrapping_sub(power));
    (emitted >> 64) as u64
}

/// Half of the total is emitted evenly in the first two years, half of the rest in the next two, and so on; rounded down.
fn halving(epoch: u64) -> u64 {
    let period = epoch / HALVING_EPOCHS;
    if period >= HALVINGS {
        return HALVING_TOTAL as u64;
    }
    // After p periods 1 / 2^p of the total is left; the present one emits half of that, evenly.
    let within = u128::from(epoch % HALVING_EPOCHS);
    let twice = 2 * u128::from(HALVING_EPOCHS);
    let left = HALVING_TOTAL * (twice - within);
    let kept = left.div_ceil(twice << period);
    HALVING_TOTAL.saturating_sub(kept) as u64
}

/// `numerator / denominator` below one, as a fraction of 2^128, rounded down. Both below 2^127.
const fn fraction(numerator: u128, denominator: u128) -> u128 {
    assert!(numerator < denominator && denominator < 1 << 127);
    let mut rest = numerator;
    let mut bits = 0;
    let mut place = 0;
    while place < 128 {
        rest <<= 1;
        bits <<= 1;
        if rest >= denominator {
            rest -= denominator;
            bits |= 1;
        }
        place += 1;
    }
    bits
}

/// The upper 128 bits of a product of two 128-bit numbers.
const fn high_product(a: u128, b: u128) -> u128 {
    const LOW: u128 = u64::MAX as u128;
    let (a1, a0) = (a >> 64, a & LOW);
    let (b1, b0) = (b >> 64, b & LOW);
    // Each partial product is at most (2^64 - 1)^2, so adding two 64-bit numbers to it cannot overflow.
    let middle = a1 * b0 + ((a0 * b0) >> 64);
    let other = a0 * b1 + (middle & LOW);
    a1 * b1 + (middle >> 64) + (other >> 64)
}
