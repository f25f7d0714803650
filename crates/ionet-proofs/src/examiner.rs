//! The hub's side of one task: asks, times, checks, and comes to a verdict. It does no I/O and reads no clock: whoever drives it sends what
//! it asks and says when each answer came.

mod checks;

use ionet_types::agent::ProtocolError;
use ionet_types::agent::challenge::{Answer, AnswerBody, Ask, DeclineReason, Digest, Job, Nonce, Stage, Task};
use serde::{Deserialize, Serialize};

use crate::binding::Seed;
use crate::terms::Terms;
use crate::transcript::{Event, Transcript};
use crate::verdict::{Failed, Failure, Verdict};

/// Random bytes that the hub draws for one examination and shows to nobody before they are asked with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nonces {
    /// For the scan.
    pub scan: Nonce,
    /// For the opening.
    pub open: Nonce,
}

/// What to do after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send this to the device, at once: its time runs.
    Ask(Ask),
    /// It is over.
    Verdict(Verdict),
}

/// One task of one device. Made with what to send first ([`Examiner::task`]), fed with what comes ([`Examiner::receive`]) and asked whether
/// the time is over ([`Examiner::expire`]) until there is a verdict.
#[derive(Clone, Debug)]
pub struct Examiner {
    seed: Seed,
    record: Transcript,
    asked: Asked,
    /// Root over the rows or the memory.
    committed: Option<Digest>,
    /// Roots over the sums of each pass.
    scanned: Vec<Digest>,
    fill_ms: u64,
    scan_ms: u64,
    commit_ms: u64,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    stage: Stage,
    nonce: Nonce,
    at_ms: u64,
    limit_ms: u64,
}

impl Examiner {
    /// Begins at `now_ms` (milliseconds of the hub's clock, one that never goes back), when the task is sent. Refuses a task that is out of
    /// its bounds or of no known kind.
    pub fn new(network: &str, device: [u8; 32], task: Task, terms: Terms, nonces: Nonces, now_ms: u64) -> Result<Self, ProtocolError> {
        task.check()?;
        if task.job == Job::Unknown {
            return Err(ProtocolError::OutOfBounds { field: "task.job", bound: "a known kind".to_owned() });
        }
        let seed = Seed::new(network, &device, &task);
        let limit_ms = terms.limit_ms(&task.job, Stage::Commit, 0);
        let asked = Asked { stage: Stage::Commit, nonce: task.nonce, at_ms: now_ms, limit_ms };
        let record = Transcript::new(network, device, task, terms, nonces, now_ms);
        Ok(Self { seed, record, asked, committed: None, scanned: Vec::new(), fill_ms: 0, scan_ms: 0, commit_ms: 0 })
    }

    /// What to send first.
    pub fn task(&self) -> &Task {
        &self.record.task
    }

    /// The stage that an answer is awaited for.
    pub fn stage(&self) -> Stage {
        self.asked.stage
    }

    /// When [`Examiner::expire`] will say that the time is over.
    pub fn deadline_ms(&self) -> u64 {
        self.asked.at_ms.saturating_add(self.asked.limit_ms)
    }

    /// The verdict, once there is one.
    pub fn verdict(&self) -> Option<Verdict> {
        self.record.verdict
    }

    /// Takes an answer that came at `now_ms`. After the verdict nothing changes it.
    ///
    /// The caller gives only answers that name this task; one that does not is an `unexpected_answer`, since the device sent it on a
    /// connection of its own.
    pub fn receive(&mut self, answer: Answer, now_ms: u64) -> Step {
        if let Some(verdict) = self.record.verdict {
            return Step::Verdict(verdict);
        }
        // A clock that went back must not make a device fast, nor the transcript one that nobody takes.
        let now_ms = now_ms.max(self.asked.at_ms);
        let outcome = self.judge(&answer, now_ms);
        self.record.events.push(Event { at_ms: now_ms, answer: Some(answer) });
        match outcome {
            Ok(Next::Ask(ask)) => Step::Ask(ask),
            Ok(Next::Verdict(verdict)) => self.conclude(verdict),
            Err(reason) => self.conclude(Verdict::Failed(Failed { stage: self.asked.stage, reason })),
        }
    }

    /// The verdict when the time is over at `now_ms` and no answer came.
    pub fn expire(&mut self, now_ms: u64) -> Option<Verdict> {
        if self.record.verdict.is_none() && now_ms > self.deadline_ms() {
            self.record.events.push(Event { at_ms: now_ms, answer: None });
            self.conclude(Verdict::Failed(Failed { stage: self.asked.stage, reason: Failure::Late }));
        }
        self.record.verdict
    }

    /// What was asked, answered and found, once there is a verdict.
    pub fn finish(self) -> Option<Transcript> {
        self.record.verdict.is_some().then_some(self.record)
    }

    fn conclude(&mut self, verdict: Verdict) -> Step {
        self.record.verdict = Some(verdict);
        Step::Verdict(verdict)
    }

    fn judge(&mut self, answer: &Answer, now_ms: u64) -> Result<Next, Failure> {
        let asked = self.asked;
        answer.check().map_err(|_| Failure::OutOfBounds)?;
        if answer.task_id != self.record.task.id || answer.stage != asked.stage {
            return Err(Failure::UnexpectedAnswer);
        }
        // Before the signature, which covers words that this version does not know.
        if matches!(answer.body, AnswerBody::Unknown | AnswerBody::Declined { reason: DeclineReason::Unknown }) {
            return Err(Failure::NotUnderstood);
        }
        if !self.seed.is_signed(&self.record.device, &asked.nonce, answer) {
            return Err(Failure::WrongSignature);
        }
        // Before what it says: an answer that is late would have failed anyway, and checking it would cost the hub time.
        if now_ms > self.deadline_ms() {
            return Err(Failure::Late);
        }
        if let AnswerBody::Declined { reason } = answer.body {
            return Ok(Next::Verdict(Verdict::Declined { reason }));
        }
        self.check(&answer.body, now_ms.saturating_sub(asked.at_ms), now_ms)
    }

    fn ask(&mut self, stage: Stage, now_ms: u64) -> Next {
        let nonce = if stage == Stage::Scan { self.record.nonces.scan } else { self.record.nonces.open };
        let limit_ms = self.record.terms.limit_ms(&self.record.task.job, stage, self.fill_ms);
        self.asked = Asked { stage, nonce, at_ms: now_ms, limit_ms };
        Next::Ask(Ask { task_id: self.record.task.id, stage, nonce })
    }
}

enum Next {
    Ask(Ask),
    Verdict(Verdict),
}
