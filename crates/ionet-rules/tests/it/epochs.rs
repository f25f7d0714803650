//! Roots and claims: two thirds, the challenge window, solvency, and that a claim pays the right total once.

use bytemuck::Zeroable;
use ionet_rules::RuleError;
use ionet_rules::emission::{INITIAL_SUPPLY, Schedule};
use ionet_rules::epochs::{Account, BREAKER_SECS, Epochs, Held, MAX_VERIFIERS, Paid, Statement, Verifier, agreed_since};
use ionet_rules::money::{IO_UNIT, Io, USDC_UNIT, Usdc};
use ionet_rules::supply::{At, SupplyParams};
use proptest::prelude::*;

use crate::strategies::NOW;

const PARAMS: SupplyParams = SupplyParams::DEFAULT;
const WINDOW: i64 = PARAMS.challenge_window_secs as i64;

fn at(now: i64) -> At<'static> {
    At { params: &PARAMS, now }
}

/// A network that has minted so many epochs.
fn minted(epochs: u64) -> Epochs {
    let mut book = Epochs { first_unix_secs: NOW - 3_600 * epochs.cast_signed(), ..Epochs::zeroed() };
    for _ in 0..epochs {
        book.mint(INITIAL_SUPPLY, &at(NOW)).unwrap();
    }
    book
}

fn statement(epoch: u64, io: u64) -> Statement {
    Statement { epoch, root: [epoch as u8; 32], file: [9; 32], total_io: Io(io), ..Statement::zeroed() }
}

fn bonded(bonds: &[u64]) -> [Verifier; MAX_VERIFIERS] {
    let mut verifiers = [Verifier::zeroed(); MAX_VERIFIERS];
    for (place, bond) in bonds.iter().enumerate() {
        verifiers[place] = Verifier { key: [place as u8 + 1; 32], bond: Io(bond * IO_UNIT), ..Verifier::zeroed() };
    }
    verifiers
}

fn rich() -> Held {
    Held { rewards_io: Io(1 << 60), payable_io: Io(1 << 60), payable_usdc: Usdc(1 << 60) }
}

#[test]
fn each_epoch_is_minted_once_and_missed_ones_are_caught_up() {
    let mut book = Epochs { first_unix_secs: NOW, ..Epochs::zeroed() };
    assert_eq!(book.mint(INITIAL_SUPPLY, &at(NOW + 3_599)), Err(RuleError::EpochNotOver));
    assert_eq!(book.mint(INITIAL_SUPPLY, &at(NOW + 3_600)), Ok((1, Io(456_621_004_566))));
    assert_eq!(book.mint(INITIAL_SUPPLY, &at(NOW + 3_600)), Err(RuleError::EpochNotOver));
    for epoch in 2..=100 {
        assert_eq!(book.mint(INITIAL_SUPPLY, &at(NOW + 360_000)).unwrap().0, epoch);
    }
    assert_eq!(book.mint(INITIAL_SUPPLY, &at(NOW + 360_000)), Err(RuleError::EpochNotOver));
    assert_eq!(book.emitted, Schedule::Constant.cumulative(100));
}

#[test]
fn two_thirds_of_the_bonded_weight_decide() {
    let mut verifiers = bonded(&[10_000, 10_000, 10_000, 9_999]);
    let book = minted(3);
    let good = statement(3, 1_000);
    assert_eq!(agreed_since(&good, &verifiers, &PARAMS), Err(RuleError::NotAgreed));
    verifiers[0].vote(&good, &book, &at(NOW)).unwrap();
    assert_eq!(agreed_since(&good, &verifiers, &PARAMS), Err(RuleError::NotAgreed));
    // One below the minimum bond has no vote.
    assert_eq!(verifiers[3].vote(&good, &book, &at(NOW)), Err(RuleError::NotBonded));
    // One that says something else does not help.
    let other = Statement { root: [7; 32], ..good };
    verifiers[1].vote(&other, &book, &at(NOW + 1)).unwrap();
    assert_eq!(agreed_since(&good, &verifiers, &PARAMS), Err(RuleError::NotAgreed));
    assert_eq!(agreed_since(&other, &verifiers, &PARAMS), Err(RuleError::NotAgreed));
    verifiers[2].vote(&good, &book, &at(NOW + 5)).unwrap();
    assert_eq!(agreed_since(&good, &verifiers, &PARAMS), Ok(NOW + 5));
    // A vote said again keeps its time; more bond, or leaving, loses it.
    assert_eq!(verifiers[2].vote(&good, &book, &at(NOW + 90)), Err(RuleError::VotedAlready));
    let mut richer = verifiers;
    richer[2].deposit(Io(1)).unwrap();
    assert_eq!(agreed_since(&good, &richer, &PARAMS), Err(RuleError::NotAgreed));
    let mut leaving = verifiers;
    leaving[2].unbond(NOW + 9).unwrap();
    assert_eq!(agreed_since(&good, &leaving, &PARAMS), Err(RuleError::NotAgreed));
}

#[test]
fn a_root_counts_after_the_challenge_window_and_only_forward() {
    let mut verifiers = bonded(&[10_000]);
    let mut book = minted(5);
    let three = statement(3, 1_000);
    assert_eq!(verifiers[0].vote(&statement(6, 1_000), &book, &at(NOW)), Err(RuleError::WrongEpoch));
    verifiers[0].vote(&three, &book, &at(NOW)).unwrap();
    assert_eq!(book.accept(&three, &verifiers, &rich(), &at(NOW + WINDOW - 1)), Err(RuleError::ChallengeWindowOpen));
    book.accept(&three, &verifiers, &rich(), &at(NOW + WINDOW)).unwrap();
    assert_eq!(book.accept(&three, &verifiers, &rich(), &at(NOW + WINDOW)), Err(RuleError::WrongEpoch));
    assert_eq!(verifiers[0].vote(&statement(3, 2_000), &book, &at(NOW)), Err(RuleError::WrongEpoch));
    assert_eq!(verifiers[0].vote(&statement(4, 999), &book, &at(NOW)), Err(RuleError::StatementUnsound));
    verifiers[0].vote(&statement(5, 1_000), &book, &at(NOW)).unwrap();
}

#[test]
fn a_root_never_promises_more_than_there_is() {
    let mut book = minted(2);
    let mut verifiers = bonded(&[10_000]);
    let all = book.emitted.0;
    assert_eq!(verifiers[0].vote(&statement(2, all + 1), &book, &at(NOW)), Err(RuleError::StatementUnsound));
    let locked = Statement { locked_io: Io(1), ..statement(2, all) };
    assert_eq!(verifiers[0].vote(&locked, &book, &at(NOW)), Err(RuleError::StatementUnsound));
    let work = Statement { work_io: Io(50), total_usdc: Usdc(70), ..statement(2, all + 50) };
    verifiers[0].vote(&work, &book, &at(NOW)).unwrap();
    let later = at(NOW + WINDOW);
    let exact = Held { rewards_io: Io(all), payable_io: Io(50), payable_usdc: Usdc(70) };
    for short in [Held { rewards_io: Io(all - 1), ..exact }, Held { payable_io: Io(49), ..exact }, Held { payable_usdc: Usdc(69), ..exact }]
    {
        assert_eq!(book.clone().accept(&work, &verifiers, &short, &later), Err(RuleError::StatementUnsound));
    }
    assert_eq!(book.accept(&work, &verifiers, &exact, &later), Ok(Io(50)));
    assert_eq!(book.owed_io(), Ok(Io(all + 50)));
}

#[test]
fn the_breaker_bounds_an_hour_and_the_rest_stays_claimable() {
    let floor = PARAMS.breaker_floor_io.0;
    let mut book = minted(1);
    book.accepted = Statement { total_io: Io(floor * 4), total_usdc: Usdc(5 * USDC_UNIT), ..statement(1, 0) };
    let held = Held { rewards_io: Io(floor * 4), payable_io: Io(0), payable_usdc: Usdc(5 * USDC_UNIT) };
    let lifetime = Paid { io: Io(floor * 3), usdc: Usdc(5 * USDC_UNIT) };
    let mut account = Account { lifetime, claimed: Paid { io: Io(0), usdc: Usdc(0) } };
    // A quarter of the vault is exactly the floor here.
    assert_eq!(book.claim(&mut account, &held, &at(NOW)), Ok(Paid { io: Io(floor), usdc: Usdc(5 * USDC_UNIT) }));
    assert_eq!(book.claim(&mut account, &held, &at(NOW + BREAKER_SECS - 1)), Err(RuleError::BreakerOpen));
    let held = Held { rewards_io: Io(floor * 3), ..held };
    assert_eq!(book.claim(&mut account, &held, &at(NOW + BREAKER_SECS)).unwrap().io, Io(floor));
    assert_eq!(book.claim(&mut account, &held, &at(NOW + 2 * BREAKER_SECS)).unwrap().io, Io(floor));
    assert_eq!(book.claim(&mut account, &held, &at(NOW + 3 * BREAKER_SECS)), Err(RuleError::NothingToClaim));
    assert_eq!(account.claimed, lifetime);
}

#[test]
fn locked_rewards_can_be_frozen_once() {
    let mut book = minted(1);
    book.accepted.locked_io = Io(100);
    book.freeze_locked(Io(60)).unwrap();
    assert_eq!(book.freeze_locked(Io(41)), Err(RuleError::SlashTooLarge));
    book.settle_locked(Io(60), true).unwrap();
    assert_eq!((book.accepted.locked_io, book.frozen_io, book.burned_io), (Io(40), Io(0), Io(60)));
    assert_eq!(book.freeze_locked(Io(41)), Err(RuleError::SlashTooLarge));
}

proptest! {
    /// However often, late and out of turn a beneficiary claims, over any number of skipped epochs: it has got exactly its lifetime totals.
    #[test]
    fn a_beneficiary_gets_its_total_once(
        earned in prop::collection::vec((0u64..1_000_000, 0u64..1_000_000, 0u8..4), 1..40),
    ) {
        let mut book = minted(1);
        let mut account = Account { lifetime: Paid { io: Io(0), usdc: Usdc(0) }, claimed: Paid { io: Io(0), usdc: Usdc(0) } };
        let (mut got_io, mut got_usdc) = (0, 0);
        for (io, usdc, claims) in earned {
            account.lifetime.io.0 += io;
            account.lifetime.usdc.0 += usdc;
            book.accepted.total_io = account.lifetime.io;
            book.accepted.total_usdc = account.lifetime.usdc;
            for _ in 0..claims {
                let before = (book, account);
                match book.claim(&mut account, &rich(), &at(NOW)) {
                    Ok(paid) => {
                        got_io += paid.io.0;
                        got_usdc += paid.usdc.0;
                    }
                    Err(error) => {
                        prop_assert_eq!(error, RuleError::NothingToClaim);
                        prop_assert_eq!((book, account), before);
                    }
                }
                prop_assert_eq!((got_io, got_usdc), (account.lifetime.io.0, account.lifetime.usdc.0));
            }
            prop_assert_eq!((book.claimed_io.0, book.claimed_usdc.0), (got_io, got_usdc));
        }
    }

    /// The circuit breaker lets exactly the stated part of the vault go in an hour, or the floor.
    #[test]
    fn the_breakers_part_is_the_share_of_the_vault(rewards in crate::strategies::amount(), bps in 100u16..=10_000) {
        let params = SupplyParams { breaker_bps: bps, ..PARAMS };
        let mut book = minted(1);
        book.accepted.total_io = Io(u64::MAX);
        let held = Held { rewards_io: Io(rewards), payable_io: Io(0), payable_usdc: Usdc(0) };
        let lifetime = Paid { io: Io(u64::MAX), usdc: Usdc(0) };
        let mut account = Account { lifetime, claimed: Paid { io: Io(0), usdc: Usdc(0) } };
        let paid = book.claim(&mut account, &held, &At { params: &params, now: NOW }).unwrap();
        prop_assert_eq!(paid.io, Io(rewards).share_down(bps).unwrap().max(params.breaker_floor_io));
        prop_assert!(book.breaker.io_left.is_zero());
    }

    /// No set of votes with less than two thirds behind one statement is ever taken for agreement, and its moment is never too early.
    #[test]
    fn agreement_is_two_thirds(bonds in prop::collection::vec(0u64..30_000, 1..MAX_VERIFIERS), votes in prop::collection::vec((0u8..3, 0i64..50), MAX_VERIFIERS)) {
        let book = minted(2);
        let mut verifiers = bonded(&bonds);
        for (verifier, (side, when)) in verifiers.iter_mut().zip(&votes) {
            if *side > 0 {
                let _ = verifier.vote(&statement(2, u64::from(*side)), &book, &at(NOW + when));
            }
        }
        let weight = |wanted: &dyn Fn(&Verifier) -> bool| -> u64 {
            verifiers.iter().filter(|verifier| wanted(verifier)).map(|verifier| verifier.weight(&PARAMS)).sum()
        };
        let all = weight(&|_| true);
        let mut agreed = 0;
        for side in 1..3 {
            let wanted = statement(2, side);
            let by = |until: i64| weight(&|verifier| verifier.vote == wanted && verifier.voted_at_unix_secs != 0 && verifier.voted_at_unix_secs <= until);
            match agreed_since(&wanted, &verifiers, &PARAMS) {
                Ok(since) => {
                    agreed += 1;
                    prop_assert!(by(since) * 3 >= all * 2 && all > 0);
                    prop_assert!(by(since - 1) * 3 < all * 2);
                }
                Err(_) => prop_assert!(all == 0 || by(i64::MAX) * 3 < all * 2),
            }
        }
        prop_assert!(agreed <= 1);
    }
}

#[test]
fn the_decided_parameters_are_within_their_bounds_and_others_are_refused() {
    SupplyParams::DEFAULT.check().unwrap();
    let bad = [
        SupplyParams { epoch_secs: 4, challenge_window_secs: 1, ..PARAMS },
        SupplyParams { challenge_window_secs: 1_801, ..PARAMS },
        SupplyParams { min_bond: Io(IO_UNIT - 1), ..PARAMS },
        SupplyParams { unstake_secs: 86_399, ..PARAMS },
        SupplyParams { appeal_secs: 1, ..PARAMS },
        SupplyParams { decision_secs: 1, ..PARAMS },
        SupplyParams { availability_bps: 10_001, ..PARAMS },
        SupplyParams { gpu_bps: 10_001, ..PARAMS },
        SupplyParams { breaker_bps: 99, ..PARAMS },
        SupplyParams { offence_bps: [0, 0, 10_001], ..PARAMS },
        SupplyParams { schedule: 2, ..PARAMS },
        SupplyParams { reserved: [0, 0, 0, 0, 1], ..PARAMS },
    ];
    for params in bad {
        assert_eq!(params.check(), Err(RuleError::ParamOutOfBounds), "{params:?}");
    }
    assert_eq!(SupplyParams::with_epoch_secs(3_600), PARAMS);
    let fast = SupplyParams::with_epoch_secs(20);
    fast.check().unwrap();
    assert_eq!((fast.challenge_window_secs, fast.uptime_min_secs), (5, 100));
    assert_eq!(PARAMS.epoch_bounds(NOW, 1), (NOW, NOW + 3_600));
    assert_eq!(PARAMS.epochs_over(NOW, NOW - 1), 0);
    assert_eq!(PARAMS.epochs_over(NOW, NOW + 7_200), 2);
}
