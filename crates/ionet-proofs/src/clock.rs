//! The clock job: a chain of steps, each of which needs the one before it and none of which can be shortened, but which is walked backwards
//! about seventy times faster than forwards.
//!
//! One step is a square root in the field of `p = 2^127 - 1` (125 squarings, one after the other, and one more to see which root it is) and a
//! flip of some bits, without which the exponents of many steps could be added up (this is the idea of Lenstra's and Wesolowski's *sloth*).
//! A step backwards is the flip and one squaring. So the verifier walks all of the chain back to its start and nothing is left to chance:
//! a chain that was cut into pieces for several processors does not arrive.
//!
//! What is measured is the time of a squaring: three multiplications of 64 bits and the additions that follow from them. How many cycles that
//! takes differs between processors by about a fifth, so the clock it gives is an approximation. [`CYCLES_PER_STEP`] is what an Intel Sapphire
//! Rapids takes (2,280 measured), rounded down, so that such a processor is not taken for faster than it is.

use crate::binding::Seed;

/// The field.
const PRIME: u128 = (1 << 127) - 1;
/// What is flipped between two roots: an arbitrary number without structure (the fraction of the golden ratio).
const FLIP: u128 = 0x1e37_79b9_7f4a_7c15_f39c_c060_5ced_c834;
/// Squarings of one root.
const SQUARINGS: u32 = 125;
/// Processor cycles that one step takes.
pub const CYCLES_PER_STEP: u64 = 2_250;

/// Where the chain of a task begins.
pub fn start(seed: &Seed) -> u128 {
    let [low @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = seed.key("clock start");
    canonical(u128::from_le_bytes(low) & PRIME)
}

/// One step forwards. `state` is below `p`, as every state is.
pub fn step(state: u128) -> u128 {
    let mut root = state;
    for _ in 0..SQUARINGS {
        root = square(root);
    }
    let root = canonical(root);
    // `p = 3 mod 4`: of a number and its negative exactly one is a square. Its even root stands for the one, its odd root for the other.
    let odd_wanted = u128::from(canonical(square(root)) != state);
    flip(negate_if((root & 1) ^ odd_wanted, root))
}

/// One step backwards.
pub fn step_back(state: u128) -> u128 {
    let root = flip(state);
    canonical(negate_if(root & 1, canonical(square(root))))
}

/// Whether `steps` steps lead from the task's start to `end`: all of them, backwards.
pub fn is_end(seed: &Seed, steps: u32, end: u128) -> bool {
    end < PRIME && (0..steps).fold(end, |state, _| step_back(state)) == start(seed)
}

/// Its own inverse on the field's numbers.
fn flip(state: u128) -> u128 {
    let flipped = state ^ FLIP;
    if flipped >= PRIME { state } else { flipped }
}

/// The negative if `yes` is one, without a branch that nobody could foresee; the negative of zero comes out as [`PRIME`].
fn negate_if(yes: u128, value: u128) -> u128 {
    // All bits of the prime are ones, so taking from it is flipping.
    value ^ (0u128.wrapping_sub(yes) & PRIME)
}

/// Below [`PRIME`]; `value` is at most [`LOOSE`].
fn canonical(value: u128) -> u128 {
    debug_assert!(value <= LOOSE);
    if value >= PRIME { value - PRIME } else { value }
}

/// Largest number that stands for one of the field between squarings.
const LOOSE: u128 = PRIME + 5;

/// The square, at most [`LOOSE`]; `value` likewise.
#[inline]
fn square(value: u128) -> u128 {
    // value = low + high * 2^64, and 2^127 = 1 in the field: value^2 = low^2 + 2 low high 2^64 + 2 high^2.
    let (low, high) = (value & u128::from(u64::MAX), value >> 64);
    let (low_square, high_square, mixed) = (low.wrapping_mul(low), high.wrapping_mul(high), low.wrapping_mul(high) << 1);
    // The upper half of the mixed term stands for 2^128 = 2. `high` is at most 2^63, so this sum is below 2^127 + 2^66.
    let small = (high_square << 1).wrapping_add((mixed >> 64) << 1);
    let (sum, carry) = low_square.overflowing_add(mixed << 64);
    let (sum, second) = sum.overflowing_add(small);
    let carries = u128::from(u8::from(carry) + u8::from(second)) << 1;
    (sum & PRIME).wrapping_add(sum >> 127).wrapping_add(carries)
}

#[cfg(test)]
mod tests {
    use ionet_types::agent::challenge::{ClockJob, Fixed, Job, Task};
    use proptest::prelude::*;

    use super::*;

    /// Squares by adding and doubling.
    fn plain_square(value: u128) -> u128 {
        let add = |one: u128, other: u128| if one >= PRIME - other { one - (PRIME - other) } else { one + other };
        let (mut sum, mut addend, mut rest) = (0, canonical(value), value);
        while rest > 0 {
            if rest & 1 == 1 {
                sum = add(sum, addend);
            }
            addend = add(addend, addend);
            rest >>= 1;
        }
        sum
    }

    proptest! {
        #[test]
        fn squares_are_squares(value in 0..=LOOSE) {
            prop_assert_eq!(canonical(square(value)), plain_square(value));
            prop_assert!(square(value) <= LOOSE);
        }

        #[test]
        fn every_step_can_be_taken_back(state in 0..PRIME) {
            prop_assert_eq!(step_back(step(state)), state);
            prop_assert_eq!(step(step_back(state)), state);
            prop_assert!(step(state) < PRIME && step_back(state) < PRIME);
        }
    }

    #[test]
    fn the_ends_of_the_field_are_no_exception() {
        for value in (PRIME - 5..=LOOSE).chain([1 << 127, (1 << 127) - (1 << 64), (1 << 126) - 1]) {
            assert_eq!(canonical(square(value)), plain_square(value));
            assert!(square(value) <= LOOSE);
        }
        for state in [0, 1, 2, PRIME - 1, PRIME - 2, PRIME ^ FLIP, FLIP, 1 << 126, u128::from(u64::MAX), 1 << 64] {
            assert_eq!(canonical(square(state)), plain_square(state));
            assert_eq!(step_back(step(state)), state);
            assert_eq!(step(step_back(state)), state);
        }
    }

    #[test]
    fn only_the_whole_chain_arrives() {
        let task = Task { id: Fixed([1; 16]), epoch: 1, nonce: Fixed([2; 32]), job: Job::Clock(ClockJob { steps: 50 }) };
        let seed = Seed::new("network", &[3; 32], &task);
        let end = (0..50).fold(start(&seed), |state, _| step(state));
        assert!(is_end(&seed, 50, end));
        assert!(!is_end(&seed, 51, end) && !is_end(&seed, 49, end));
        assert!(!is_end(&seed, 50, end ^ 2) && !is_end(&seed, 50, end + PRIME), "one end has one spelling");
        assert!(!is_end(&Seed::new("network", &[4; 32], &task), 50, end), "another device's chain is another one");
    }
}
