//! What a device earns in an epoch (docs/economy.md, sections 3, 4 and 5): who is nominated, what a device weighs, and how an epoch's
//! emission is divided.
//!
//! The parameters are [`SupplyParams`](crate::supply::SupplyParams). Fixed-point units: multipliers in hundredths, base scores in tenths of a point, `P` in millionths. All divisions round down; what they
//! leave stays in the pot and is carried over by whoever adds up the epoch.

pub mod checks;
pub mod compute;
pub mod pots;
pub mod score;
pub mod tier;

pub use checks::{Check, CheckCode, CheckSet, EndFacts, NominationFacts, Reason, Standing, at_end, nomination};
pub use compute::{ComputeReward, compute_credits, compute_weight, lock_multiplier_bps, split_compute_reward, vested, work_shares};
pub use pots::{Pot, Pots, share, split_emission, split_with_co_staker};
pub use score::{Measurement, P_ONE, base_score, mean_p, normalised_score, test_p, weight};
pub use tier::Tier;
