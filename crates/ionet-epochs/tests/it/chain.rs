//! Epoch after epoch: totals only grow, what was minted is in totals or still in the pots, and every file goes on where the last one ended.

use ionet_epochs::{Closed, Totals, close, read};
use ionet_rules::money::Io;
use proptest::prelude::*;

use crate::world::{World, epoch, world};

/// Closes these worlds one after the other, as epochs 1, 2, 3 of one network.
fn run(worlds: Vec<World>) -> Vec<Closed> {
    let mut closed: Vec<Closed> = Vec::new();
    for (number, mut world) in (1..).zip(worlds) {
        world.epoch = epoch(number);
        if let Some(last) = closed.last() {
            world.epoch.carry_in = last.allocation.sums.carry_out;
        }
        let before = closed.last().map_or_else(Totals::none, |last| last.totals.clone());
        closed.push(close(world.seal(), &before).unwrap());
    }
    closed
}

fn published(closed: &Closed) -> Vec<u8> {
    let mut bytes = Vec::new();
    closed.write(&mut bytes).unwrap();
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_was_minted_is_owed_or_still_in_the_pots(worlds in prop::collection::vec(world(), 1..6)) {
        let mut minted = Io(0);
        for closed in run(worlds) {
            minted = minted.plus(closed.inputs.epoch().emission).unwrap();
            let owed = closed.totals.io().minus(closed.totals.work_io()).unwrap();
            prop_assert_eq!(Ok(minted), owed.plus(closed.allocation.sums.carry_out.total().unwrap()));
        }
    }

    #[test]
    fn totals_never_fall(worlds in prop::collection::vec(world(), 2..5)) {
        let closed = run(worlds);
        for pair in closed.windows(2) {
            for total in pair[0].totals.records() {
                let place = pair[1].totals.find(&total.beneficiary).expect("nobody is forgotten");
                let later = &pair[1].totals.records()[place];
                prop_assert!(later.io >= total.io && later.usdc >= total.usdc);
            }
            prop_assert!(pair[1].totals.work_io() >= pair[0].totals.work_io());
        }
    }

    #[test]
    fn files_replay_and_follow_each_other(worlds in prop::collection::vec(world(), 1..5)) {
        let closed = run(worlds);
        let mut last: Option<Closed> = None;
        for epoch in &closed {
            let replayed = read(&mut published(epoch).as_slice()).unwrap().replay().unwrap();
            prop_assert_eq!(replayed.root(), epoch.root());
            prop_assert_eq!(&replayed.allocation, &epoch.allocation);
            prop_assert_eq!(&replayed.totals, &epoch.totals);
            prop_assert_eq!(published(&replayed), published(epoch));
            replayed.follows(last.as_ref()).unwrap();
            last = Some(replayed);
        }
        // No epoch goes on anywhere else.
        for (place, epoch) in closed.iter().enumerate().skip(1) {
            prop_assert!(epoch.follows(None).is_err());
            prop_assert!(epoch.follows(Some(epoch)).is_err());
            prop_assert!(place < 2 || epoch.follows(Some(&closed[place - 2])).is_err());
        }
    }
}

#[test]
fn an_epoch_that_drops_the_carry_does_not_follow() {
    let world = World { epoch: epoch(1), devices: Vec::new() };
    let first = close(world.seal(), &Totals::none()).unwrap();
    assert_eq!(first.allocation.sums.carry_out.total(), Ok(epoch(1).emission), "nobody may claim, so all of it goes on");
    let second = close(World { epoch: epoch(2), devices: Vec::new() }.seal(), &first.totals).unwrap();
    let error = second.follows(Some(&first)).unwrap_err();
    assert_eq!(error.code(), "replay_differs");
    assert!(error.to_string().starts_with("carry in"), "{error}");
}
