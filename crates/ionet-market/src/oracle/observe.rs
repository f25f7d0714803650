//! What the oracle sees of the network: of each cell, how much is offered, how much of it is hired, and for how little.

use std::collections::BTreeMap;

use ionet_types::MicroUsd;

use super::cell::Cell;
use super::curve::{PRIOR_MILLI, WHOLE_BPS};

/// How much of a cell's supply must be offered at a price for it to be a market price, basis points.
pub const SUPPLY_SHARE_BPS: u64 = 7_500;

/// One device's part in its cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supply {
    /// Thousandths of a GPU that it offers, hired or not. A CPU device offers 1,000.
    pub offered_milli: u32,
    /// Thousandths of them that are hired; what is above `offered_milli` does not count.
    pub hired_milli: u32,
    /// The lowest price that its supplier has fixed in money, per GPU-hour ([`crate::strategy::Strategy::fixed`]). A floor that follows the
    /// market does not belong here: prices that follow each other go nowhere but up.
    pub floor: MicroUsd,
}

/// All devices of one cell together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Tally {
    offered_milli: u64,
    hired_milli: u64,
    /// Thousandths of a GPU that are offered from each floor on.
    floors: BTreeMap<u64, u64>,
}

/// All devices of the network by cell. It can be kept, with devices added and removed as they change, or built anew each time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observations {
    cells: BTreeMap<Cell, Tally>,
}

/// What the oracle takes from a cell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) offered_milli: u64,
    pub(crate) hired_milli: u64,
    pub(crate) supply_floor_micro_usd: u64,
}

impl Observations {
    /// Adds a device. One that offers nothing leaves no trace.
    pub fn add(&mut self, cell: &Cell, supply: Supply) {
        if supply.offered_milli == 0 {
            return;
        }
        if !self.cells.contains_key(cell) {
            self.cells.insert(cell.clone(), Tally::default());
        }
        let tally = self.cells.get_mut(cell).expect("just inserted where it was missing");
        let (offered, hired) = amounts(supply);
        tally.offered_milli = tally.offered_milli.saturating_add(offered);
        tally.hired_milli = tally.hired_milli.saturating_add(hired);
        let floor = tally.floors.entry(supply.floor.0).or_default();
        *floor = floor.saturating_add(offered);
    }

    /// Takes away a device that was added with exactly these figures. `false`, and nothing changes, when that cannot have been.
    #[must_use = "a device that was never added means that the caller's books are wrong"]
    pub fn remove(&mut self, cell: &Cell, supply: Supply) -> bool {
        if supply.offered_milli == 0 {
            return true;
        }
        let Some(tally) = self.cells.get_mut(cell) else { return false };
        let (offered, hired) = amounts(supply);
        let Some(at_floor) = tally.floors.get_mut(&supply.floor.0) else { return false };
        let (Some(left), Some(offered_left), Some(hired_left)) =
            (at_floor.checked_sub(offered), tally.offered_milli.checked_sub(offered), tally.hired_milli.checked_sub(hired))
        else {
            return false;
        };
        *at_floor = left;
        tally.offered_milli = offered_left;
        tally.hired_milli = hired_left;
        if left == 0 {
            tally.floors.remove(&supply.floor.0);
        }
        if tally.floors.is_empty() {
            self.cells.remove(cell);
        }
        true
    }

    /// The cells that have devices, in order.
    pub fn cells(&self) -> impl Iterator<Item = &Cell> {
        self.cells.keys()
    }

    pub(crate) fn seen(&self) -> impl Iterator<Item = (&Cell, Seen)> {
        self.cells.iter().map(|(cell, tally)| {
            let seen = Seen {
                offered_milli: tally.offered_milli,
                hired_milli: tally.hired_milli,
                supply_floor_micro_usd: supply_floor(&tally.floors, tally.offered_milli),
            };
            (cell, seen)
        })
    }
}

fn amounts(supply: Supply) -> (u64, u64) {
    (u64::from(supply.offered_milli), u64::from(supply.hired_milli.min(supply.offered_milli)))
}

/// The lowest price at which enough of the supply is offered. As for the utilisation, the cell counts as if it had more GPUs, offered at
/// any price: a few machines that ask for the moon are not the market.
fn supply_floor(floors: &BTreeMap<u64, u64>, offered_milli: u64) -> u64 {
    let all = u128::from(offered_milli) + u128::from(PRIOR_MILLI);
    let mut offered = u128::from(PRIOR_MILLI);
    let mut floor = 0;
    for (&price, &milli) in floors {
        if offered * u128::from(WHOLE_BPS) >= all * u128::from(SUPPLY_SHARE_BPS) {
            break;
        }
        floor = price;
        offered += u128::from(milli);
    }
    floor
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn supplies() -> impl Strategy<Value = Vec<Supply>> {
        let supply = (0_u32..20_000, 0_u32..20_000, 0_u64..20).prop_map(|(offered_milli, hired_milli, floor)| Supply {
            offered_milli,
            hired_milli,
            floor: MicroUsd(floor),
        });
        prop::collection::vec(supply, 0..60)
    }

    proptest! {
        /// A table that is kept is the table that is built anew.
        #[test]
        fn kept_is_rebuilt(devices in prop::collection::vec((0_usize..3, any::<bool>()), 0..60), list in supplies()) {
            let cells: Vec<Cell> = ["cpu:0:a", "cpu:1:a", "h100:4:b"].map(|text| text.parse().unwrap()).into();
            let devices: Vec<_> = devices.into_iter().zip(list).collect();
            let (mut kept, mut anew) = (Observations::default(), Observations::default());
            for &((cell, _), supply) in &devices {
                kept.add(&cells[cell], supply);
            }
            for &((cell, gone), supply) in &devices {
                if gone {
                    prop_assert!(kept.remove(&cells[cell], supply));
                } else {
                    anew.add(&cells[cell], supply);
                }
            }
            prop_assert_eq!(&kept, &anew);
            let never = Supply { offered_milli: u32::MAX, hired_milli: 0, floor: MicroUsd(3) };
            prop_assert!(!kept.remove(&cells[0], never));
            prop_assert_eq!(kept, anew);
        }

        /// At the supply's floor enough is offered, and at any lower one that suppliers name too little.
        #[test]
        fn the_floor_is_the_lowest_that_brings_enough(list in supplies()) {
            let cell: Cell = "h100:4:b".parse().unwrap();
            let mut seen = Observations::default();
            for supply in &list {
                seen.add(&cell, *supply);
            }
            let floor = seen.seen().next().map_or(0, |(_, seen)| seen.supply_floor_micro_usd);
            let all: u64 = list.iter().map(|supply| u64::from(supply.offered_milli)).sum();
            let offered = |price: u64| list.iter().filter(|supply| supply.floor.0 <= price).map(|supply| u64::from(supply.offered_milli)).sum::<u64>();
            let enough = |offered: u64| (offered + PRIOR_MILLI) * WHOLE_BPS >= (all + PRIOR_MILLI) * SUPPLY_SHARE_BPS;
            prop_assert!(enough(offered(floor)));
            prop_assert!(floor == 0 || !enough(list.iter().filter(|supply| supply.floor.0 < floor).map(|supply| u64::from(supply.offered_milli)).sum()));
        }
    }
}
