//! How a price moves: towards its target, by a bounded step at each full minute.
//!
//! At every minute of the clock the price moves by a 240th of what is left to the target, and by at most 0.08134 % of itself. Sixty such
//! steps are at most 5 % up and less than 5 % down, and any hour holds exactly sixty full minutes: so the bound holds for each hour, wherever
//! it begins. Because only full minutes move the price, it does not matter how often anybody asks or tells.

use serde::{Deserialize, Serialize};

/// The most that a price moves within any hour, basis points.
pub const STEP_PER_HOUR_BPS: u64 = 500;
/// The most that it moves in a minute, billionths of itself: the sixtieth root of 1.05, rounded down.
const STEP_PPB: u128 = 813_400;
/// What is left to the target shrinks by one part in this many a minute: a time constant of four hours. Slow enough for demand to follow
/// the price, so that the two do not chase each other.
const APPROACH: u64 = 240;
/// Seconds in a minute.
const MINUTE_SECS: i64 = 60;

/// The full minute that a moment lies in.
pub(crate) fn minute_of(unix_secs: i64) -> i64 {
    unix_secs.div_euclid(MINUTE_SECS)
}

/// A price on its way, billionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Walk {
    nano: u64,
    target_nano: u64,
    minute: i64,
}

impl Walk {
    /// A price that begins where its target is, or elsewhere.
    pub(crate) fn new(nano: u64, target_nano: u64, minute: i64) -> Self {
        Self { nano, target_nano, minute }
    }

    /// The price at the beginning of a minute; before what is known, what is known first.
    pub(crate) fn at(&self, minute: i64) -> u64 {
        let mut nano = self.nano;
        let mut left = minute.saturating_sub(self.minute);
        // It reaches its target in a bounded number of steps, so a long absence costs no more than a short one.
        while left > 0 && nano != self.target_nano {
            nano = step(nano, self.target_nano);
            left -= 1;
        }
        nano
    }

    /// Moves on to this minute, and towards `target_nano` from then on. Time that runs backwards moves nothing.
    pub(crate) fn aim(&mut self, target_nano: u64, minute: i64) {
        self.nano = self.at(minute);
        self.minute = self.minute.max(minute);
        self.target_nano = target_nano;
    }
}

fn step(nano: u64, target_nano: u64) -> u64 {
    let gap = nano.abs_diff(target_nano);
    // At least one: a price too small for the share to be counted would otherwise never move.
    let most = u64::try_from(u128::from(nano) * STEP_PPB / 1_000_000_000).expect("less than a thousandth of a u64").max(1);
    let by = gap.div_ceil(APPROACH).min(most);
    if nano < target_nano { nano + by } else { nano - by }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Prices for which a step is not rounded to nothing: from a tenth of a cent per hour.
    const PRICES: std::ops::RangeInclusive<u64> = 1_000_000..=100_000_000_000_000_000;

    #[test]
    fn sixty_steps_are_five_per_cent_at_most() {
        let up = Walk::new(1_000_000_000_000, u64::MAX, 0).at(60);
        assert!((1_049_900_000_000..=1_050_000_000_000).contains(&up), "{up}");
        let down = Walk::new(1_000_000_000_000, 0, 0).at(60);
        assert!((950_000_000_000..=953_000_000_000).contains(&down), "{down}");
    }

    proptest! {
        /// Whatever targets are set at whatever moments, no hour moves the price by more than the bound.
        #[test]
        fn any_hour_is_bounded(start in PRICES, calls in prop::collection::vec((0_i64..90, any::<u64>()), 1..40)) {
            let mut walk = Walk::new(start, start, 0);
            let mut path = vec![(0_i64, start)];
            let mut minute = 0;
            for (after, target) in calls {
                for passed in 1..=after {
                    path.push((minute + passed, walk.at(minute + passed)));
                }
                minute += after;
                walk.aim(target, minute);
                prop_assert_eq!(walk.at(minute), path.last().unwrap().1);
            }
            for (index, &(from, before)) in path.iter().enumerate() {
                for &(_, after) in path[index..].iter().take_while(|(to, _)| to - from <= 60) {
                    let (before, after) = (u128::from(before), u128::from(after));
                    // A price of almost nothing moves by whole billionths: 60 of them at most.
                    prop_assert!(after * 10_000 <= before * u128::from(10_000 + STEP_PER_HOUR_BPS) + 600_000);
                    prop_assert!(after * 10_000 + 600_000 >= before * u128::from(10_000 - STEP_PER_HOUR_BPS));
                }
            }
        }

        /// To be told the same again, at any moments, changes nothing.
        #[test]
        fn how_often_it_is_told_does_not_matter(start in PRICES, target in PRICES, mut calls in prop::collection::vec(0_i64..5_000, 0..50)) {
            let once = Walk::new(start, target, 0);
            let mut often = once;
            calls.sort_unstable();
            for minute in calls {
                often.aim(target, minute);
                prop_assert_eq!(often.at(minute), once.at(minute));
            }
            prop_assert_eq!(often.at(5_000), once.at(5_000));
        }

        /// A higher price, or a higher target, is never overtaken by a lower one.
        #[test]
        fn order_is_kept(low in PRICES, above in 0_u64..1_000_000_000, target in PRICES, target_above: u32, minutes in 0_i64..500) {
            let lower = Walk::new(low, target, 0).at(minutes);
            let higher = Walk::new(low + above, target + u64::from(target_above), 0).at(minutes);
            prop_assert!(lower <= higher);
        }

        /// It comes closer each minute, never jumps over the target, and gets there.
        #[test]
        fn it_arrives(start in 1_000_000_000_u64..1_000_000_000_000, factor in 10_u64..1_000, minutes in 0_i64..3_000) {
            let target = start / 100 * factor;
            let walk = Walk::new(start, target, 0);
            prop_assert!(walk.at(minutes + 1).abs_diff(target) <= walk.at(minutes).abs_diff(target));
            prop_assert_eq!(walk.at(minutes) > target, start > target && walk.at(minutes) != target);
            prop_assert_eq!(walk.at(20_000), target);
            prop_assert_eq!(walk.at(i64::MAX), target);
        }

        #[test]
        fn no_state_is_too_strange(nano: u64, target: u64, from: i64, to: i64) {
            let mut walk = Walk::new(nano, target, from);
            walk.aim(nano, to);
            let _ = walk.at(i64::MAX);
        }
    }
}
