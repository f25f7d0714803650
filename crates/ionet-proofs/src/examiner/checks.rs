//! What each answer must say, job by job and stage by stage.

use ionet_types::agent::challenge::{AnswerBody, Job, MemoryJob, Opened, OpenedBlock, ProductJob, Stage};

use super::{Examiner, Next};
use crate::clock::{CYCLES_PER_STEP, is_end};
use crate::memory::{MemoryOrder, WrongBlock};
use crate::product::{ProductOrder, RowCheck, opened_rows};
use crate::verdict::{Failure, Measured, Verdict};

impl Examiner {
    /// Checks what a signed answer in time says, `elapsed_ms` after it was asked for, and goes on.
    pub(super) fn check(&mut self, body: &AnswerBody, elapsed_ms: u64, now_ms: u64) -> Result<Next, Failure> {
        match (self.record.task.job, self.asked.stage, body) {
            (Job::Product(_), Stage::Commit, AnswerBody::Committed { root }) => {
                self.committed = Some(*root);
                self.commit_ms = elapsed_ms;
                Ok(self.ask(Stage::Open, now_ms))
            }
            (Job::Product(job), Stage::Open, AnswerBody::Rows { rows }) => self.check_rows(&job, rows),
            (Job::Memory(_), Stage::Commit, AnswerBody::Committed { root }) => {
                self.committed = Some(*root);
                self.fill_ms = self.record.terms.work_ms(elapsed_ms);
                Ok(self.ask(Stage::Scan, now_ms))
            }
            (Job::Memory(job), Stage::Scan, AnswerBody::Scanned { roots }) => {
                if roots.len() != usize::from(job.passes) {
                    return Err(Failure::WrongCount);
                }
                self.scanned.clone_from(roots);
                self.scan_ms = elapsed_ms;
                Ok(self.ask(Stage::Open, now_ms))
            }
            (Job::Memory(job), Stage::Open, AnswerBody::Blocks { blocks }) => self.check_blocks(job, blocks),
            (Job::Clock(job), Stage::Commit, AnswerBody::Ended { state }) => {
                if !is_end(&self.seed, job.steps, u128::from_le_bytes(state.0)) {
                    return Err(Failure::WrongChain);
                }
                let cycles = u64::from(job.steps) * CYCLES_PER_STEP;
                let cpu_mhz = Some(per(cycles, self.record.terms.work_ms(elapsed_ms) * 1_000));
                Ok(Next::Verdict(Verdict::Passed(Measured { cpu_mhz, ..Measured::default() })))
            }
            _ => Err(Failure::UnexpectedAnswer),
        }
    }

    fn check_rows(&self, job: &ProductJob, rows: &[Opened]) -> Result<Next, Failure> {
        let nonce = self.asked.nonce;
        let root = self.committed.ok_or(Failure::UnexpectedAnswer)?;
        let wanted = opened_rows(&self.seed, job, &nonce);
        if rows.len() != wanted.len() {
            return Err(Failure::WrongCount);
        }
        let order = ProductOrder::new(&self.seed, *job);
        // Paths first: they are cheap, and with them wrong nothing else is worth its time.
        if !wanted.iter().zip(rows).all(|(row, opened)| order.is_committed(&root, *row, opened)) {
            return Err(Failure::WrongPath);
        }
        let mut check = RowCheck::new(&self.seed, &order, &nonce);
        if !wanted.iter().zip(rows).all(|(row, opened)| check.is_row(*row, opened)) {
            return Err(Failure::WrongRow);
        }
        let gflops = Some(per(job.operations(), self.record.terms.work_ms(self.commit_ms) * 1_000_000));
        Ok(Next::Verdict(Verdict::Passed(Measured { gflops, ..Measured::default() })))
    }

    fn check_blocks(&self, job: MemoryJob, blocks: &[OpenedBlock]) -> Result<Next, Failure> {
        let root = self.committed.ok_or(Failure::UnexpectedAnswer)?;
        let order = MemoryOrder::new(&self.seed, job);
        let wanted = order.opened_blocks(&self.asked.nonce);
        if blocks.len() != wanted.len() {
            return Err(Failure::WrongCount);
        }
        for (choice, opened) in wanted.iter().zip(blocks) {
            let before = choice.pass.checked_sub(1).and_then(|before| self.scanned.get(usize::from(before)));
            let pass = order.pass(&self.record.nonces.scan, choice.pass, before);
            let sums = self.scanned.get(usize::from(choice.pass)).ok_or(Failure::UnexpectedAnswer)?;
            order.check(*choice, &root, &pass, sums, opened).map_err(|wrong| match wrong {
                WrongBlock::Path => Failure::WrongPath,
                WrongBlock::Block => Failure::WrongBlock,
                WrongBlock::Sum => Failure::WrongSum,
            })?;
        }
        let read = job.bytes().saturating_mul(job.passes.into());
        let memory_mb_per_sec = Some(per(read, self.record.terms.work_ms(self.scan_ms) * 1_000));
        let memory_mib = Some(u32::try_from(job.bytes() >> 20).unwrap_or(u32::MAX));
        Ok(Next::Verdict(Verdict::Passed(Measured { memory_mb_per_sec, memory_mib, ..Measured::default() })))
    }
}

fn per(work: u64, time: u64) -> u32 {
    u32::try_from(work / time.max(1)).unwrap_or(u32::MAX)
}
