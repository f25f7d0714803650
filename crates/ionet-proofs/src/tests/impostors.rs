//! Devices that answer with something else than their own work of this moment.

use std::collections::HashMap;

use ed25519_dalek::SigningKey;
use ionet_types::agent::challenge::{Answer, Ask, Job, Nonce, Stage, Task};

use super::common::*;
use crate::verdict::{Failed, Failure, Verdict};
use crate::{Examiner, Prover, Seed, Step, Stop};

/// An honest prover behind something that tampers with what it is asked and what it answers.
struct Tampering<F> {
    prover: Prover,
    task: Option<Task>,
    tamper: F,
}

impl<F: FnMut(&Task, Stage, &Nonce, Answer) -> Answer> Device for Tampering<F> {
    fn start(&mut self, task: &Task) -> Answer {
        self.task = Some(task.clone());
        let answer = self.prover.start(task, &Stop::default());
        (self.tamper)(task, Stage::Commit, &task.nonce, answer)
    }

    fn ask(&mut self, ask: &Ask) -> Answer {
        let answer = self.prover.ask(ask, &Stop::default()).unwrap();
        (self.tamper)(self.task.as_ref().unwrap(), ask.stage, &ask.nonce, answer)
    }
}

fn tampered(number: u8, job: Job, prover: Prover, tamper: impl FnMut(&Task, Stage, &Nonce, Answer) -> Answer) -> Verdict {
    let mut examiner = examiner(&key(1), &task(number, job), terms());
    let verdict = examine(&mut examiner, &mut Tampering { prover, task: None, tamper }, |_| 21);
    assert_eq!(examiner.finish().unwrap().replay().unwrap(), verdict);
    verdict
}

fn reason(verdict: Verdict) -> Failure {
    let Verdict::Failed(Failed { reason, .. }) = verdict else { panic!("{verdict:?}") };
    reason
}

fn resign(key: &SigningKey, task: &Task, nonce: &Nonce, answer: Answer) -> Answer {
    let seed = Seed::new(NETWORK, key.verifying_key().as_bytes(), task);
    seed.sign(key, task, answer.stage, nonce, answer.body)
}

/// All answers of an honest device to a task.
fn answers(key: &SigningKey, task: &Task) -> HashMap<Stage, Answer> {
    let mut kept = HashMap::new();
    let mut examiner = examiner(key, task, terms());
    let mut answer = prover(cpu(), key).start(task, &Stop::default());
    let mut device = prover(cpu(), key);
    device.start(task, &Stop::default());
    loop {
        kept.insert(answer.stage, answer.clone());
        match examiner.receive(answer, 1_021) {
            Step::Ask(ask) => answer = device.ask(&ask, &Stop::default()).unwrap(),
            Step::Verdict(verdict) => {
                assert!(matches!(verdict, Verdict::Passed(_)));
                return kept;
            }
        }
    }
}

#[test]
fn what_passes_is_not_tampered_with() {
    for (number, job) in (1..).zip(JOBS) {
        let verdict = tampered(number, job, prover(cpu(), &key(1)), |_, _, _, answer| answer);
        assert!(matches!(verdict, Verdict::Passed(_)), "{verdict:?}");
    }
}

#[test]
fn an_old_answer_is_of_no_use_even_newly_signed() {
    for (number, job) in (1..).zip(JOBS) {
        // The same device, the same job, another nonce.
        let old = answers(&key(1), &task(100, job));
        let verdict =
            tampered(number, job, prover(cpu(), &key(1)), |_, stage, _, answer| Answer { task_id: answer.task_id, ..old[&stage].clone() });
        assert_eq!(reason(verdict), Failure::WrongSignature, "replayed as it was");
        let verdict =
            tampered(number, job, prover(cpu(), &key(1)), |task, stage, nonce, _| resign(&key(1), task, nonce, old[&stage].clone()));
        let wanted = if matches!(job, Job::Clock(_)) { Failure::WrongChain } else { Failure::WrongPath };
        assert_eq!(reason(verdict), wanted, "from a cache, signed anew");
    }
}

#[test]
fn an_answer_of_another_device_is_of_no_use_even_newly_signed() {
    for (number, job) in (1..).zip(JOBS) {
        let verdict = tampered(number, job, prover(cpu(), &key(2)), |_, _, _, answer| answer);
        assert_eq!(reason(verdict), Failure::WrongSignature, "passed on as it was");
        let verdict = tampered(number, job, prover(cpu(), &key(2)), |task, _, nonce, answer| resign(&key(1), task, nonce, answer));
        let wanted = if matches!(job, Job::Clock(_)) { Failure::WrongChain } else { Failure::WrongPath };
        assert_eq!(reason(verdict), wanted, "signed by the device that it is not of");
    }
}

#[test]
fn a_key_cannot_be_swapped_in_between() {
    for (number, job) in (1..).zip(&JOBS[..2]) {
        let swap =
            |task: &Task, stage, nonce: &Nonce, answer| if stage == Stage::Open { resign(&key(2), task, nonce, answer) } else { answer };
        let verdict = tampered(number, *job, prover(cpu(), &key(1)), swap);
        assert_eq!(verdict, Verdict::Failed(Failed { stage: Stage::Open, reason: Failure::WrongSignature }));
    }
}

#[test]
fn everything_that_a_task_is_bound_to_counts() {
    let task = task(1, JOBS[2]);
    let right = Seed::new(NETWORK, &[1; 32], &task);
    let others = [
        Seed::new("another network", &[1; 32], &task),
        Seed::new(NETWORK, &[2; 32], &task),
        Seed::new(NETWORK, &[1; 32], &Task { epoch: 8, ..task.clone() }),
        Seed::new(NETWORK, &[1; 32], &Task { id: super::common::task(2, JOBS[2]).id, ..task.clone() }),
        Seed::new(NETWORK, &[1; 32], &Task { nonce: super::common::task(2, JOBS[2]).nonce, ..task.clone() }),
        Seed::new(NETWORK, &[1; 32], &Task { job: JOBS[1], ..task.clone() }),
    ];
    for (number, other) in others.iter().enumerate() {
        assert_ne!(right, *other, "{number}");
        assert!(others.iter().skip(number + 1).all(|third| third != other), "{number}");
    }
    let answer = answers(&key(1), &task).remove(&Stage::Commit).unwrap();
    let seed = Seed::new(NETWORK, key(1).verifying_key().as_bytes(), &task);
    let device = key(1).verifying_key().to_bytes();
    assert!(seed.is_signed(&device, &task.nonce, &answer));
    assert!(others.iter().all(|other| !other.is_signed(&device, &task.nonce, &answer)));
    assert!(!seed.is_signed(&device, &nonces(1).open, &answer), "the stage's nonce is signed, too");
    assert!(!seed.is_signed(&device, &task.nonce, &Answer { stage: Stage::Open, ..answer }));
}

#[test]
fn answers_to_something_else_are_not_expected() {
    let (key, task) = (key(1), task(1, JOBS[0]));
    let kept = answers(&key, &task);
    let expect = |answer: Answer| {
        let mut examiner = examiner(&key, &task, terms());
        examiner.receive(answer, 1_021);
        examiner.verdict().map(reason)
    };
    assert_eq!(expect(kept[&Stage::Commit].clone()), None);
    assert_eq!(expect(kept[&Stage::Open].clone()), Some(Failure::UnexpectedAnswer), "another stage");
    let other = Answer { task_id: super::common::task(2, JOBS[0]).id, ..kept[&Stage::Commit].clone() };
    assert_eq!(expect(other), Some(Failure::UnexpectedAnswer), "another task");
    let seed = Seed::new(NETWORK, key.verifying_key().as_bytes(), &task);
    let body = kept[&Stage::Open].body.clone();
    assert_eq!(expect(seed.sign(&key, &task, Stage::Commit, &task.nonce, body)), Some(Failure::UnexpectedAnswer), "another kind of answer");
}

#[test]
fn only_the_hubs_time_counts() {
    for (number, job) in (1..).zip(JOBS) {
        let (key, task) = (key(1), task(number, job));
        // An answer says nothing of time: whatever the device's clock shows, its bytes are the same.
        let (one, two) = (answers(&key, &task), answers(&key, &task));
        assert_eq!(one, two);
        let drive = |examiner: &mut Examiner, took_ms: u64| {
            let mut now_ms = 1_000;
            for stage in [Stage::Commit, Stage::Scan, Stage::Open] {
                let Some(answer) = one.get(&stage) else { continue };
                now_ms += took_ms;
                examiner.receive(answer.clone(), now_ms);
            }
            examiner.verdict().unwrap()
        };
        assert!(matches!(drive(&mut examiner(&key, &task, terms()), 21), Verdict::Passed(_)));
        assert_eq!(reason(drive(&mut examiner(&key, &task, terms()), 400_000)), Failure::Late);
    }
}
