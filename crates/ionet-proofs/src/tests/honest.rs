//! Honest devices pass, and are measured as fast as they are.

use std::thread;
use std::time::{Duration, Instant};

use crate::{Failure, Measured, Stop, Verdict};
use ionet_types::agent::challenge::{Answer, AnswerBody, ClockJob, DeclineReason, Fixed, Job, MemoryJob, ProductJob, Stage};

use super::common::*;

#[test]
fn an_honest_device_passes_every_job() {
    let key = key(1);
    let mut device = prover(cpu(), &key);
    for (number, job) in (1..).zip(JOBS) {
        let mut examiner = examiner(&key, &task(number, job), terms());
        let verdict = examine(&mut examiner, &mut device, |examiner| match (examiner.stage(), job) {
            // 134,217,728 operations in 67 ms; 3,000 steps in 100 ms; 3 MiB in 3 ms; each and the round trip.
            (Stage::Commit, Job::Product(_)) => 87,
            (Stage::Commit, Job::Clock(_)) => 120,
            (Stage::Scan, _) => 23,
            _ => 50,
        });
        let Verdict::Passed(measured) = verdict else { panic!("{verdict:?}") };
        let wanted = match job {
            Job::Product(_) => Measured { gflops: Some(2), ..Measured::default() },
            Job::Memory(_) => Measured { memory_mb_per_sec: Some(1_048), memory_mib: Some(1), ..Measured::default() },
            _ => Measured { cpu_mhz: Some((3_000 * crate::clock::CYCLES_PER_STEP / 100_000) as u32), ..Measured::default() },
        };
        assert_eq!(measured, wanted);
        assert_eq!(examiner.finish().unwrap().replay().unwrap(), verdict);
    }
}

#[test]
fn every_shape_of_a_job_passes() {
    let key = key(2);
    let mut device = prover(cpu(), &key);
    let product = |side, rows, openings| Job::Product(ProductJob { side, rows, openings });
    let memory = |lanes, lane_blocks, rounds, passes, openings| Job::Memory(MemoryJob { lanes, lane_blocks, rounds, passes, openings });
    let jobs = [
        product(256, 256, 1),
        product(512, 1536, 64),
        product(1024, 1024, 64),
        // One group, of which all blocks are opened; a lane for each group; an odd number of lanes.
        memory(1, 16, 4, 1, 64),
        memory(64, 16, 12, 2, 64),
        memory(3, 1_600, 8, 5, 64),
        memory(1, 8_192, 4, 2, 64),
    ];
    for (number, job) in (10..).zip(jobs) {
        let mut examiner = examiner(&key, &task(number, job), terms());
        let verdict = examine(&mut examiner, &mut device, |_| 21);
        assert!(matches!(verdict, Verdict::Passed(_)), "{job:?}: {verdict:?}");
    }
}

#[test]
fn a_hired_device_stops_at_once_and_says_so() {
    let key = key(3);
    for (number, job) in (1..).zip(JOBS) {
        let mut device = prover(cpu(), &key);
        let stop = Stop::default();
        stop.stop();
        let mut examiner = examiner(&key, &task(number, job), terms());
        let answer = device.start(examiner.task(), &stop);
        examiner.receive(answer, 1_010);
        assert_eq!(examiner.verdict(), Some(Verdict::Declined { reason: DeclineReason::Stopped }));
    }
}

#[test]
fn a_device_that_is_hired_meanwhile_ends_what_it_does() {
    let key = key(3);
    let long = [
        Job::Product(ProductJob { side: 1_024, rows: 1 << 17, openings: 1 }),
        Job::Memory(MemoryJob { lanes: 64, lane_blocks: 8_192, rounds: 1_024, passes: 256, openings: 1 }),
        Job::Clock(ClockJob { steps: 1 << 26 }),
    ];
    for (number, job) in (1..).zip(long) {
        let stop = Stop::default();
        let mut device = prover(cpu(), &key);
        let begun = Instant::now();
        let answer = thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(Duration::from_millis(50));
                stop.stop();
            });
            device.start(&task(number, job), &stop)
        });
        assert_eq!(answer.body, AnswerBody::Declined { reason: DeclineReason::Stopped }, "{job:?}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{job:?}: {:?}", begun.elapsed());
    }
}

#[test]
fn an_answer_in_newer_words_is_not_taken_for_a_forged_one() {
    let (key, task) = (key(3), task(1, JOBS[0]));
    for body in [AnswerBody::Unknown, AnswerBody::Declined { reason: DeclineReason::Unknown }] {
        let mut examiner = examiner(&key, &task, terms());
        examiner.receive(Answer { task_id: task.id, stage: Stage::Commit, body, signature: Fixed([1; 64]) }, 1_010);
        assert_eq!(examiner.verdict().map(|verdict| verdict.code()), Some("not_understood"));
    }
}

#[test]
fn an_agent_takes_no_more_memory_than_it_was_given() {
    let key = key(4);
    let job = Job::Memory(MemoryJob { lanes: 64, lane_blocks: 1 << 20, rounds: 4, passes: 1, openings: 1 });
    assert!(cpu().memory_bytes(&job) > 64 << 30);
    let answer = prover(cpu(), &key).start(&task(1, job), &Stop::default());
    assert_eq!(answer.body, AnswerBody::Declined { reason: DeclineReason::TooLarge });
    let out_of_bounds = Job::Product(ProductJob { side: 255, ..PRODUCT });
    let answer = prover(cpu(), &key).start(&task(1, out_of_bounds), &Stop::default());
    assert_eq!(answer.body, AnswerBody::Declined { reason: DeclineReason::Unsupported });
}

#[test]
fn a_question_out_of_turn_is_declined() {
    let key = key(5);
    let mut device = prover(cpu(), &key);
    let task = task(1, Job::Memory(MEMORY));
    device.start(&task, &Stop::default());
    let ask = ionet_types::agent::challenge::Ask { task_id: task.id, stage: Stage::Open, nonce: nonces(1).open };
    let answer = device.ask(&ask, &Stop::default()).unwrap();
    assert_eq!(answer.body, AnswerBody::Declined { reason: DeclineReason::OutOfTurn }, "nothing was scanned yet");
    assert!(device.ask(&ask, &Stop::default()).is_none(), "the task is over");
}

#[test]
fn no_answer_is_late_and_a_late_one_changes_nothing() {
    let key = key(6);
    for (number, job) in (1..).zip(JOBS) {
        let mut examiner = examiner(&key, &task(number, job), terms());
        let deadline = examiner.deadline_ms();
        assert_eq!(examiner.expire(deadline), None);
        let answer = prover(cpu(), &key).start(examiner.task(), &Stop::default());
        let Some(Verdict::Failed(failed)) = examiner.expire(deadline + 1) else { panic!("not over") };
        assert_eq!(failed.reason, Failure::Late);
        examiner.receive(answer, deadline + 2);
        assert_eq!(examiner.verdict(), Some(Verdict::Failed(failed)));
        assert_eq!(examiner.finish().unwrap().replay().unwrap(), Verdict::Failed(failed));
    }
}
