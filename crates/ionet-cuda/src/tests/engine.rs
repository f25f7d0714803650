//! The whole engine, on cards that are not there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ionet_proofs::memory::{BlockChoice, MemoryOrder};
use ionet_proofs::product::ProductOrder;
use ionet_proofs::{Engine, EngineError, Stop, Verdict};
use ionet_types::agent::challenge::{ClockJob, Fixed, Job};
use proptest::prelude::*;

use super::emulator::{Form, Machine, machine};
use super::jobs::{cpu, examine, memory, product, seed};
use crate::check::is_right;
use crate::engine::Cards;
use crate::pace::Pace;

/// So slow that every job takes several steps.
const SLOW: Pace = Pace { operations: 1 << 25, blocks: 100, groups: 7 };

fn cards(form: Form, cards: &[(u64, u64)]) -> Option<Cards<Machine>> {
    Some(Cards::new(machine(form, cards)?, 2.try_into().unwrap(), SLOW))
}

/// The same to the last bit as the processor's engine, within the memory that was said, all of which is given back.
fn compare(engine: &Cards<Machine>, number: u8, job: Job) {
    let (seed, stop, own) = (seed(number, job), Stop::default(), cpu());
    match job {
        Job::Product(job) => {
            let order = ProductOrder::new(&seed, job);
            let (one, other) = (engine.product(&order, &stop).unwrap(), own.product(&order, &stop).unwrap());
            assert_eq!(one.root(), other.root(), "{job:?}");
            let rows: Vec<u64> = (0..u64::from(job.rows)).step_by(37).chain([u64::from(job.rows) - 1]).collect();
            assert_eq!(one.open(&rows).unwrap(), other.open(&rows).unwrap(), "{job:?}");
        }
        Job::Memory(job) => {
            let order = MemoryOrder::new(&seed, job);
            let (mut one, mut other) = (engine.memory(&order, &stop).unwrap(), own.memory(&order, &stop).unwrap());
            assert_eq!(one.root(), other.root(), "{job:?}");
            let choices: Vec<BlockChoice> = (0..job.blocks())
                .step_by(job.blocks() as usize / 12 + 1)
                .chain([job.blocks() - 1])
                .map(|block| BlockChoice { block, pass: (block % u64::from(job.passes)) as u16 })
                .collect();
            assert!(one.open(&choices).unwrap().is_empty(), "nothing was scanned");
            for nonce in [Fixed([1; 32]), Fixed([2; 32])] {
                assert_eq!(one.scan(&nonce, &stop).unwrap(), other.scan(&nonce, &stop).unwrap(), "{job:?}");
                assert_eq!(one.open(&choices).unwrap(), other.open(&choices).unwrap(), "{job:?}");
            }
        }
        Job::Clock(_) | Job::Unknown => panic!("not a card's job"),
    }
    let most: u64 = engine.source().cards.iter().map(|card| card.most_taken.load(Ordering::Relaxed)).sum();
    assert!(most <= engine.memory_bytes(&job), "{job:?}: {most} bytes were taken");
    assert!(most > engine.memory_bytes(&job) / 2, "{job:?}: of {most} bytes");
    assert!(engine.source().cards.iter().all(|card| card.taken() == 0), "all is given back");
}

const ROOM: u64 = 1 << 30;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn products_are_those_of_a_processor(
        number: u8,
        tensor: bool,
        side in prop::sample::select(vec![256u32, 512]),
        strips in 1u32..4,
        speeds in prop::collection::vec(1u64..10, 1..5),
    ) {
        let speeds: Vec<(u64, u64)> = speeds.into_iter().map(|speed| (speed, ROOM)).collect();
        let Some(engine) = cards(if tensor { Form::Tensor } else { Form::Plain }, &speeds) else { return Ok(()) };
        compare(&engine, number, product(side, side * strips, 3));
    }

    #[test]
    fn memory_is_that_of_a_processor(
        number: u8,
        lanes in 1u32..12,
        groups in 1u32..14,
        rounds in 1u16..6,
        passes in 1u16..4,
        sizes in prop::collection::vec(1u64..10, 1..5),
    ) {
        let sizes: Vec<(u64, u64)> = sizes.into_iter().map(|size| (1, size * ROOM)).collect();
        let Some(engine) = cards(Form::Plain, &sizes) else { return Ok(()) };
        compare(&engine, number, memory(lanes, groups * 16, rounds * 4, passes, 5));
    }
}

#[test]
fn sums_of_several_groups_lie_across_cards() {
    for (lanes, lane_blocks) in [(33, 16 * 17), (7, 16 * 41)] {
        let Some(engine) = cards(Form::Plain, &[(1, ROOM), (1, 2 * ROOM), (1, ROOM)]) else { return };
        compare(&engine, 1, memory(lanes, lane_blocks, 4, 2, 5));
    }
}

#[test]
fn an_examiner_is_content() {
    for form in [Form::Plain, Form::Tensor] {
        let Some(engine) = cards(form, &[(3, ROOM), (2, ROOM)]) else { return };
        let engine: Arc<dyn Engine> = Arc::new(engine);
        for (number, job) in (1..).zip([product(256, 512, 64), memory(5, 48, 8, 3, 64), Job::Clock(ClockJob { steps: 100 })]) {
            let verdict = examine(engine.clone(), number, job);
            assert!(matches!(verdict, Verdict::Passed(_)), "{job:?}: {verdict:?}");
        }
    }
}

#[test]
fn cards_that_compute_rightly_are_told_from_those_that_do_not() {
    let Some(engine) = cards(Form::Tensor, &[(1, ROOM), (2, ROOM), (1, ROOM)]) else { return };
    assert_eq!(is_right(&engine, 3), Ok(true));
    assert!(engine.source().cards.iter().all(|card| card.most_taken.load(Ordering::Relaxed) > 0), "each has a part in it");
    // Whichever launch is left out, of all of both jobs: it shows, unless what it should have written
    // was there already, as the sums of a group of which several blocks are opened are.
    let card = &engine.source().cards[1];
    let launches = u64::from(u32::MAX) - card.fails_quietly_at.load(Ordering::Relaxed);
    let is_seen = |launch: &u64| {
        card.fails_quietly_at.store(*launch, Ordering::Relaxed);
        is_right(&engine, 3) == Ok(false)
    };
    let seen = (1..=launches).filter(is_seen).count() as u64;
    assert!(launches > 10 && seen + 4 >= launches, "{seen} of {launches}");
}

#[test]
fn what_is_stopped_ends_and_gives_everything_back() {
    let Some(engine) = cards(Form::Plain, &[(1, ROOM), (1, ROOM)]) else { return };
    let stop = Stop::default();
    let filled = {
        let job = memory(4, 32, 4, 2, 1);
        let Job::Memory(size) = job else { panic!() };
        let mut filled = engine.memory(&MemoryOrder::new(&seed(1, job), size), &stop).unwrap();
        stop.stop();
        assert_eq!(filled.scan(&Fixed([1; 32]), &stop), Err(EngineError::Stopped));
        assert_eq!(engine.memory(&MemoryOrder::new(&seed(1, job), size), &stop).err(), Some(EngineError::Stopped));
        filled
    };
    let job = product(256, 512, 1);
    let Job::Product(size) = job else { panic!() };
    assert_eq!(engine.product(&ProductOrder::new(&seed(1, job), size), &stop).err(), Some(EngineError::Stopped));
    drop(filled);
    assert!(engine.source().cards.iter().all(|card| card.taken() == 0));
    assert_eq!(engine.source().opened.load(Ordering::Relaxed), 1, "cards stay ready");
    engine.rest();
    assert_eq!(engine.product(&ProductOrder::new(&seed(1, job), size), &stop).err(), Some(EngineError::Stopped));
    assert_eq!(engine.source().opened.load(Ordering::Relaxed), 1, "what is stopped opens nothing");
    engine.prepare().unwrap();
    engine.prepare().unwrap();
    assert_eq!(engine.source().opened.load(Ordering::Relaxed), 2);
}

#[test]
fn memory_that_is_not_there_is_an_answer() {
    let Some(engine) = cards(Form::Plain, &[(1, 100 << 10)]) else { return };
    for job in [product(256, 512, 1), memory(8, 32, 4, 1, 1)] {
        let (seed, stop) = (seed(1, job), Stop::default());
        let error = match job {
            Job::Product(size) => engine.product(&ProductOrder::new(&seed, size), &stop).err(),
            Job::Memory(size) => engine.memory(&MemoryOrder::new(&seed, size), &stop).err(),
            _ => None,
        };
        assert_eq!(error, Some(EngineError::OutOfMemory));
    }
    assert_eq!(engine.source().cards[0].taken(), 0);
    assert_eq!(engine.source().opened.load(Ordering::Relaxed), 1, "nothing is broken");
}

#[test]
fn a_card_that_fails_at_any_moment_is_an_answer_and_is_opened_anew() {
    let Some(engine) = cards(Form::Plain, &[(1, ROOM), (1, ROOM)]) else { return };
    for job in [product(256, 512, 3), memory(4, 48, 4, 2, 3)] {
        let mut failed = 0;
        for launches in 0.. {
            engine.source().cards[1].launches_left.store(i64::MAX, Ordering::Relaxed);
            engine.prepare().unwrap();
            let before = engine.source().opened.load(Ordering::Relaxed);
            engine.source().cards[1].launches_left.store(launches, Ordering::Relaxed);
            let (seed, stop) = (seed(1, job), Stop::default());
            let done = match job {
                Job::Product(size) => engine.product(&ProductOrder::new(&seed, size), &stop).map(drop),
                Job::Memory(size) => engine.memory(&MemoryOrder::new(&seed, size), &stop).and_then(|mut filled| {
                    filled.scan(&Fixed([1; 32]), &stop)?;
                    filled.open(&[BlockChoice { block: size.blocks() - 1, pass: 1 }]).map(drop)
                }),
                _ => panic!(),
            };
            assert!(engine.source().cards.iter().all(|card| card.taken() == 0), "all is given back");
            match done {
                Ok(()) => break,
                Err(error) => {
                    assert_eq!(error, EngineError::Failed);
                    failed += 1;
                }
            }
            engine.source().cards[1].launches_left.store(i64::MAX, Ordering::Relaxed);
            engine.prepare().unwrap();
            assert_eq!(engine.source().opened.load(Ordering::Relaxed), before + 1, "opened anew, once");
        }
        assert!(failed >= 4, "{job:?}: {failed}");
    }
}
