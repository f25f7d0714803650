//! One real machine behind two device keys: tested one after the other it passes as two; tested at the same instant it is late.

use ionet_rules::rewards::Measurement;
use ionet_types::agent::challenge::{Answer, Job, ProductJob};

use super::common::*;
use crate::simultaneous::{Due, schedule};
use crate::terms::product_ms;
use crate::verdict::{Failure, Verdict};
use crate::{Examiner, Prover, Step, Stop, Terms};

const JOB: ProductJob = ProductJob { side: 256, rows: 4_096, openings: 16 };

/// Parts of a millisecond, for sharing.
const MS: u64 = 60;

/// When jobs that begin at `begin_ms` end on a machine that does one of them in `alone_ms` and shares itself fairly among those that run.
fn ends(begin_ms: &[u64], alone_ms: u64) -> Vec<u64> {
    let mut left = vec![alone_ms * MS; begin_ms.len()];
    let mut ends = vec![0; begin_ms.len()];
    let mut now = 0u64;
    while left.iter().any(|left| *left > 0) {
        let running: Vec<usize> = (0..left.len()).filter(|job| left[*job] > 0 && begin_ms[*job] <= now).collect();
        for job in &running {
            left[*job] = left[*job].saturating_sub(MS / running.len() as u64);
            if left[*job] == 0 {
                ends[*job] = now + 1;
            }
        }
        now += 1;
    }
    ends
}

/// Tests two devices whose machine is exactly as fast as it claims, at these moments.
fn verdicts(at_ms: [u64; 2], alone_ms: u64) -> Vec<Verdict> {
    let reference = Measurement { gflops: 1, ..terms().reference };
    let ends = ends(&at_ms, alone_ms);
    (0..2u8)
        .map(|device| {
            let (key, task) = (key(20 + device), task(device, Job::Product(JOB)));
            let mut examiner = Examiner::new(
                NETWORK,
                key.verifying_key().to_bytes(),
                task.clone(),
                Terms::new(reference, 0),
                nonces(device),
                at_ms[usize::from(device)],
            )
            .unwrap();
            let mut prover: Prover = prover(cpu(), &key);
            let committed: Answer = prover.start(&task, &Stop::default());
            let end = ends[usize::from(device)];
            match examiner.receive(committed, end) {
                Step::Ask(ask) => {
                    examiner.receive(prover.ask(&ask, &Stop::default()).unwrap(), end + 1);
                    examiner.verdict().unwrap()
                }
                Step::Verdict(verdict) => verdict,
            }
        })
        .collect()
}

#[test]
fn one_machine_behind_two_keys_is_late_when_both_are_tested_at_once() {
    let reference = Measurement { gflops: 1, ..terms().reference };
    let alone_ms = product_ms(&JOB, &reference);
    assert!(alone_ms >= 500, "long against the grace: {alone_ms}");
    let apart = verdicts([1_000, 10_000], alone_ms);
    assert!(apart.iter().all(|verdict| matches!(verdict, Verdict::Passed(_))), "{apart:?}");

    let due = |device: u8| Due { device: [device; 32], origins: vec![[77; 32]], from_ms: 1_000, until_ms: 60_000 };
    let slots = schedule(&[due(1), due(2)], &[5; 32]);
    assert_eq!(slots.len(), 1, "one owner, one instant");
    let together = verdicts([slots[0].at_ms; 2], alone_ms);
    assert!(together.iter().all(|verdict| verdict.code() == Failure::Late.code()), "{together:?}");
    // A machine of twice the speed does the work of two, and is worth two.
    let twice = verdicts([slots[0].at_ms; 2], alone_ms / 2);
    assert!(twice.iter().all(|verdict| matches!(verdict, Verdict::Passed(_))), "{twice:?}");
}
