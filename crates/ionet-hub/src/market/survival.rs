//! How likely devices are to serve a hire to its end.

use ionet_market::oracle::Cell;
use ionet_types::DeviceId;

/// Assumed of a device of which nothing is known, basis points, for an hour, a day, a week and a month.
const PRIOR_BPS: [u16; 4] = [9_900, 9_700, 9_000, 8_000];

/// What is predicted.
#[derive(Debug, Default)]
pub(crate) struct Survival {}

impl Survival {
    /// The chance that a device serves to the end of hires of an hour, a day, a week and a month, basis points.
    pub(crate) fn of(&self, _device: DeviceId, _cell: &Cell, _reputation: u32) -> [u16; 4] {
        PRIOR_BPS
    }
}
